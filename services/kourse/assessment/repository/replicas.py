"""Local copies of siblings' facts: courses, cohorts' runs and enrolments."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Row, case, func, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import Course, Enrolment
from kourse.assessment.domain.terms import CohortRun
from kourse.assessment.tables import cohort_replica, course_replica, enrolment_replica
from kourse.contracts.events import (
    CohortDates,
    PublishedCategory,
    PublishedLesson,
    PublishedSkill,
)
from kourse.rules.mastery import Thresholds

NOBODY = UUID(int=0)
"""Comes before every learner."""


async def find_course(tx: AsyncSession, name: str) -> Course | None:
    """The live version of the course, or None while none is known here."""
    row = (
        await tx.execute(select(course_replica).where(course_replica.c.course == name))
    ).one_or_none()
    return None if row is None else _course(row)


async def list_courses(tx: AsyncSession, names: Collection[str]) -> list[Course]:
    """The courses of these names that are known here, by name."""
    found = await tx.execute(
        select(course_replica)
        .where(course_replica.c.course.in_(names))
        .order_by(course_replica.c.course)
    )
    return [_course(row) for row in found]


async def save_course(tx: AsyncSession, values: Mapping[str, Any]) -> None:
    """The course stands as given; where its skills or bands are others, mastery is to be folded again."""
    fresh = {**values, "updated_at": func.clock_timestamp()}
    statement = insert(course_replica).values(**fresh, refold_after=NOBODY)
    old, new = course_replica.c, statement.excluded
    same = (old.skills == new.skills) & (old.adaptivity == new.adaptivity)
    refold_after = case((same, old.refold_after), else_=new.refold_after)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant", "course"], set_={**fresh, "refold_after": refold_after}
        )
    )


async def find_refolding(tx: AsyncSession, course_id: UUID) -> tuple[Course, UUID] | None:
    """The course, if mastery of it is being folded again, and the last learner who was; locked.

    None when nobody is left.
    """
    found = await tx.execute(
        select(course_replica)
        .where(course_replica.c.course_id == course_id, course_replica.c.refold_after.is_not(None))
        .with_for_update()
    )
    row = found.one_or_none()
    return None if row is None else (_course(row), row.refold_after)


async def set_refolding(tx: AsyncSession, course: str, after: UUID | None) -> None:
    """Mastery of the course was folded again up to this learner, or everybody's was."""
    await tx.execute(
        update(course_replica).where(course_replica.c.course == course).values(refold_after=after)
    )


async def enrolled_among(
    tx: AsyncSession, learner_ids: Collection[UUID], course: str
) -> frozenset[UUID]:
    """Those of the learners who are enrolled in the course."""
    statement = select(enrolment_replica.c.learner_id).where(
        enrolment_replica.c.tenant == tx.info["tenant"],
        enrolment_replica.c.course == course,
        enrolment_replica.c.learner_id.in_(learner_ids),
    )
    return frozenset(await tx.scalars(statement))


async def find_cohort(tx: AsyncSession, name: str) -> CohortRun | None:
    """The run of a cohort, or None while it is not known here."""
    return (await list_cohorts(tx, [name])).get(name)


async def list_cohorts(tx: AsyncSession, names: Collection[str]) -> dict[str, CohortRun]:
    """The runs of these cohorts, as far as they are known here."""
    found = await tx.execute(select(cohort_replica).where(cohort_replica.c.cohort.in_(names)))
    return {
        row.cohort: CohortRun(
            row.starts_on,
            row.time_zone,
            tuple(CohortDates.model_validate(entry) for entry in row.dates),
        )
        for row in found
    }


async def save_cohort(tx: AsyncSession, values: Mapping[str, Any]) -> None:
    """The cohort stands as given."""
    fresh = {**values, "updated_at": func.clock_timestamp()}
    await tx.execute(
        insert(cohort_replica)
        .values(**fresh)
        .on_conflict_do_update(index_elements=["tenant", "cohort"], set_=fresh)
    )


