"""What single learners are granted."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.accommodations import Accommodation
from kourse.assessment.tables import accommodation
from kourse.kit.ids import new_id
from kourse.rules.dates import Dates


async def save(tx: AsyncSession, one: Accommodation, actor_id: UUID) -> None:
    """The learner is granted this, and nothing else of the same reach."""
    values = {
        "time_factor": one.time_factor,
        "extra_attempts": one.extra_attempts,
        "opens_at": one.dates.opens_at,
        "due_at": one.dates.due_at,
        "closes_at": one.dates.closes_at,
        "extra_hours": one.extra_hours,
        "reason": one.reason,
        "actor_id": actor_id,
    }
    key = {
        "tenant": tx.info["tenant"],
        "course": one.course,
        "learner_id": one.learner_id,
        "exam_id": one.exam_id,
    }
    await tx.execute(
        insert(accommodation)
        .values(id=new_id(), **key, **values)
        .on_conflict_do_update(
            index_elements=list(key), set_={**values, "updated_at": func.clock_timestamp()}
        )
    )


async def remove(tx: AsyncSession, course: str, learner_id: UUID, exam_id: UUID | None) -> bool:
    """The grant of this reach is taken back; whether there was one."""
    gone = await tx.execute(
        delete(accommodation)
        .where(
            accommodation.c.course == course,
            accommodation.c.learner_id == learner_id,
            accommodation.c.exam_id.is_not_distinct_from(exam_id),
        )
        .returning(accommodation.c.id)
    )
    return gone.one_or_none() is not None


async def list_of_learners(
    tx: AsyncSession, course: str, learner_ids: Collection[UUID]
) -> dict[UUID, list[Accommodation]]:
    """What these learners are granted in a course or in single exams of it."""
    found = await tx.execute(
        select(accommodation).where(
            accommodation.c.tenant == tx.info["tenant"],
            accommodation.c.course == course,
            accommodation.c.learner_id.in_(learner_ids),
        )
    )
    given: dict[UUID, list[Accommodation]] = {}
    for row in found:
        given.setdefault(row.learner_id, []).append(_accommodation(row))
    return given


async def list_of_reach(
    tx: AsyncSession,
    course: str,
    exam_id: UUID | None,
    *,
    after: UUID | None,
    limit: int,
) -> list[Accommodation]:
    """Grants for one exam, or for a whole course, by learner.

    Args:
        tx: The transaction.
        course: The course.
        exam_id: The exam; None for those that hold in all exams.
        after: Only learners after this one.
        limit: Most grants.
    """
    statement = (
        select(accommodation)
        .where(
            accommodation.c.tenant == tx.info["tenant"],
            accommodation.c.course == course,
            accommodation.c.exam_id.is_not_distinct_from(exam_id),
        )
        .order_by(accommodation.c.learner_id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(accommodation.c.learner_id > after)
    return [_accommodation(row) for row in await tx.execute(statement)]


def _accommodation(row: Row[Any]) -> Accommodation:
    return Accommodation(
        learner_id=row.learner_id,
        course=row.course,
        exam_id=row.exam_id,
        time_factor=row.time_factor,
        extra_attempts=row.extra_attempts,
        dates=Dates(row.opens_at, row.due_at, row.closes_at),
        reason=row.reason,
        extra_hours=row.extra_hours,
    )
