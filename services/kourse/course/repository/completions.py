"""SQL of lessons that are begun and completed, and of courses that count as completed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Integer,
    Row,
    Text,
    Uuid,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
    table,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.events import LessonCompleted
from kourse.course import tables as t
from kourse.course.domain.study import LessonRef
from kourse.course.repository.content import tenant
from kourse.kit import outbox

_VISIT = text(
    "WITH visit AS ("
    "INSERT INTO course.lesson_visit (enrolment_id, lesson_id, tenant, chapter)"
    " VALUES (:enrolment, :lesson, :tenant, :chapter) ON CONFLICT DO NOTHING)"
    " UPDATE course.enrolment SET active_at = clock_timestamp() WHERE id = :enrolment"
)


async def record_visit(tx: AsyncSession, enrolment_id: UUID, lesson_id: UUID, chapter: str) -> None:
    """The learner has begun this lesson, and was active just now."""
    values = {"enrolment": enrolment_id, "lesson": lesson_id, "chapter": chapter}
    await tx.execute(_VISIT, {**values, "tenant": tenant(tx)})


def _completing() -> outbox.Change:
    """The lesson is visited and completed and the learner active, while the enrolment is as it was read."""
    e, mine = t.enrolment.c, table("mine", column("id", Uuid))
    done = (mine.c.id, bindparam("lesson", type_=Uuid), bindparam("tenant_name", type_=Text))
    version = bindparam("version", type_=Integer)
    at = bindparam("at", type_=DateTime(timezone=True))
    unchanged = cast(literal_column("enrolment.xmin"), Text) == bindparam("revision")
    return outbox.Change(
        upsert(t.lesson_completion)
        .from_select(
            ["enrolment_id", "lesson_id", "tenant", "version", "completed_at"],
            select(*done, version, at),
        )
        .on_conflict_do_nothing(),
        mine=update(t.enrolment)
        .where(e.id == bindparam("enrolment"), unchanged)
        .values(active_at=func.clock_timestamp())
        .returning(e.id),
        visit=upsert(t.lesson_visit)
        .from_select(
            ["enrolment_id", "lesson_id", "tenant", "chapter"],
            select(*done, bindparam("chapter", type_=Text)),
        )
        .on_conflict_do_nothing(),
    )


_COMPLETE = _completing()


async def add_completion(
    tx: AsyncSession, row: Row[Any], lesson: LessonRef, event: LessonCompleted
) -> bool:
    """The lesson is completed, visited too, and the event tells so, in one statement.

    Args:
        tx: The transaction.
        row: The enrolment and the course's version as ``ways.find`` read them.
        lesson: What is completed.
        event: The fact.

    Returns:
        False when nothing was written: the enrolment has changed since it was read, as it does with
        each completed lesson, or the lesson was completed before.
    """
    values = {
        "enrolment": row.enrolment_id,
        "revision": row.revision,
        "lesson": lesson.id,
        "tenant_name": tenant(tx),
        "chapter": lesson.chapter,
        "version": row.version,
        "at": row.now,
    }
    return await outbox.write(tx, _COMPLETE, values, event) is not None


async def set_completed(tx: AsyncSession, enrolment_id: UUID, *, completed: bool) -> None:
    """The course counts as completed in this run, or no longer does."""
    e = t.enrolment.c
    now = func.coalesce(e.completed_at, func.clock_timestamp()) if completed else None
    await tx.execute(update(t.enrolment).where(e.id == enrolment_id).values(completed_at=now))
