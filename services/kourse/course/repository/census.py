"""SQL over all learners of a course at once: who studies it, how far each of them is, what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Row, Text, cast, column, func, select, true, union_all
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


async def mastery(tx: AsyncSession, course: str) -> dict[UUID, dict[str, float]]:
    """Probability of mastery by skill, for each learner of the course with answers."""
    m = t.mastery.c
    query = select(m.learner_id, m.skill, m.probability).where(
        m.tenant == tenant(tx), m.course == course
    )
    found: dict[UUID, dict[str, float]] = {}
    for learner_id, skill, probability in await tx.execute(query):
        found.setdefault(learner_id, {})[skill] = probability
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


async def next_dates(
    tx: AsyncSession, names: Sequence[str], after: datetime
) -> dict[str, datetime]:
    """The first moment after that one at which something begins, is due or ends for a course's learners.

    It is when an exam opens or closes, a cohort's run starts, or one of a cohort's own dates; courses
    without any are left out.
    """
    x, c = t.exam_replica.c, t.cohort_replica.c
    listed = func.unnest(c.courses).table_valued("course", name="listed").render_derived()
    instant = DateTime(timezone=True)
    own = (
        func.jsonb_to_recordset(c.dates)
        .table_valued(
            column("course", Text),
            *(column(name, instant) for name in ("opens_at", "due_at", "closes_at")),
            name="own",
        )
        .render_derived(with_types=True)
    )
    starts = func.timezone(c.time_zone, cast(c.starts_on, DateTime()))
    runs = select(listed.c.course, starts).select_from(t.cohort_replica.join(listed, true()))
    exams = (select(x.course, at).where(x.tenant == tenant(tx)) for at in (x.opens_at, x.closes_at))
    dates = (
        select(own.c.course, at).select_from(t.cohort_replica.join(own, true()))
        for at in (own.c.opens_at, own.c.due_at, own.c.closes_at)
    )
    here = [query.where(c.tenant == tenant(tx)) for query in (runs, *dates)]
    said = union_all(*exams, *here).subquery().alias("said")
    name, at = said.columns
    query = select(name, func.min(at)).where(name.in_(names), at > after).group_by(name)
    return {row[0]: row[1] for row in await tx.execute(query)}