async def save_enrolment(tx: AsyncSession, values: Mapping[str, Any]) -> None:
    """The enrolment stands as given."""
    await tx.execute(
        insert(enrolment_replica)
        .values(**values)
        .on_conflict_do_update(index_elements=["enrolment_id"], set_=dict(values))
    )


async def set_labels(tx: AsyncSession, enrolment_id: UUID, labels: Collection[str]) -> None:
    """The enrolment carries these labels."""
    known = enrolment_replica.c.enrolment_id == enrolment_id
    await tx.execute(update(enrolment_replica).where(known).values(labels=list(labels)))


async def find_enrolment(
    tx: AsyncSession, learner_id: UUID, course: str, *, lock: bool = False
) -> Enrolment | None:
    """The learner's newest enrolment in the course, or None.

    With ``lock`` it is locked until the commit, so that starts of one learner come one by one.
    """
    statement = (
        select(enrolment_replica)
        .where(enrolment_replica.c.learner_id == learner_id, enrolment_replica.c.course == course)
        .order_by(enrolment_replica.c.enrolment_id.desc())
        .limit(1)
    )
    row = (await tx.execute(statement.with_for_update() if lock else statement)).one_or_none()
    return None if row is None else _enrolment(row)


async def get_enrolments(tx: AsyncSession, ids: Collection[UUID]) -> list[Enrolment]:
    """The enrolments with these ids."""
    found = await tx.execute(
        select(enrolment_replica).where(enrolment_replica.c.enrolment_id.in_(ids))
    )
    return [_enrolment(row) for row in found]


async def list_enrolments(tx: AsyncSession, learner_id: UUID) -> list[Enrolment]:
    """All enrolments of a learner, by course, newest first within one."""
    found = await tx.execute(
        select(enrolment_replica)
        .where(enrolment_replica.c.learner_id == learner_id)
        .order_by(enrolment_replica.c.course, enrolment_replica.c.enrolment_id.desc())
    )
    return [_enrolment(row) for row in found]


async def list_course_enrolments(
    tx: AsyncSession,
    course: str,
    *,
    cohorts: Collection[str] | None,
    after: UUID | None = None,
    limit: int | None = None,
) -> list[Enrolment]:
    """The newest enrolment of each learner of a course, by learner.

    Args:
        tx: The transaction.
        course: The course.
        cohorts: Only learners of these cohorts; everybody when None.
        after: Only learners after this one.
        limit: Most learners; all when None.
    """
    of_course = enrolment_replica.c.course == course
    statement = (
        select(enrolment_replica)
        .ext(distinct_on(enrolment_replica.c.learner_id))
        .where(of_course)
        .order_by(enrolment_replica.c.learner_id, enrolment_replica.c.enrolment_id.desc())
        .limit(limit)
    )
    if cohorts is not None:
        statement = statement.where(enrolment_replica.c.cohort.in_(cohorts))
    if after is not None:
        statement = statement.where(enrolment_replica.c.learner_id > after)
    return [_enrolment(row) for row in await tx.execute(statement)]


def _course(row: Row[Any]) -> Course:
    skills = [PublishedSkill.model_validate(entry) for entry in row.skills]
    lessons = [PublishedLesson.model_validate(entry) for entry in row.lessons]
    return Course(
        name=row.course,
        id=row.course_id,
        title=row.title,
        version=row.version,
        time_zone=row.time_zone,
        skills={skill.key: skill for skill in skills},
        categories=tuple(PublishedCategory.model_validate(entry) for entry in row.categories),
        lessons={lesson.key: lesson for lesson in lessons},
        thresholds=Thresholds(**row.adaptivity),
    )


def _enrolment(row: Row[Any]) -> Enrolment:
    return Enrolment(row.enrolment_id, row.learner_id, row.course, row.cohort, tuple(row.labels))
