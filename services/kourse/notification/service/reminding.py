"""The loop that reminds: takes enrolments whose time has come, tells what holds, notes when to look again.

Telling and noting are one transaction, and what is told has an id that follows from the task and its date. So
a reminder is told once however often rounds are killed or repeated, and late rather than never when nobody
was there at its moment.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import KourseError
from kourse.kit import faults
from kourse.kit.clock import database_now
from kourse.kit.db import Database
from kourse.kit.telemetry import get_logger
from kourse.notification.domain import reminders
from kourse.notification.domain.reminders import Reminder
from kourse.notification.repository import notices, studies
from kourse.notification.repository.notices import Notice
from kourse.notification.repository.studies import Looked

BATCH = 100
"""Most enrolments that one transaction takes: a changed date that concerns thousands holds nobody up."""
AGAIN_AFTER = timedelta(hours=1)
"""When an enrolment whose dates make no sense is looked at again, unless something changes before."""

Clock = Callable[[AsyncSession], Awaitable[datetime]]
log = get_logger(__name__)


class Reminding:
    """Tells learners of dates that come near.

    Args:
        database: Of the application role.
        worker: Of the worker role, which sees in which tenants somebody is to be looked at.
        clock: Reads the time that dates are compared with.
    """

    def __init__(
        self, database: Database, worker: Database, *, clock: Clock = database_now
    ) -> None:
        self._database = database
        self._worker = worker
        self._clock = clock

    async def round(self) -> int:
        """Looks at everybody whose time has come; how many that were."""
        async with self._worker.transaction(None) as tx:
            tenants = await studies.tenants_due(tx, await self._clock(tx))
        count = 0
        for tenant in tenants:
            while taken := await self._batch(tenant):
                count += taken
        return count

    async def _batch(self, tenant: str) -> int:
        async with self._database.transaction(tenant) as tx:
            now = await self._clock(tx)
            looked = await studies.take_due(tx, now, BATCH)
            if looked:
                await _remind(tx, looked, now)
                await faults.point("reminding.told")
        if looked:
            await faults.point("reminding.committed")
        return len(looked)


async def _remind(tx: AsyncSession, looked: Sequence[Looked], now: datetime) -> None:
    told: dict[UUID, tuple[Reminder, set[UUID]]] = {}
    held: list[tuple[UUID, UUID]] = []
    looks: list[tuple[UUID, datetime | None]] = []
    for one in looked:
        found, look_at = _look_at(one, now)
        looks.append((one.enrolment_id, look_at))
        for reminder in found:
            if reminder.holds_at(now):
                told.setdefault(reminder.id, (reminder, set()))[1].add(one.learner_id)
                held.append((one.learner_id, reminder.id))
    for reminder, learners in told.values():
        notice = Notice(reminder.kind, reminder.params, reminder.id)
        await notices.tell_each(tx, sorted(learners), notice)
    await studies.withdraw(tx, looked, held)
    await studies.look_next(tx, looks)


def _look_at(one: Looked, now: datetime) -> tuple[list[Reminder], datetime | None]:
    """The learner's reminders, and when to look again."""
    if one.study is None:
        return [], None
    try:
        found = reminders.reminders(one.study, one.tasks)
    except (KourseError, ValueError) as error:
        # Owners refuse such dates; whoever got past them must not keep others from being reminded.
        log.warning("reminding.skipped", enrolment=str(one.enrolment_id), error=str(error))
        return [], now + AGAIN_AFTER
    return found, reminders.next_look(found, now)
