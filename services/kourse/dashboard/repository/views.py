"""SQL that reads what teachers and administrators look at."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, exists, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.dashboard.domain.wanted import Wanted
from kourse.dashboard.tables import course, standing, study


async def list_learners(tx: AsyncSession, wanted: Wanted) -> Sequence[Row[Any]]:
    """Active enrolments, by course and learner, with progress, mastery, last activity and risks."""
    query = select(
        study,
        standing.c.active_at,
        standing.c.mastery,
        func.coalesce(course.c.lessons, 0).label("lessons"),
    )
    rows: Sequence[Row[Any]] = (await tx.execute(_filtered(query, wanted))).all()
    return rows


async def list_mastery(tx: AsyncSession, wanted: Wanted) -> Sequence[Row[Any]]:
    """Active enrolments (``learner_id``, ``cohort``, ``course``) with ``skills`` by key."""
    query = select(study.c.learner_id, study.c.cohort, study.c.course, standing.c.skills)
    rows: Sequence[Row[Any]] = (await tx.execute(_filtered(query, wanted))).all()
    return rows


def _filtered(query: Select[Any], wanted: Wanted) -> Select[Any]:
    of_learner = and_(
        standing.c.course == study.c.course, standing.c.learner_id == study.c.learner_id
    )
    found = (
        query.select_from(study)
        .outerjoin(standing, of_learner)
        .outerjoin(course, course.c.course == study.c.course)
        .where(study.c.is_active)
        .order_by(study.c.course, study.c.learner_id)
        .limit(wanted.limit)
    )
    if wanted.course is not None:
        found = found.where(study.c.course == wanted.course)
    if wanted.cohorts is not None:
        found = found.where(study.c.cohort.in_(sorted(wanted.cohorts)))
    if wanted.at_risk:
        found = found.where(study.c.at_risk_at.is_not(None))
    if wanted.after is not None:
        found = found.where(tuple_(study.c.course, study.c.learner_id) > wanted.after)
    return found


async def find_course(tx: AsyncSession, name: str) -> Row[Any] | None:
    """The course as it was last published, or None."""
    return (await tx.execute(select(course).where(course.c.course == name))).one_or_none()


async def has_cohort(tx: AsyncSession, names: Collection[str]) -> bool:
    """Whether anybody ever studied a course with one of these cohorts."""
    query = select(exists().where(study.c.cohort.in_(sorted(names))))
    return bool((await tx.execute(query)).scalar_one())


_FIGURES = text(
    """
    SELECT s.course, grouping(s.course) AS is_total,
      count(*) AS learners,
      avg(CASE WHEN s.completed_at IS NULL THEN 0.0 ELSE 1.0 END) AS completion,
      avg(t.mastery) AS mastery,
      avg(CASE WHEN t.active_at >= now() - interval '7 days' THEN 1.0 ELSE 0.0 END) AS active,
      count(s.at_risk_at) AS at_risk
    FROM dashboard.study s
    LEFT JOIN dashboard.standing t ON t.course = s.course AND t.learner_id = s.learner_id
    WHERE s.is_active
    GROUP BY GROUPING SETS ((s.course), ())
    """
)
_FEEDBACK = text(
    """
    SELECT w.course, grouping(w.course) AS is_total,
      percentile_cont(0.5) WITHIN GROUP (
        ORDER BY greatest(extract(epoch FROM w.released_at - w.submitted_at), 0)) / 3600 AS hours
    FROM dashboard.work w
    WHERE w.released_at >= now() - interval '30 days' AND w.submitted_at IS NOT NULL
    GROUP BY GROUPING SETS ((w.course), ())
    """
)


async def figures(tx: AsyncSession) -> Sequence[Row[Any]]:
    """Key figures by course, and of all in the row with ``is_total``."""
    return (await tx.execute(_FIGURES)).all()


async def feedback_hours(tx: AsyncSession) -> dict[str | None, float]:
    """Median hours to feedback by course; of all under None."""
    rows = (await tx.execute(_FEEDBACK)).all()
    return {
        None if row.is_total else row.course: row.hours for row in rows if row.hours is not None
    }


async def titles(tx: AsyncSession) -> dict[str, str]:
    """Titles of the courses by name."""
    rows = (await tx.execute(select(course.c.course, course.c.title))).all()
    return {row.course: row.title for row in rows}
