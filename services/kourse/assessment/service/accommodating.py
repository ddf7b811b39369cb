"""Granting single learners more time, more attempts or a window of their own.

What is granted in a whole course reaches its assignments too, of which the course service is told.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.accommodations import Accommodation
from kourse.assessment.domain.facts import Exam
from kourse.assessment.repository import accommodations, content, replicas
from kourse.assessment.service.access import get_course
from kourse.contracts.errors import NotFound
from kourse.contracts.events import AccommodationChanged, AccommodationGranted
from kourse.contracts.permissions import Permission
from kourse.kit import outbox
from kourse.kit.audit.recording import record
from kourse.kit.auth import Actor


async def require_learner(tx: AsyncSession, actor: Actor, course: str, learner_id: UUID) -> None:
    """Returns when the learner studies the course and the actor may decide about their exams.

    Raises:
        NotFound: Otherwise.
    """
    enrolment = await replicas.find_enrolment(tx, learner_id, course)
    may = Permission.ATTEMPT_GRADE
    if enrolment is None or not actor.holds(may, course=course, cohort=enrolment.cohort):
        raise NotFound("There is no such learner for you.")


async def grant(tx: AsyncSession, actor: Actor, one: Accommodation) -> Accommodation:
    """The learner is granted this from now on; running attempts gain time soon after. It is audited.

    The learner is told, unless they have it already.

    Raises:
        NotFound: There is no such learner for the actor.
    """
    await require_learner(tx, actor, one.course, one.learner_id)
    before = await accommodations.list_of_learners(tx, one.course, [one.learner_id])
    await accommodations.save(tx, one, actor.user_id)
    if not any(one.gives_as(other) for other in before.get(one.learner_id, ())):
        await _announce(tx, actor, one)
    if one.exam_id is None:
        await _tell(tx, actor, one.course, one.learner_id, one.extra_hours or 0)
    await _reach(tx, one.course, one.exam_id)
    await _record(tx, actor, "accommodation.grant", one.learner_id, one.course, one.exam_id)
    return one


async def take_back(
    tx: AsyncSession, actor: Actor, course: str, learner_id: UUID, exam_id: UUID | None
) -> None:
    """The learner is granted nothing of that reach; what runs keeps the time it has. It is audited.

    Raises:
        NotFound: There is no such learner for the actor.
    """
    await require_learner(tx, actor, course, learner_id)
    if await accommodations.remove(tx, course, learner_id, exam_id):
        if exam_id is None:
            await _tell(tx, actor, course, learner_id, 0)
        await _record(tx, actor, "accommodation.take-back", learner_id, course, exam_id)


async def find(
    tx: AsyncSession, actor: Actor, course: str, learner_id: UUID, exam_id: UUID | None
) -> Accommodation:
    """What the learner is granted.

    Raises:
        NotFound: Nothing, or there is no such learner for the actor.
    """
    await require_learner(tx, actor, course, learner_id)
    given = await accommodations.list_of_learners(tx, course, [learner_id])
    for one in given.get(learner_id, ()):
        if one.exam_id == exam_id:
            return one
    raise NotFound("Nothing is granted to the learner there.")


async def list_granted(
    tx: AsyncSession, actor: Actor, exam: Exam, *, after: UUID | None, limit: int
) -> list[Accommodation]:
    """What single learners are granted in an exam, by learner.

    Raises:
        NotFound: The actor may not decide for everybody in the exam.
    """
    if not actor.holds(Permission.ATTEMPT_GRADE, course=exam.course):
        raise NotFound(f"There is no exam {exam.name!r} for you.")
    return await accommodations.list_of_reach(tx, exam.course, exam.id, after=after, limit=limit)


async def _tell(
    tx: AsyncSession, actor: Actor, course: str, learner_id: UUID, extra_hours: int
) -> None:
    known = await get_course(tx, course)
    told = AccommodationChanged(
        learner_id=learner_id,
        course_id=known.id,
        course=course,
        extra_hours=extra_hours,
        actor_id=actor.user_id,
    )
    await outbox.emit(tx, told)


async def _announce(tx: AsyncSession, actor: Actor, one: Accommodation) -> None:
    course = await get_course(tx, one.course)
    exam = None if one.exam_id is None else await content.get_exam(tx, one.exam_id)
    factor = one.time_factor
    granted = AccommodationGranted(
        learner_id=one.learner_id,
        course_id=course.id,
        course=one.course,
        exam=exam.name if exam else None,
        title=exam.title if exam else "",
        longer_by=float((factor - 1) * 100) if factor else None,
        extra_attempts=one.extra_attempts,
        opens_at=one.dates.opens_at,
        due_at=one.dates.due_at,
        closes_at=one.dates.closes_at,
        extra_hours=one.extra_hours,
        actor_id=actor.user_id,
    )
    await outbox.emit(tx, granted)


async def _reach(tx: AsyncSession, course: str, exam_id: UUID | None) -> None:
    if exam_id is None:
        await content.mark_course_for_reach(tx, course)
    else:
        await content.mark_for_reach(tx, exam_id)


async def _record(
    tx: AsyncSession, actor: Actor, act: str, learner_id: UUID, course: str, exam_id: UUID | None
) -> None:
    detail = {"course": course, "exam": None if exam_id is None else str(exam_id)}
    await record(tx, act, actor=actor.user_id, target=learner_id, detail=detail)
