"""The loop of weekly digests: takes those that are due, sums up, notes when the next one comes.

All three are one transaction, and a digest has an id that follows from its time. So each comes once however
often rounds are killed or repeated, and late rather than never when nobody was there at its moment.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.names import part_id
from kourse.kit import faults
from kourse.kit.clock import database_now
from kourse.kit.db import Database
from kourse.notification.domain import digests as rules
from kourse.notification.domain.calendars import Calendar
from kourse.notification.domain.kinds import Kind
from kourse.notification.domain.preferences import Preferences
from kourse.notification.repository import calendars, digests, notices, wishes
from kourse.notification.repository.digests import Due
from kourse.notification.repository.notices import Telling

BATCH = 100
"""Most digests in one transaction."""

Clock = Callable[[AsyncSession], Awaitable[datetime]]


class Digesting:
    """Sends weekly digests.

    Args:
        database: Of the application role.
        worker: Of the worker role, which sees in which tenants digests are due.
        clock: Reads the time that due times are compared with.
    """

    def __init__(
        self, database: Database, worker: Database, *, clock: Clock = database_now
    ) -> None:
        self._database = database
        self._worker = worker
        self._clock = clock

    async def round(self) -> int:
        """Deals with all digests that are due; how many that were."""
        async with self._worker.transaction(None) as tx:
            tenants = await digests.tenants_due(tx, await self._clock(tx))
        count = 0
        for tenant in tenants:
            while taken := await self._batch(tenant):
                count += taken
        return count

    async def _batch(self, tenant: str) -> int:
        async with self._database.transaction(tenant) as tx:
            now = await self._clock(tx)
            due = await digests.take_due(tx, now, BATCH)
            if due:
                await _send(tx, due, now)
                await faults.point("digesting.told")
        return len(due)


async def follow(tx: AsyncSession, user_id: UUID, wanted: Preferences) -> None:
    """Whoever refused some mail gets a digest instead, from the next time that they chose; others get none."""
    if rules.digested(wanted):
        zone = ZoneInfo(await calendars.time_zone_of(tx, user_id))
        due_at = rules.next_digest(await database_now(tx), zone, wanted.digest)
        await digests.schedule(tx, user_id, due_at)
    else:
        await digests.cancel(tx, [user_id])


async def follow_zone(tx: AsyncSession, user_id: UUID, zone: ZoneInfo) -> None:
    """The person's next digest comes by this time zone."""
    wanted = await wishes.preferences_of(tx, user_id)
    due_at = rules.next_digest(await database_now(tx), zone, wanted.digest)
    await digests.move(tx, user_id, due_at)


async def _send(tx: AsyncSession, due: Sequence[Due], now: datetime) -> None:
    wanted = {one.user_id: rules.digested(one.preferences) for one in due}
    await digests.cancel(tx, [user_id for user_id, kinds in wanted.items() if not kinds])
    going = [one for one in due if wanted[one.user_id]]
    found = await digests.unread(tx, going, {kind for kinds in wanted.values() for kind in kinds})
    tellings = []
    for one in going:
        entries = {
            kind.value: count
            for kind, count in sorted(found.get(one.user_id, {}).items())
            if kind in wanted[one.user_id]
        }
        if entries:
            once = part_id(one.user_id, f"digest/{one.at.isoformat()}")
            tellings.append(Telling(one.user_id, {"entries": entries}, once))
    await notices.tell_all(tx, Kind.WEEKLY_DIGEST, tellings)
    known = await calendars.calendars_of(tx, [one.user_id for one in going])
    nexts = []
    for one in going:
        zone = ZoneInfo(known.get(one.user_id, Calendar()).zone_at(now))
        nexts.append((one.user_id, rules.next_digest(now, zone, one.preferences.digest)))
    await digests.go_on(tx, nexts)
