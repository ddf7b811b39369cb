"""What siblings tell of cohorts, exams and scores, kept where course needs it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.events import (
    AccommodationChanged,
    CohortDeclared,
    ExamScheduled,
    GroupJoined,
    GroupLeft,
    MasteryChanged,
    ScoreReleased,
    UserDeleted,
)
from kourse.course.repository import expiries, learning
from kourse.course.service import enrolments, progress
from kourse.course.tables import ERASURE, metadata
from kourse.kit.erasure import erase


async def keep_cohort(tx: AsyncSession, event: CohortDeclared) -> None:
    """The cohort is known; its members are enrolled in courses that it did not have before."""
    known = await learning.find_cohort(tx, event.cohort_id)
    await learning.save_cohort(
        tx,
        event.cohort_id,
        {
            "cohort": event.cohort,
            "title": event.title,
            "courses": event.courses,
            "starts_on": event.starts_on,
            "ends_on": event.ends_on,
            "time_zone": event.time_zone,
            "dates": [entry.model_dump(mode="json", exclude_none=True) for entry in event.dates],
            "submissions_mib": event.submissions_mib,
        },
    )
    await expiries.look_at_cohort(tx, event.cohort_id)
    added = set(event.courses) - set(known.courses if known else event.courses)
    if added:
        members = await learning.members_of(tx, event.cohort_id)
        await enrolments.enrol_with_cohort(tx, event.cohort_id, event.cohort, members, added)


async def enrol_member(tx: AsyncSession, event: GroupJoined) -> None:
    """The new member is enrolled in every course of the cohort."""
    await enrolments.enrol_with_cohort(
        tx, event.cohort_id, event.cohort, [event.learner_id], event.courses
    )


async def suspend_member(tx: AsyncSession, event: GroupLeft) -> None:
    """Whoever left the cohort studies its courses no further."""
    await enrolments.suspend_with_cohort(tx, event.cohort_id, event.learner_id)


async def keep_exam(tx: AsyncSession, event: ExamScheduled) -> None:
    """The exam is known by its title."""
    await learning.save_exam(
        tx,
        event.exam_id,
        {
            "exam": event.exam,
            "course": event.course,
            "title": event.title,
            "purpose": event.purpose,
            "opens_at": event.opens_at,
            "closes_at": event.closes_at,
        },
    )


async def keep_score(tx: AsyncSession, event: ScoreReleased) -> None:
    """The released score counts in gates and in the course's completion."""
    await learning.save_score(
        tx,
        event.attempt_id,
        {
            "learner_id": event.learner_id,
            "course": event.course,
            "exam": event.exam,
            "run": event.run,
            "percent": event.percent,
            "passed": event.passed,
        },
    )
    await progress.settle(tx, event.learner_id, event.course)


async def keep_mastery(tx: AsyncSession, event: MasteryChanged) -> None:
    """The learner's mastery opens lessons and gates from now on."""
    await learning.save_mastery(tx, event)


async def keep_accommodation(tx: AsyncSession, event: AccommodationChanged) -> None:
    """All assignments of the course are due and closed so much later for the learner."""
    await learning.save_accommodation(tx, event)
    await expiries.look_at_learner(tx, event.course_id, event.learner_id)


async def forget(tx: AsyncSession, event: UserDeleted) -> None:
    """What says something of the person is forgotten; results stay under the id."""
    await erase(tx, metadata, ERASURE, event.user_id)
