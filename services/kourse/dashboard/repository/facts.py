"""SQL that keeps what events tell. Every function takes many facts and writes them in a stable order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.dashboard.tables import course, missed, standing, study, work


@dataclass(frozen=True, order=True)
class Seen:
    """A learner did something in a course at that time."""

    course: str
    learner_id: UUID
    at: datetime


@dataclass(frozen=True)
class Enrolled:
    """A learner began a run of a course."""

    enrolment_id: UUID
    learner_id: UUID
    course_id: UUID
    course: str
    cohort: str | None
    began_at: datetime


@dataclass(frozen=True)
class Work:
    """What is known of an attempt or submission; None: not told yet."""

    work_id: UUID
    learner_id: UUID
    course: str
    submitted_at: datetime | None = None
    released_at: datetime | None = None
    percent: float | None = None


_MASTERY = text(
    """
    INSERT INTO dashboard.standing AS s (tenant, course, learner_id, active_at, skills, mastery)
    VALUES (:tenant, :course, :learner_id, :at, CAST(:skills AS jsonb),
      (SELECT avg(CAST(one.value ->> 0 AS double precision))
         FROM jsonb_each(CAST(:skills AS jsonb)) one WHERE CAST(one.value ->> 1 AS integer) > 0))
    ON CONFLICT (tenant, course, learner_id) DO UPDATE SET
      active_at = greatest(s.active_at, excluded.active_at),
      skills = s.skills || excluded.skills,
      mastery = (SELECT avg(CAST(one.value ->> 0 AS double precision))
         FROM jsonb_each(s.skills || excluded.skills) one
        WHERE CAST(one.value ->> 1 AS integer) > 0)
    """
)
"""Mean mastery counts the skills with an answer: of the others nothing is known of the learner."""


def _tenant(tx: AsyncSession) -> str:
    return str(tx.info["tenant"])


async def put_course(tx: AsyncSession, course_id: UUID, values: Mapping[str, Any]) -> None:
    """The course is as its newest version says."""
    row = insert(course).values(tenant=_tenant(tx), course_id=course_id, **values)
    keys = [course.c.tenant, course.c.course_id]
    newer = course.c.version <= row.excluded.version
    await tx.execute(row.on_conflict_do_update(index_elements=keys, set_=dict(values), where=newer))


async def add_studies(tx: AsyncSession, made: Collection[Enrolled]) -> None:
    """These learners study these courses, and are looked at soon."""
    rows = [{**asdict(one), "tenant": _tenant(tx), "look_at": one.began_at} for one in made]
    await tx.execute(insert(study).on_conflict_do_nothing(), rows)


async def change_study(tx: AsyncSession, enrolment_id: UUID, **changes: Any) -> None:
    """The enrolment has these other values, and is looked at soon."""
    await tx.execute(
        update(study)
        .where(study.c.enrolment_id == enrolment_id)
        .values(**changes, look_at=func.clock_timestamp())
    )


async def set_completed(tx: AsyncSession, lessons: Mapping[UUID, int]) -> None:
    """So many lessons are completed in each enrolment."""
    rows = [{"id": id_, "count": count} for id_, count in sorted(lessons.items())]
    await tx.execute(
        update(study)
        .where(study.c.enrolment_id == bindparam("id"))
        .values(completed=bindparam("count"))
        .execution_options(synchronize_session=None),
        rows,
    )


async def note_activity(tx: AsyncSession, seen: Iterable[Seen]) -> None:
    """These learners were last active then, unless it was later already."""
    row = insert(standing)
    later = func.greatest(standing.c.active_at, row.excluded.active_at)
    keys = [standing.c.tenant, standing.c.course, standing.c.learner_id]
    await tx.execute(
        row.on_conflict_do_update(index_elements=keys, set_={"active_at": later}),
        [
            {
                "tenant": _tenant(tx),
                "course": one.course,
                "learner_id": one.learner_id,
                "active_at": one.at,
            }
            for one in sorted(seen)
        ],
    )


async def put_mastery(tx: AsyncSession, rows: Iterable[tuple[Seen, str]]) -> None:
    """Skills, as JSON ``{key: [probability, answers, band]}``, moved; others stay as they are."""
    found = [
        {
            "tenant": _tenant(tx),
            "course": seen.course,
            "learner_id": seen.learner_id,
            "at": seen.at,
            "skills": skills,
        }
        for seen, skills in rows
    ]
    await tx.execute(_MASTERY, found)


async def put_work(tx: AsyncSession, works: Iterable[Work]) -> None:
    """What is told of each is kept; a first release stays the first, and a score becomes the newest."""
    row = insert(work)
    keys = [work.c.tenant, work.c.work_id, work.c.learner_id]
    kept = {
        "submitted_at": func.coalesce(row.excluded.submitted_at, work.c.submitted_at),
        "released_at": func.coalesce(work.c.released_at, row.excluded.released_at),
        "percent": func.coalesce(row.excluded.percent, work.c.percent),
    }
    await tx.execute(
        row.on_conflict_do_update(index_elements=keys, set_=kept),
        [{**asdict(one), "tenant": _tenant(tx)} for one in works],
    )


async def drop_work(tx: AsyncSession, work_id: UUID) -> None:
    """The attempt counts no more."""
    await tx.execute(delete(work).where(work.c.work_id == work_id))


async def add_missed(
    tx: AsyncSession, enrolment_id: UUID, assignment_id: UUID, learner_id: UUID
) -> None:
    """The assignment closed without a hand-in."""
    row = insert(missed).values(
        tenant=_tenant(tx),
        enrolment_id=enrolment_id,
        assignment_id=assignment_id,
        learner_id=learner_id,
    )
    await tx.execute(row.on_conflict_do_nothing())


async def drop_missed(
    tx: AsyncSession, enrolment_ids: Collection[UUID], assignment_id: UUID
) -> None:
    """The assignment is open again for them, or handed in."""
    await tx.execute(
        delete(missed).where(
            missed.c.enrolment_id.in_(enrolment_ids), missed.c.assignment_id == assignment_id
        )
    )


async def look_again(tx: AsyncSession, whose: Collection[tuple[str, UUID]]) -> set[str]:
    """The rules are applied soon to these pairs of course and learner; the cohorts of these."""
    return await _look(tx, tuple_(study.c.course, study.c.learner_id).in_(list(whose)))


async def look_at_course(tx: AsyncSession, name: str) -> None:
    """The rules are applied soon to everybody in the course."""
    await _look(tx, study.c.course == name)


async def _look(tx: AsyncSession, whose: Any) -> set[str]:
    # Locked in one order, as by everybody who locks several, so that nobody waits in a circle.
    locked = (
        select(study.c.enrolment_id)
        .where(whose, study.c.is_active)
        .order_by(study.c.enrolment_id)
        .with_for_update()
        .cte("locked")
    )
    found = await tx.scalars(
        update(study)
        .where(study.c.enrolment_id == locked.c.enrolment_id)
        .values(look_at=func.clock_timestamp())
        .returning(study.c.cohort)
    )
    return {cohort for cohort in found if cohort is not None}
