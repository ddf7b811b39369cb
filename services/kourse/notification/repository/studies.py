"""Enrolments whose time has come to be looked at, with all that their reminders follow from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, and_, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.events import CohortDates
from kourse.kit.db import statement
from kourse.notification.domain.kinds import REMINDERS
from kourse.notification.domain.reminders import CohortRun, Study, Task
from kourse.notification.repository.timetable import tasks_in
from kourse.notification.tables import (
    SCHEMA,
    accommodation,
    cohort,
    course,
    enrolment,
    extension,
    hand_in,
    task,
)

_WITHDRAW = statement(
    SCHEMA,
    """
UPDATE {schema}.delivery SET state = 'dropped', outcome = 'outdated', settled_at = clock_timestamp()
FROM {schema}.notification
WHERE notification.id = delivery.notification_id
  AND delivery.state = 'pending' AND delivery.claim IS NULL
  AND notification.kind = ANY(:kinds)
  AND notification.user_id = ANY(CAST(:learners AS uuid[]))
  AND notification.params->>'course_id' = ANY(:courses)
  AND NOT EXISTS (
    SELECT FROM unnest(CAST(:holders AS uuid[]), CAST(:held AS uuid[])) AS holds (learner, reminder)
    WHERE holds.learner = notification.user_id AND holds.reminder = notification.source_event
  )
""",
)


@dataclass(frozen=True)
class Looked:
    """An enrolment in hand.

    Attributes:
        study: What dates depend on; None while the course or cohort is not known here, or when the learner
            studies no more.
        tasks: What there is to do in its course.
    """

    enrolment_id: UUID
    learner_id: UUID
    course_id: UUID
    study: Study | None
    tasks: Sequence[Task]


async def tenants_due(worker: AsyncSession, now: datetime) -> list[str]:
    """Tenants with enrolments to look at, under the worker role, which sees all."""
    due = select(enrolment.c.tenant).where(enrolment.c.look_at <= now).distinct()
    return list(await worker.scalars(due))


async def take_due(tx: AsyncSession, now: datetime, limit: int) -> list[Looked]:
    """Enrolments to look at, longest due first; nobody else has them until the transaction ends."""
    query = (
        select(
            enrolment,
            course.c.time_zone,
            cohort.c.starts_on,
            cohort.c.time_zone.label("run_zone"),
            cohort.c.dates,
            func.coalesce(accommodation.c.extra_hours, 0).label("extra_hours"),
        )
        .outerjoin(course, course.c.course_id == enrolment.c.course_id)
        .outerjoin(cohort, cohort.c.cohort_id == enrolment.c.cohort_id)
        .outerjoin(
            accommodation,
            (accommodation.c.learner_id == enrolment.c.learner_id)
            & (accommodation.c.course_id == enrolment.c.course_id),
        )
        .where(enrolment.c.look_at <= now)
        .order_by(enrolment.c.look_at)
        .limit(limit)
        .with_for_update(of=enrolment, skip_locked=True)
    )
    rows = (await tx.execute(query)).all()
    if not rows:
        return []
    tasks = await _tasks(tx, {row.course_id for row in rows})
    ids = [row.enrolment_id for row in rows]
    extensions, handed_in = await _extensions(tx, ids), await _handed_in(tx, ids)
    return [
        Looked(
            enrolment_id=row.enrolment_id,
            learner_id=row.learner_id,
            course_id=row.course_id,
            study=_study(row, extensions[row.enrolment_id], handed_in[row.enrolment_id]),
            tasks=tasks[row.course_id],
        )
        for row in rows
    ]


async def look_next(tx: AsyncSession, looks: Iterable[tuple[UUID, datetime | None]]) -> None:
    """Each of these enrolments, by id, is looked at then, or when something changes."""
    values = [{"id": enrolment_id, "at": look_at} for enrolment_id, look_at in looks]
    change = (
        update(enrolment)
        .where(enrolment.c.enrolment_id == bindparam("id"))
        .values(look_at=bindparam("at"))
    )
    await (await tx.connection()).execute(change, values)


async def withdraw(
    tx: AsyncSession, looked: Sequence[Looked], held: Sequence[tuple[UUID, UUID]]
) -> None:
    """Mail about dates that hold no more does not leave.

    Args:
        tx: The transaction that took the enrolments.
        looked: Those who may have such mail.
        held: Learners with the ids of reminders that still hold.
    """
    await tx.execute(
        _WITHDRAW,
        {
            "kinds": [kind.value for kind in REMINDERS],
            "learners": list({one.learner_id for one in looked}),
            "courses": list({str(one.course_id) for one in looked}),
            "holders": [learner_id for learner_id, _ in held],
            "held": [reminder_id for _, reminder_id in held],
        },
    )


async def _tasks(tx: AsyncSession, course_ids: Iterable[UUID]) -> dict[UUID, list[Task]]:
    found: dict[UUID, list[Task]] = defaultdict(list)
    rows = await tx.execute(select(task).where(task.c.course_id.in_(list(course_ids))))
    for one in tasks_in(rows):
        found[one.course_id].append(one)
    return found


async def _extensions(tx: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, dict[UUID, datetime]]:
    found: dict[UUID, dict[UUID, datetime]] = defaultdict(dict)
    rows = await tx.execute(select(extension).where(extension.c.enrolment_id.in_(ids)))
    for row in rows:
        found[row.enrolment_id][row.task_id] = row.due_at
    return found


async def _handed_in(tx: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, set[UUID]]:
    """What was handed in within each enrolment's own run."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    query = (
        select(enrolment.c.enrolment_id, hand_in.c.task_id)
        .join(
            hand_in,
            and_(
                hand_in.c.learner_id == enrolment.c.learner_id,
                hand_in.c.cohort.is_not_distinct_from(enrolment.c.cohort),
            ),
        )
        .where(enrolment.c.enrolment_id.in_(ids))
    )
    for row in await tx.execute(query):
        found[row.enrolment_id].add(row.task_id)
    return found


def _study(
    row: Row[Any], extensions: dict[UUID, datetime], handed_in: Iterable[UUID]
) -> Study | None:
    is_known = row.time_zone is not None and (row.cohort_id is None or row.dates is not None)
    if not (row.is_active and is_known):
        return None
    return Study(
        learner_id=row.learner_id,
        began_at=row.began_at,
        zone=ZoneInfo(row.time_zone),
        cohort=None if row.cohort_id is None else _run(row),
        labels=tuple(row.labels),
        extra=timedelta(hours=row.extra_hours),
        extensions=extensions,
        handed_in=frozenset(handed_in),
    )


def _run(row: Row[Any]) -> CohortRun:
    return CohortRun(
        starts_on=row.starts_on,
        zone=ZoneInfo(row.run_zone),
        dates=tuple(CohortDates.model_validate(one) for one in row.dates),
    )
