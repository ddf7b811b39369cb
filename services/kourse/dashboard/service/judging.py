"""Applies the rules of ``atRisk`` to those for whom something changed, and by the clock.

Every enrolment says when it is to be looked at next: at once when an event tells of it, else when the clock
alone changes what applies, and each day at the latest, for dates that changed without a word. So an outage
only postpones a look. A reason that is new is told; so is that none is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound, Unavailable
from kourse.contracts.events import RiskCleared, RiskRaised
from kourse.dashboard.repository import risks
from kourse.dashboard.service import marking, siblings
from kourse.kit import outbox, sweeping
from kourse.kit.clock import database_now
from kourse.kit.runtime import Runtime
from kourse.kit.telemetry import get_logger
from kourse.rules.at_risk import SCORES, Due, Policy, Standing, next_change
from kourse.rules.at_risk import risks as judged

log = get_logger(__name__)
DAILY = timedelta(days=1)
LATER = timedelta(hours=1)
"""How long a course is left alone of which nothing is live."""


async def judge_forever(runtime: Runtime) -> None:
    """Looks again and again until it is cancelled."""
    interval_s = runtime.settings.risk_interval.total_seconds()
    await sweeping.repeat(lambda: sweep(runtime), interval_s)


async def sweep(runtime: Runtime) -> int:
    """Looks at everybody who is to be looked at now; how many enrolments that were.

    Raises:
        Unavailable: The database or course does not answer.
    """
    async with runtime.worker_database.transaction(None) as tx:
        due = await risks.list_due(tx)
    return sum([await _look_through(runtime, tenant, course) for tenant, course in due])


async def _look_through(runtime: Runtime, tenant: str, course: str) -> int:
    """Looks at everybody of a course who is due; one that fails is logged and holds up no other."""
    total = 0
    try:
        while looked := await _look_at_some(runtime, tenant, course):
            total += looked
    except Unavailable:
        raise
    except Exception:
        log.exception("risk.failed", tenant=tenant, course=course)
    return total


async def _look_at_some(runtime: Runtime, tenant: str, course: str) -> int:
    async with runtime.database.transaction(tenant) as tx:
        due = await risks.due_in(tx, course, siblings.MOST)
    if not due:
        return 0
    ids = [row.enrolment_id for row in due]
    try:
        policy, coming = await siblings.due_of(
            runtime,
            tenant,
            course,
            {row.learner_id for row in due},
            runtime.settings.part_deadline.total_seconds(),
        )
    except NotFound:
        async with runtime.database.transaction(tenant) as tx:
            await risks.postpone(tx, ids, await database_now(tx) + LATER)
        return len(due)
    async with runtime.database.transaction(tenant) as tx:
        return await judge(tx, course, ids, policy, coming)


async def judge(
    tx: AsyncSession,
    course: str,
    enrolment_ids: Sequence[UUID],
    policy: Policy,
    coming: Mapping[UUID, Sequence[Due]],
) -> int:
    """These enrolments are judged, and what is new is told; how many were free to be.

    Args:
        tx: A transaction of their tenant.
        course: Their course.
        enrolment_ids: Whom to look at.
        policy: What the course declares.
        coming: What is due, by learner.
    """
    rows = await risks.take(tx, enrolment_ids)
    scores = await risks.scores_of(tx, course, [row.learner_id for row in rows], 2 * SCORES)
    now = await database_now(tx)
    for row in rows:
        if not row.is_active or row.completed_at is not None:
            await _settle(tx, row, [], look_at=None, now=now)
            continue
        standing = Standing(
            active_at=row.active_at,
            mastery=row.mastery,
            due=coming.get(row.learner_id, ()),
            scores=scores.get(row.learner_id, ()),
            missed=row.missed,
        )
        found = [(one.reason.value, one.because) for one in judged(standing, policy, now)]
        change = next_change(standing, policy, now)
        look_at = min(change or now + DAILY, now + DAILY)
        await _settle(tx, row, found, look_at=look_at, now=now)
    return len(rows)


async def _settle(
    tx: AsyncSession, row: Row[Any], found: list[tuple[str, str]], *, look_at: Any, now: Any
) -> None:
    had = {reason for reason, _ in row.risks}
    have = [reason for reason, _ in found]
    at_risk_at = (row.at_risk_at or now) if found else None
    await risks.set_risks(tx, row.enrolment_id, found, at_risk_at=at_risk_at, look_at=look_at)
    if [list(one) for one in found] != row.risks:
        marking.touch(tx, [marking.of_course(row.course)])
        marking.touch(tx, [marking.of_cohort(row.cohort)] if row.cohort else [])
    whose = {
        "enrolment_id": row.enrolment_id,
        "learner_id": row.learner_id,
        "course_id": row.course_id,
        "course": row.course,
        "cohort": row.cohort,
    }
    if set(have) - had:
        await outbox.emit(tx, RiskRaised(**whose, reasons=have))
    elif had and not have:
        await outbox.emit(tx, RiskCleared(**whose))
