"""SQL of judging who is at risk."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.dashboard.tables import course, missed, standing, study, work

COURSES = 200
"""Courses of one round; the rest comes in the next."""


async def list_due(tx: AsyncSession) -> list[tuple[str, str]]:
    """Tenant and name of courses with somebody to look at now; for the worker role."""
    query = (
        select(study.c.tenant, study.c.course)
        .where(study.c.look_at <= func.clock_timestamp())
        .distinct()
        .limit(COURSES)
    )
    return [(row.tenant, row.course) for row in await tx.execute(query)]


async def due_in(tx: AsyncSession, name: str, limit: int) -> Sequence[Any]:
    """Enrolments (``enrolment_id``, ``learner_id``) of a course to look at now, some of them."""
    query = (
        select(study.c.enrolment_id, study.c.learner_id)
        .where(study.c.course == name, study.c.look_at <= func.clock_timestamp())
        .order_by(study.c.look_at)
        .limit(limit)
    )
    rows: Sequence[Any] = (await tx.execute(query)).all()
    return rows


async def take(tx: AsyncSession, enrolment_ids: Collection[UUID]) -> Sequence[Row[Any]]:
    """These of them that nobody else has in hand, with what is known; nobody else's until the commit."""
    locked = (
        select(study.c.enrolment_id)
        .where(study.c.enrolment_id.in_(enrolment_ids))
        .order_by(study.c.enrolment_id)
        .with_for_update(skip_locked=True)
    )
    free = list(await tx.scalars(locked))
    # Read after the lock was had, so that whatever asked for this look is seen.
    lost = (
        select(func.count())
        .where(missed.c.enrolment_id == study.c.enrolment_id)
        .correlate(study)
        .scalar_subquery()
    )
    known = and_(standing.c.course == study.c.course, standing.c.learner_id == study.c.learner_id)
    query = (
        select(
            study,
            func.greatest(standing.c.active_at, study.c.began_at).label("active_at"),
            standing.c.mastery,
            lost.label("missed"),
        )
        .outerjoin(standing, known)
        .where(study.c.enrolment_id.in_(free))
        .order_by(study.c.enrolment_id)
    )
    return (await tx.execute(query)).all()


async def scores_of(
    tx: AsyncSession, name: str, learners: Collection[UUID], most: int
) -> dict[UUID, list[float]]:
    """Percentages of the newest released scores of each learner in a course, oldest first."""
    place = func.row_number().over(
        partition_by=work.c.learner_id, order_by=[work.c.released_at.desc(), work.c.work_id]
    )
    newest = (
        select(work.c.learner_id, work.c.percent, place.label("place"))
        .where(
            work.c.course == name,
            work.c.learner_id.in_(learners),
            work.c.released_at.is_not(None),
            work.c.percent.is_not(None),
        )
        .subquery()
    )
    query = select(newest).where(newest.c.place <= most).order_by(newest.c.place.desc())
    found: dict[UUID, list[float]] = {}
    for row in await tx.execute(query):
        found.setdefault(row.learner_id, []).append(row.percent)
    return found


async def is_known(tx: AsyncSession, name: str) -> bool:
    """Whether the course was ever published here."""
    return await tx.scalar(select(course.c.course).where(course.c.course == name)) is not None


async def set_risks(
    tx: AsyncSession,
    enrolment_id: UUID,
    risks: Sequence[tuple[str, str]],
    *,
    at_risk_at: datetime | None,
    look_at: datetime | None,
) -> None:
    """The enrolment is judged so, and looked at again then; None: not before something changes."""
    await tx.execute(
        update(study)
        .where(study.c.enrolment_id == enrolment_id)
        .values(risks=[list(one) for one in risks], at_risk_at=at_risk_at, look_at=look_at)
    )


async def postpone(
    tx: AsyncSession, enrolment_ids: Collection[UUID], look_at: datetime | None
) -> None:
    """These are looked at then, and not before."""
    await tx.execute(
        update(study).where(study.c.enrolment_id.in_(enrolment_ids)).values(look_at=look_at)
    )
