"""What has dates, and for whom: tasks, enrolments, extensions and hand-ins, as siblings tell of them.

Each change marks the enrolments that it reaches, in its own transaction and without looking whether they are
marked already: a round that is at work on one has it locked, and the mark waits until that round is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.events import CohortDates, DeclaredDates, LabelDates
from kourse.notification.domain.reminders import Task, TaskType
from kourse.notification.tables import accommodation, cohort, enrolment, extension, hand_in, task

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""When an enrolment is looked at that something changed for: whatever the clock says."""


@dataclass(frozen=True)
class Enrolment:
    """A learner's run of a course, as its event tells of it."""

    id: UUID
    learner_id: UUID
    course_id: UUID
    cohort: str | None
    cohort_id: UUID | None
    labels: Sequence[str]
    began_at: datetime


async def put_task(tx: AsyncSession, changed: Task) -> None:
    """The task has these dates."""
    values = {
        "type": changed.type.value,
        "course_id": changed.course_id,
        "course": changed.course,
        "name": changed.name,
        "title": changed.title,
        "dates": changed.declared.model_dump(mode="json", exclude_none=True),
        "overrides": [one.model_dump(mode="json", exclude_none=True) for one in changed.overrides],
    }
    row = insert(task).values(tenant=tx.info["tenant"], task_id=changed.id, **values)
    await tx.execute(
        row.on_conflict_do_update(index_elements=[task.c.tenant, task.c.task_id], set_=values)
    )
    await look_again(tx, enrolment.c.course_id == changed.course_id)


async def remove_task(tx: AsyncSession, task_id: UUID, course_id: UUID) -> None:
    """There is nothing to be done for it any more."""
    await tx.execute(delete(task).where(task.c.task_id == task_id))
    await look_again(tx, enrolment.c.course_id == course_id)


async def add_enrolment(tx: AsyncSession, made: Enrolment) -> None:
    """The learner gets what goes to everybody in the course, and is reminded of its dates."""
    statement = insert(enrolment).values(
        tenant=tx.info["tenant"],
        enrolment_id=made.id,
        learner_id=made.learner_id,
        course_id=made.course_id,
        cohort=made.cohort,
        cohort_id=made.cohort_id,
        labels=list(made.labels),
        began_at=made.began_at,
        look_at=AT_ONCE,
    )
    await tx.execute(statement.on_conflict_do_nothing())


async def change_enrolment(tx: AsyncSession, enrolment_id: UUID, **changes: Any) -> None:
    """The enrolment has these other values: ``labels`` or ``is_active``."""
    await look_again(tx, enrolment.c.enrolment_id == enrolment_id, **changes)


async def extend(
    tx: AsyncSession, *, enrolment_id: UUID, learner_id: UUID, task_id: UUID, due_at: datetime
) -> None:
    """The task is due then for this enrolment alone."""
    row = insert(extension).values(
        tenant=tx.info["tenant"],
        enrolment_id=enrolment_id,
        learner_id=learner_id,
        task_id=task_id,
        due_at=due_at,
    )
    keys = [extension.c.tenant, extension.c.enrolment_id, extension.c.task_id]
    await tx.execute(row.on_conflict_do_update(index_elements=keys, set_={"due_at": due_at}))
    await look_again(tx, enrolment.c.enrolment_id == enrolment_id)


async def accommodate(
    tx: AsyncSession, learner_id: UUID, course_id: UUID, extra_hours: int
) -> None:
    """All assignments of the course are due so much later for the learner."""
    row = insert(accommodation).values(
        tenant=tx.info["tenant"],
        learner_id=learner_id,
        course_id=course_id,
        extra_hours=extra_hours,
    )
    keys = [accommodation.c.tenant, accommodation.c.learner_id, accommodation.c.course_id]
    values = {"extra_hours": extra_hours}
    await tx.execute(row.on_conflict_do_update(index_elements=keys, set_=values))
    of_learner = enrolment.c.learner_id == learner_id
    await look_again(tx, of_learner, enrolment.c.course_id == course_id)


async def add_hand_in(
    tx: AsyncSession, *, learner_id: UUID, task_id: UUID, work_id: UUID, of_cohort: str | None
) -> None:
    """The learner has handed the task in, with this submission or attempt."""
    row = insert(hand_in).values(
        tenant=tx.info["tenant"],
        learner_id=learner_id,
        task_id=task_id,
        work_id=work_id,
        cohort=of_cohort,
    )
    await tx.execute(row.on_conflict_do_nothing())
    await look_again(tx, enrolment.c.learner_id == learner_id)


async def remove_hand_in(tx: AsyncSession, learner_id: UUID, work_id: UUID) -> None:
    """That submission or attempt counts no more."""
    await tx.execute(
        delete(hand_in).where(hand_in.c.learner_id == learner_id, hand_in.c.work_id == work_id)
    )
    await look_again(tx, enrolment.c.learner_id == learner_id)


async def put_cohort_dates(tx: AsyncSession, cohort_id: UUID, dates: Sequence[CohortDates]) -> None:
    """The cohort, whose run is known, has these dates of its own."""
    stored = [one.model_dump(mode="json", exclude_none=True) for one in dates]
    await tx.execute(update(cohort).where(cohort.c.cohort_id == cohort_id).values(dates=stored))
    await look_again(tx, enrolment.c.cohort_id == cohort_id)


async def look_again(tx: AsyncSession, *which: ColumnElement[bool], **changes: Any) -> None:
    """These enrolments are looked at soon, locked one after another so that nobody waits in a circle."""
    locked = (
        select(enrolment.c.enrolment_id)
        .where(*which)
        .order_by(enrolment.c.enrolment_id)
        .with_for_update(key_share=True)
        .cte("locked")
    )
    await tx.execute(
        update(enrolment)
        .where(enrolment.c.enrolment_id == locked.c.enrolment_id)
        .values(look_at=AT_ONCE, **changes)
    )


def tasks_in(rows: Iterable[Row[Any]]) -> list[Task]:
    """The tasks in these rows."""
    return [
        Task(
            id=row.task_id,
            type=TaskType(row.type),
            course_id=row.course_id,
            course=row.course,
            name=row.name,
            title=row.title,
            declared=DeclaredDates.model_validate(row.dates),
            overrides=tuple(LabelDates.model_validate(one) for one in row.overrides),
        )
        for row in rows
    ]
