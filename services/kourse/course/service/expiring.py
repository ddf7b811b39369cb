"""Tells once of every assignment that closed for somebody who had handed in nothing.

Every enrolment says when it is to be looked at next: at the next close of any of its assignments. A changed
course or cohort, or an extension, has it looked at anew. So a look is always made under the dates that
hold, and one that reopened is told of again when it closes again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound, Unavailable
from kourse.contracts.events import AssignmentExpired
from kourse.course.repository import expiries, hand_ins, outline
from kourse.course.service.assignments import list_effective
from kourse.kit import outbox, sweeping
from kourse.kit.clock import database_now
from kourse.kit.runtime import Runtime
from kourse.kit.telemetry import get_logger
from kourse.rules.dates import Effective

log = get_logger(__name__)
BATCH = 500
"""Enrolments looked at in one transaction."""
SUSPENDED = timedelta(hours=1)
"""How long somebody who is suspended is left alone; nothing expires for them meanwhile."""


async def sweep_forever(runtime: Runtime) -> None:
    """Sweeps again and again until it is cancelled."""
    interval_s = runtime.settings.expiry_interval.total_seconds()
    await sweeping.repeat(lambda: sweep(runtime), interval_s)


async def sweep(runtime: Runtime) -> int:
    """Looks at everybody for whom something may have closed; how many enrolments that were.

    Raises:
        Unavailable: The database does not answer.
    """
    async with runtime.worker_database.transaction(None) as tx:
        changed = await expiries.list_changed(tx)
    for tenant, course_id, changed_at in changed:
        async with runtime.database.transaction(tenant) as tx:
            await expiries.mark_seen(tx, course_id, changed_at)
    async with runtime.worker_database.transaction(None) as tx:
        due = await expiries.list_due(tx)
    return sum([await _look_through(runtime, tenant, course_id) for tenant, course_id in due])


async def _look_through(runtime: Runtime, tenant: str, course_id: UUID) -> int:
    """Looks at everybody of a course who is due; one that fails is logged and holds up no other."""
    looked, count = 0, BATCH
    try:
        while count == BATCH:
            async with runtime.database.transaction(tenant) as tx:
                count = await look(tx, course_id)
            looked += count
    except Unavailable:
        raise
    except Exception:
        log.exception("expiry.failed", tenant=tenant, course_id=str(course_id))
    return looked


async def look(tx: AsyncSession, course_id: UUID) -> int:
    """Looks at some enrolments of the course that are due; how many."""
    enrolments = await expiries.take_due(tx, course_id, BATCH)
    if not enrolments:
        return 0
    now = await database_now(tx)
    active = [one for one in enrolments if one.status == "active"]
    looks: dict[UUID, datetime | None] = {one.id: now + SUSPENDED for one in enrolments}
    course, works = await _assignments(tx, course_id)
    if course is not None:
        dates = await list_effective(tx, course, active, [row.key for row in works])
        await _settle(tx, course, active, works, dates, now)
        looks |= {one.id: _next_look(one, works, dates, now) for one in active}
    await expiries.set_looks(tx, looks)
    return len(enrolments)


async def _assignments(
    tx: AsyncSession, course_id: UUID
) -> tuple[Row[Any] | None, Sequence[Row[Any]]]:
    """The course and its assignments; none while nothing of it is live, or nothing more is taken."""
    try:
        course = await outline.get_live(tx, await expiries.name_of(tx, course_id))
    except NotFound:
        return None, ()
    return course, await outline.list_assignments(tx, course.id, course.version)


def _next_look(
    enrolment: Row[Any],
    works: Sequence[Row[Any]],
    dates: Mapping[tuple[UUID, str], Effective],
    now: datetime,
) -> datetime | None:
    closes = (dates[enrolment.id, row.key].dates.closes_at for row in works)
    return min((at for at in closes if at is not None and at > now), default=None)


async def _settle(
    tx: AsyncSession,
    course: Row[Any],
    enrolments: Sequence[Row[Any]],
    works: Sequence[Row[Any]],
    dates: Mapping[tuple[UUID, str], Effective],
    now: datetime,
) -> None:
    """Tells of what closed for good, and forgets having told of what is open again."""
    ids = [one.id for one in enrolments]
    done, told = await hand_ins.handed_in(tx, ids), await expiries.list_told(tx, ids)
    closed = {
        (one.id, row.id): (one, row, at)
        for one in enrolments
        for row in works
        if (at := dates[one.id, row.key].dates.closes_at) is not None
        and one.created_at < at <= now
        and (one.id, row.id) not in done
    }
    await expiries.forget(tx, told - closed.keys())
    news = [closed[key] for key in sorted(closed.keys() - told)]
    if news:
        await expiries.remember(tx, [(one.id, row.id, at) for one, row, at in news])
        await outbox.emit_all(tx, [_expired(course, one, row, at) for one, row, at in news])


def _expired(
    course: Row[Any], enrolment: Row[Any], work: Row[Any], closes_at: datetime
) -> AssignmentExpired:
    return AssignmentExpired(
        enrolment_id=enrolment.id,
        learner_id=enrolment.learner_id,
        course_id=course.id,
        course=course.name,
        cohort=enrolment.cohort,
        assignment_id=work.id,
        assignment=work.key,
        closes_at=closes_at,
    )
