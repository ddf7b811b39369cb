"""SQL over all learners of a course at once: who studies it, and how far each of them is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.course import tables as t
from kourse.course.repository.content import tenant


async def list_active(tx: AsyncSession, course_id: UUID) -> Sequence[Row[Any]]:
    """The enrolment (``id``, ``learner_id``) by which each active learner studies the course."""
    e = t.enrolment.c
    query = (
        select(e.id, e.learner_id)
        .ext(distinct_on(e.learner_id))
        .where(e.course_id == course_id, e.status == "active")
        .order_by(e.learner_id, e.id.desc())
    )
    found: Any = await tx.execute(query)
    rows: Sequence[Row[Any]] = found.all()
    return rows


async def completions(tx: AsyncSession, course_id: UUID) -> dict[UUID, frozenset[UUID]]:
    """Ids of the lessons that were completed within each enrolment of the course."""
    e, c = t.enrolment.c, t.lesson_completion.c
    query = (
        select(c.enrolment_id, func.array_agg(c.lesson_id))
        .join(t.enrolment, e.id == c.enrolment_id)
        .where(e.course_id == course_id)
        .group_by(c.enrolment_id)
    )
    return {row[0]: frozenset(row[1]) for row in await tx.execute(query)}


async def begun(tx: AsyncSession, course_id: UUID) -> dict[UUID, frozenset[str]]:
    """Chapters that were begun within each enrolment of the course."""
    e, v = t.enrolment.c, t.lesson_visit.c
    query = (
        select(v.enrolment_id, func.array_agg(v.chapter.distinct()))
        .join(t.enrolment, e.id == v.enrolment_id)
        .where(e.course_id == course_id)
        .group_by(v.enrolment_id)
    )
    return {row[0]: frozenset(row[1]) for row in await tx.execute(query)}


async def best_scores(tx: AsyncSession, course: str) -> dict[UUID, dict[str, float]]:
    """The best released score in percent by exam, for each learner of the course."""
    s = t.score.c
    query = (
        select(s.learner_id, s.exam, func.max(s.percent))
        .where(s.tenant == tenant(tx), s.course == course)
        .group_by(s.learner_id, s.exam)
    )
    found: dict[UUID, dict[str, float]] = {}
    for learner_id, exam, percent in await tx.execute(query):
        found.setdefault(learner_id, {})[exam] = percent
    return found


async def list_cohort_enrolments(tx: AsyncSession, cohort: str) -> set[tuple[str, UUID]]:
    """Course and learner of each enrolment that a cohort brought along."""
    c, e = t.course.c, t.enrolment.c
    query = (
        select(c.name, e.learner_id)
        .join(t.enrolment, e.course_id == c.id)
        .where(c.tenant == tenant(tx), e.cohort == cohort)
    )
    return {(row.name, row.learner_id) for row in await tx.execute(query)}
