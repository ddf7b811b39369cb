"""The audit trail: appending to it and looking into it; nobody changes it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.identity.domain.trail import sealed, shown
from kourse.identity.repository import audit, trail
from kourse.identity.repository.trail import Filter, Head
from kourse.kit import clock
from kourse.kit.audit import Entry
from kourse.kit.auth import Actor
from kourse.kit.db import Database
from kourse.kit.telemetry import get_logger

SALT_BYTES = 32
ENDINGS = frozenset({"membership.end", "account.delete"})
"""Acts after which nothing may tell any more from where their target acted."""
PAGE = 500
__all__ = ["Filter", "LocalTrail", "append_in", "begin_export", "export", "head", "search"]
log = get_logger(__name__)


class LocalTrail:
    """The trail as identity itself tells it; an ``audit.Trail``.

    Args:
        database: Of identity.
        source: Service that tells.
    """

    def __init__(self, database: Database, source: str) -> None:
        self._database = database
        self._source = source

    async def append(self, entries: Sequence[Entry]) -> None:
        """The entries are in their tenants' trails, each behind those that were there before.

        Raises:
            Unavailable: The database is not there; some may be in the trail, so tell all again.
        """
        for tenant, group in groupby(sorted(entries, key=_tenant), key=_tenant):
            async with self._database.transaction(tenant) as tx:
                end = await append_in(tx, self._source, list(group))
            if end is not None:
                log.info("audit.sealed", tenant=tenant, seq=end.seq, hash=end.hash)


_tenant = attrgetter("tenant")


async def append_in(tx: AsyncSession, source: str, entries: Sequence[Entry]) -> Head | None:
    """Seals entries of the session's tenant behind its last one; those that are in the trail are left alone.

    Nobody else can append until the transaction ends, so it should do nothing else.

    Returns:
        The trail's new end, or None when all of them were in it.
    """
    await trail.lock(tx)
    known = await trail.known_ids(tx, [entry.id for entry in entries])
    fresh = {entry.id: entry for entry in entries if entry.id not in known}
    if not fresh:
        return None
    head, now = await trail.find_head(tx), await clock.database_now(tx)
    rows, addresses, previous = [], [], head.hash
    for seq, entry in enumerate(fresh.values(), head.seq + 1):
        salt = secrets.token_bytes(SALT_BYTES)
        told = {**vars(entry), "source": source}
        row = sealed(told, seq=seq, previous=previous, sealed_at=now, salt=salt)
        rows.append(row)
        previous = row["hash"]
        if entry.address:
            kept = {"tenant": entry.tenant, "seq": seq, "sealed_at": now}
            addresses.append({**kept, "address": entry.address, "salt": salt})
    await trail.add(tx, rows, addresses)
    if gone := {entry.target for entry in fresh.values() if entry.action in ENDINGS}:
        await trail.erase_addresses(tx, gone)
    return Head(rows[-1]["seq"], previous)


async def search(
    tx: AsyncSession, actor: Actor, wanted: Filter, *, before: int | None, limit: int
) -> list[dict[str, Any]]:
    """A page of the entries that are wanted, newest first; the look is recorded with its first page."""
    if before is None:
        await audit.record(tx, "audit.read", actor=actor.user_id, detail=wanted.named())
    found = await trail.newest(tx, wanted, before=before, limit=limit)
    return [shown(row) for row in found]


async def head(tx: AsyncSession) -> Head:
    """Where the tenant's trail ends."""
    return await trail.find_head(tx)


async def begin_export(database: Database, actor: Actor, wanted: Filter, after: int) -> Head:
    """The export is recorded; it reaches to the end that is returned.

    Raises:
        Unavailable: The database is not there.
    """
    async with database.transaction(actor.tenant) as tx:
        if not after:
            await audit.record(tx, "audit.export", actor=actor.user_id, detail=wanted.named())
        return await trail.find_head(tx)


async def export(
    database: Database, tenant: str, wanted: Filter, *, after: int, until: int
) -> AsyncIterator[dict[str, Any]]:
    """Entries of the tenant that are wanted, oldest first; holds no connection between pages.

    Args:
        database: Of identity.
        tenant: Whose trail.
        wanted: Which of its entries.
        after: Number behind which it begins.
        until: Number of the last.
    """
    is_more = True
    while is_more:
        async with database.transaction(tenant) as tx:
            page = await trail.oldest(tx, wanted, after=after, until=until, limit=PAGE)
        for row in page:
            yield shown(row)
        is_more = len(page) == PAGE
        after = page[-1]["seq"] if page else after
