"""Rows of the audit trail: sealed once, then only read. Row-level security shows one tenant's.

Every function works in the tenant of its session.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.identity.tables import audit_address, audit_trail
from kourse.rules.audit_chain import GENESIS

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('kourse.audit:' || :tenant, 0))")
_ENTRY = select(audit_trail, audit_address.c.address, audit_address.c.salt).outerjoin(
    audit_address,
    and_(audit_trail.c.tenant == audit_address.c.tenant, audit_trail.c.seq == audit_address.c.seq),
)


@dataclass(frozen=True)
class Filter:
    """Which entries are wanted; what is None does not matter.

    Attributes:
        actor: Id of who acted.
        action: Name of the act; with ``*`` at its end, all names that begin so.
        target: Id of what it was done to.
        outcome: ``done`` or ``refused``.
        source: Service that told of it.
        since: Acts at or after this moment.
        until: Acts before this moment.
    """

    actor: str | None = None
    action: str | None = None
    target: str | None = None
    outcome: str | None = None
    source: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def named(self) -> dict[str, Any]:
        """What is asked for, without what does not matter."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Head:
    """Where a trail ends.

    Attributes:
        seq: Number of the last entry; 0 for an empty trail.
        hash: Its hash.
    """

    seq: int = 0
    hash: str = GENESIS


async def lock(tx: AsyncSession) -> None:
    """Nobody else appends to the tenant's trail until the transaction ends."""
    await tx.execute(_LOCK, {"tenant": tx.info["tenant"]})


async def find_head(tx: AsyncSession) -> Head:
    """Where the trail ends now."""
    newest = select(audit_trail.c.seq, audit_trail.c.hash).order_by(audit_trail.c.seq.desc())
    row = (await tx.execute(newest.limit(1))).one_or_none()
    return Head(row.seq, row.hash) if row else Head()


async def known_ids(tx: AsyncSession, ids: Collection[UUID]) -> set[UUID]:
    """Those of the ids that are in the trail."""
    found = await tx.execute(select(audit_trail.c.id).where(audit_trail.c.id.in_(ids)))
    return set(found.scalars())


async def add(
    tx: AsyncSession, entries: Sequence[Mapping[str, Any]], addresses: Sequence[Mapping[str, Any]]
) -> None:
    """Sealed entries and the addresses that belong to them are in the trail."""
    await tx.execute(insert(audit_trail), list(entries))
    if addresses:
        await tx.execute(insert(audit_address), list(addresses))


async def erase_addresses(tx: AsyncSession, people: Collection[str]) -> None:
    """No entry about what these people did, or what was done to them, tells from where."""
    about = or_(audit_trail.c.actor.in_(people), audit_trail.c.target.in_(people))
    numbers = select(audit_trail.c.seq).where(about)
    await tx.execute(delete(audit_address).where(audit_address.c.seq.in_(numbers)))


async def forget_addresses(tx: AsyncSession, *, keep: timedelta) -> int:
    """Addresses that were kept for longer than this, in every tenant, are gone; how many.

    Args:
        tx: Of the worker role.
        keep: Longest time that an address is kept.
    """
    limit = func.clock_timestamp() - keep
    done = await tx.execute(delete(audit_address).where(audit_address.c.sealed_at < limit))
    return int(getattr(done, "rowcount", 0))


async def list_tenants(tx: AsyncSession) -> list[str]:
    """Tenants that have a trail; for the worker role."""
    found = await tx.execute(select(audit_trail.c.tenant).distinct().order_by(audit_trail.c.tenant))
    return list(found.scalars())


async def newest(
    tx: AsyncSession, wanted: Filter, *, before: int | None, limit: int
) -> list[Mapping[str, Any]]:
    """Entries that are wanted, newest first, those with a smaller number than ``before``."""
    query = _ENTRY.where(*_conditions(wanted)).order_by(audit_trail.c.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(audit_trail.c.seq < before)
    return [dict(row._mapping) for row in await tx.execute(query)]  # noqa: SLF001 -- SQLAlchemy's name


async def oldest(
    tx: AsyncSession, wanted: Filter, *, after: int, until: int, limit: int
) -> list[Mapping[str, Any]]:
    """Entries that are wanted with a number above ``after`` and up to ``until``, oldest first."""
    between = (audit_trail.c.seq > after, audit_trail.c.seq <= until)
    query = _ENTRY.where(*_conditions(wanted), *between).order_by(audit_trail.c.seq).limit(limit)
    return [dict(row._mapping) for row in await tx.execute(query)]  # noqa: SLF001 -- SQLAlchemy's name


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    equal = {"actor": wanted.actor, "target": wanted.target}
    equal |= {"outcome": wanted.outcome, "source": wanted.source}
    conditions = [audit_trail.c[name] == value for name, value in equal.items() if value]
    if wanted.action is not None and wanted.action.endswith("*"):
        conditions.append(audit_trail.c.action.startswith(wanted.action[:-1], autoescape=True))
    elif wanted.action is not None:
        conditions.append(audit_trail.c.action == wanted.action)
    if wanted.since is not None:
        conditions.append(audit_trail.c.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(audit_trail.c.at < wanted.until)
    return conditions
