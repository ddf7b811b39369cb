"""What the audit trail needs from time to time.

Every night somebody looks whether it is whole, and addresses kept for long enough are erased; and nobody
else tells of signing keys, which change by files.
"""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from uuid import uuid5

from kourse.contracts.errors import Unavailable
from kourse.contracts.names import NAMESPACE
from kourse.identity.repository import trail
from kourse.identity.repository.trail import Filter
from kourse.identity.service.signing import SigningKeys
from kourse.identity.service.trail import export
from kourse.kit import clock
from kourse.kit.audit import Entry, Trail
from kourse.kit.db import Database
from kourse.kit.sweeping import repeat
from kourse.kit.telemetry import get_logger
from kourse.kit.telemetry.metrics import AUDIT_BROKEN
from kourse.rules.audit_chain import Chain, ChainBroken

AT_NIGHT = timedelta(hours=2)
"""Time of day (UTC) at which the nightly round begins."""
SPREAD_S = 1800.0
"""Replicas begin within this time, so that they do not all read at once."""
KEYS_EVERY_S = 30.0
log = get_logger(__name__)


async def verify(database: Database, tenant: str) -> Chain:
    """The whole trail of the tenant, followed to its end.

    Raises:
        ChainBroken: It is not what was sealed; names the first wrong entry.
        Unavailable: The database is not there.
    """
    chain = Chain()
    async with database.transaction(tenant) as tx:
        end = await trail.find_head(tx)
    async for entry in export(database, tenant, Filter(), after=0, until=end.seq):
        chain.follow(entry)
    return chain


async def round_once(database: Database, worker: Database, *, keep: timedelta) -> dict[str, int]:
    """Addresses past their time are gone, and every trail was followed to its end.

    Args:
        database: Of identity.
        worker: Of its worker role.
        keep: Longest time that an address is kept.

    Returns:
        Numbers of the first wrong entries, by tenant; empty where every trail is whole.

    Raises:
        Unavailable: The database is not there.
    """
    async with worker.transaction(None) as tx:
        forgotten = await trail.forget_addresses(tx, keep=keep)
        tenants = await trail.list_tenants(tx)
    broken: dict[str, int] = {}
    for tenant in tenants:
        try:
            chain = await verify(database, tenant)
            log.info("audit.verified", tenant=tenant, seq=chain.seq, hash=chain.hash)
        except ChainBroken as found:
            broken[tenant] = found.seq
            log.error("audit.broken", tenant=tenant, seq=found.seq, reason=found.reason)  # noqa: TRY400
    AUDIT_BROKEN.set(len(broken))
    log.info("audit.round", tenants=len(tenants), broken=len(broken), addresses=forgotten)
    return broken


async def every_night(database: Database, worker: Database, *, keep: timedelta) -> None:
    """Does the round each night until cancelled; an outage only ends the round."""
    while True:
        spread = random.uniform(0, SPREAD_S)  # noqa: S311 -- no secret
        await asyncio.sleep(until_night(clock.now()).total_seconds() + spread)
        try:
            await round_once(database, worker, keep=keep)
        except Unavailable as error:
            log.warning("audit.interrupted", reason=error.detail)


async def watch_keys(keys: SigningKeys, trail: Trail, tenant: str) -> None:
    """The trail tells of each signing key when it begins to sign, once, however many replicas see it.

    Args:
        keys: Read again and again until cancelled.
        trail: Identity's own.
        tenant: In whose trail it stands.
    """
    told = ""

    async def look() -> None:
        nonlocal told
        if (kid := keys.kid) != told:
            await trail.append([_begun(kid, tenant)])
            told = kid

    await repeat(look, KEYS_EVERY_S)


def _begun(kid: str, tenant: str) -> Entry:
    return Entry(
        id=uuid5(NAMESPACE, f"signing-key/{kid}"),
        tenant=tenant,
        at=clock.now(),
        actor="service:identity",
        action="key.begin",
        target=kid,
    )


def until_night(now: datetime) -> timedelta:
    """Time from an aware UTC moment to the next nightly round; more than none, at most a day."""
    tonight = now.replace(hour=0, minute=0, second=0, microsecond=0) + AT_NIGHT
    return tonight - now if tonight > now else tonight + timedelta(days=1) - now
