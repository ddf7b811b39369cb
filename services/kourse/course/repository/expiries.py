"""SQL of looking for assignments that closed, and of what was told of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, bindparam, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.course import tables as t
from kourse.course.repository.content import tenant

COURSES = 200
"""Courses of one round; the rest comes in the next."""


async def list_changed(tx: AsyncSession) -> list[tuple[str, UUID, datetime]]:
    """Courses that changed since their dates were looked at, of all tenants; for the worker role."""
    c, m = t.course.c, t.calendar_mark.c
    query = (
        select(c.tenant, c.id, c.updated_at)
        .outerjoin(t.calendar_mark, m.course_id == c.id)
        .where(m.seen_at.is_distinct_from(c.updated_at))
        .limit(COURSES)
    )
    return [(row.tenant, row.id, row.updated_at) for row in await tx.execute(query)]


async def mark_seen(tx: AsyncSession, course_id: UUID, changed_at: datetime) -> None:
    """Everybody enrolled is looked at anew, because the course changed at that time."""
    await _look_now(tx, t.enrolment.c.course_id == course_id)
    there = select(t.course.c.id, bindparam("tenant", tenant(tx)), bindparam("at", changed_at))
    made = upsert(t.calendar_mark).from_select(
        ["course_id", "tenant", "seen_at"], there.where(t.course.c.id == course_id)
    )
    await tx.execute(
        made.on_conflict_do_update(index_elements=["course_id"], set_={"seen_at": changed_at})
    )


async def list_due(tx: AsyncSession) -> list[tuple[str, UUID]]:
    """Tenant and id of courses with enrolments to be looked at now; for the worker role."""
    e = t.enrolment.c
    query = (
        select(e.tenant, e.course_id)
        .where(e.look_at <= func.clock_timestamp())
        .distinct()
        .limit(COURSES)
    )
    return [(row.tenant, row.course_id) for row in await tx.execute(query)]


async def take_due(tx: AsyncSession, course_id: UUID, limit: int) -> Sequence[Row[Any]]:
    """Enrolments to be looked at now, nobody else's until the commit; those in use are left out."""
    e = t.enrolment.c
    query = (
        select(t.enrolment)
        .where(e.course_id == course_id, e.look_at <= func.clock_timestamp())
        .order_by(e.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await tx.execute(query)).all()


async def name_of(tx: AsyncSession, course_id: UUID) -> str:
    """The course's name."""
    return str(await tx.scalar(select(t.course.c.name).where(t.course.c.id == course_id)))


async def set_looks(tx: AsyncSession, looks: Mapping[UUID, datetime | None]) -> None:
    """When each enrolment is looked at next; None: not before something changes."""
    by_time: dict[datetime | None, list[UUID]] = {}
    for id_, at in looks.items():
        by_time.setdefault(at, []).append(id_)
    for at, ids in by_time.items():
        await tx.execute(update(t.enrolment).where(t.enrolment.c.id.in_(ids)).values(look_at=at))


async def look_at_cohort(tx: AsyncSession, cohort_id: UUID) -> None:
    """Everybody of the cohort is looked at anew, because its dates changed."""
    await _look_now(tx, t.enrolment.c.cohort_id == cohort_id)


async def look_at_learner(tx: AsyncSession, course_id: UUID, learner_id: UUID) -> None:
    """The learner is looked at anew in the course, because what they are granted changed."""
    e = t.enrolment.c
    await _look_now(tx, (e.course_id == course_id) & (e.learner_id == learner_id))


async def _look_now(tx: AsyncSession, whose: ColumnElement[bool]) -> None:
    # Locked in order first, as by everybody who locks several, so nobody waits in a circle.
    e = t.enrolment.c
    locked = select(e.id).where(whose).order_by(e.id).with_for_update().cte("locked")
    now = func.clock_timestamp()
    await tx.execute(update(t.enrolment).where(e.id == locked.c.id).values(look_at=now))


async def list_told(tx: AsyncSession, enrolment_ids: Collection[UUID]) -> set[tuple[UUID, UUID]]:
    """Enrolment and assignment of what was told to have closed."""
    x = t.expiry.c
    query = select(x.enrolment_id, x.assignment_id).where(x.enrolment_id.in_(enrolment_ids))
    return {(row.enrolment_id, row.assignment_id) for row in await tx.execute(query)}


async def remember(tx: AsyncSession, closed: Collection[tuple[UUID, UUID, datetime]]) -> None:
    """It is told that these closed."""
    rows = [
        {
            "enrolment_id": enrolment_id,
            "assignment_id": assignment_id,
            "tenant": tenant(tx),
            "closes_at": at,
        }
        for enrolment_id, assignment_id, at in closed
    ]
    await tx.execute(upsert(t.expiry).values(rows))


async def forget(tx: AsyncSession, told: Collection[tuple[UUID, UUID]]) -> None:
    """These are open again, or were handed in after all."""
    if told:
        x = t.expiry.c
        pair = tuple_(x.enrolment_id, x.assignment_id)
        await tx.execute(delete(t.expiry).where(pair.in_(list(told))))
