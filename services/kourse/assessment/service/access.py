"""Who may see and take what: one place decides, so that what is shown is what is enforced."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.accommodations import Accommodation, granted
from kourse.assessment.domain.facts import Attempt, Course, Enrolment, Exam
from kourse.assessment.domain.terms import CohortRun, Terms, terms
from kourse.assessment.errors import NotEnrolled
from kourse.assessment.repository import accommodations, attempts, content, replicas
from kourse.contracts.errors import NotFound
from kourse.kit.clock import database_now


@dataclass(frozen=True, slots=True)
class Admission:
    """A learner before an exam that they may know of."""

    exam: Exam
    course: Course
    enrolment: Enrolment
    terms: Terms


async def get_membership(
    tx: AsyncSession, learner_id: UUID, course: str, *, lock: bool = False
) -> tuple[Course, Enrolment]:
    """The course and the learner's enrolment in it.

    Raises:
        NotEnrolled: One of them is not known here.
    """
    enrolment = await replicas.find_enrolment(tx, learner_id, course, lock=lock)
    known = await replicas.find_course(tx, course)
    if enrolment is None or known is None:
        raise NotEnrolled(course, f"You are not enrolled in a course {course!r}.")
    return known, enrolment


async def admit(
    tx: AsyncSession, learner_id: UUID, exam_name: str, *, lock: bool = False
) -> Admission:
    """The learner before the exam.

    With ``lock`` their enrolment is locked until the commit, so that starts come one by one.

    Raises:
        NotFound: There is no such exam, or the learner may not know of it yet.
        NotEnrolled: The learner is not enrolled in its course, as far as is known here.
    """
    missing = f"There is no exam {exam_name!r} for you."
    exam = await content.find_exam(tx, exam_name)
    if exam is None or exam.retired:
        raise NotFound(missing)
    try:
        course, enrolment = await get_membership(tx, learner_id, exam.course, lock=lock)
    except NotEnrolled as error:
        raise NotEnrolled(error.course, missing) from None
    given = await accommodations.list_of_learners(tx, exam.course, [learner_id])
    found = _terms(exam, course, enrolment, await _run(tx, enrolment), given)
    if not found.is_visible(await database_now(tx)):
        raise NotFound(missing)
    return Admission(exam, course, enrolment, found)


async def list_admissions(tx: AsyncSession, learner_id: UUID, course: str) -> list[Admission]:
    """The exams of a course that the learner may know of now.

    Raises:
        NotEnrolled: The learner is not enrolled in it, as far as is known here.
    """
    known, enrolment = await get_membership(tx, learner_id, course)
    run = await _run(tx, enrolment)
    given = await accommodations.list_of_learners(tx, course, [learner_id])
    now = await database_now(tx)
    found = [
        Admission(exam, known, enrolment, _terms(exam, known, enrolment, run, given))
        for exam in await content.list_exams(tx, course)
        if not exam.retired
    ]
    return [admission for admission in found if admission.terms.is_visible(now)]


async def terms_of_enrolments(
    tx: AsyncSession, exam: Exam, enrolment_ids: Collection[UUID]
) -> dict[UUID, Terms]:
    """The terms of these enrolments for an exam, as cohorts and labels are now."""
    if not enrolment_ids:
        return {}
    course = await get_course(tx, exam.course)
    enrolments = await replicas.get_enrolments(tx, enrolment_ids)
    cohorts = {one.cohort for one in enrolments if one.cohort is not None}
    runs = await replicas.list_cohorts(tx, cohorts)
    learners = {one.learner_id for one in enrolments}
    given = await accommodations.list_of_learners(tx, exam.course, learners)
    return {
        one.id: _terms(exam, course, one, runs.get(one.cohort or ""), given) for one in enrolments
    }


async def get_course(tx: AsyncSession, name: str) -> Course:
    """The course of something that is there already.

    Raises:
        LookupError: It is unknown, which the order of events rules out.
    """
    course = await replicas.find_course(tx, name)
    if course is None:
        raise LookupError(f"the course {name!r} is unknown")
    return course


async def get_own_attempt(tx: AsyncSession, learner_id: UUID, attempt_id: UUID) -> Attempt:
    """The learner's attempt.

    Raises:
        NotFound: There is none of theirs with this id.
    """
    attempt = await attempts.find_attempt(tx, attempt_id, learner_id=learner_id)
    if attempt is None:
        raise NotFound("There is no such attempt of yours.")
    return attempt


async def _run(tx: AsyncSession, enrolment: Enrolment) -> CohortRun | None:
    if enrolment.cohort is None:
        return None
    return await replicas.find_cohort(tx, enrolment.cohort)


def _terms(
    exam: Exam,
    course: Course,
    enrolment: Enrolment,
    run: CohortRun | None,
    given: Mapping[UUID, Sequence[Accommodation]],
) -> Terms:
    own = granted(exam.id, given.get(enrolment.learner_id, ()))
    return terms(exam.name, exam.policy, course.time_zone, run, enrolment.labels, own)
