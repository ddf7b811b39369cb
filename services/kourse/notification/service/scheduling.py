"""What siblings tell of dates and of those whom they concern; reminders follow from it, elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts import events
from kourse.kit.inbox import Delivery
from kourse.notification.domain.reminders import Task, TaskType
from kourse.notification.repository import former, timetable
from kourse.notification.repository.timetable import Enrolment


async def take_assignment(
    tx: AsyncSession, event: events.AssignmentCreated | events.AssignmentChanged
) -> None:
    """The assignment has these dates; one that was withdrawn has none."""
    if isinstance(event, events.AssignmentChanged) and event.withdrawn:
        await timetable.remove_task(tx, event.assignment_id, event.course_id)
        return
    await timetable.put_task(
        tx,
        Task(
            id=event.assignment_id,
            type=TaskType.ASSIGNMENT,
            course_id=event.course_id,
            course=event.course,
            name=event.assignment,
            title=event.title,
            declared=event.dates,
            overrides=tuple(event.overrides),
        ),
    )


async def take_exam(tx: AsyncSession, event: events.ExamScheduled) -> None:
    """The exam has these dates."""
    await timetable.put_task(
        tx,
        Task(
            id=event.exam_id,
            type=TaskType.EXAM,
            course_id=event.course_id,
            course=event.course,
            name=event.exam,
            title=event.title,
            declared=event.dates,
            overrides=tuple(event.overrides),
        ),
    )


async def drop_exam(tx: AsyncSession, event: events.ExamRetired) -> None:
    """Nobody is reminded of the exam any more."""
    await timetable.remove_task(tx, event.exam_id, event.course_id)


async def take_cohort(tx: AsyncSession, event: events.CohortDeclared) -> None:
    """The dates of the cohort's members follow its run and its own dates."""
    await timetable.put_cohort_dates(tx, event.cohort_id, event.dates)


async def take_enrolment(
    tx: AsyncSession, event: events.EnrolmentCreated, delivery: Delivery
) -> None:
    """The learner is reminded of the course's dates, by the run that begins now."""
    await timetable.add_enrolment(
        tx,
        Enrolment(
            id=event.enrolment_id,
            learner_id=event.learner_id,
            course_id=event.course_id,
            cohort=event.cohort,
            cohort_id=event.cohort_id,
            labels=event.labels,
            began_at=delivery.time,
        ),
    )


async def relabel(tx: AsyncSession, event: events.EnrolmentChanged) -> None:
    """Other dates may hold for the learner."""
    await timetable.change_enrolment(tx, event.enrolment_id, labels=list(event.labels))


async def stop(tx: AsyncSession, event: events.EnrolmentSuspended | events.EnrolmentEnded) -> None:
    """Nothing of the course concerns the learner any more."""
    await timetable.change_enrolment(tx, event.enrolment_id, is_active=False)


async def resume(tx: AsyncSession, event: events.EnrolmentResumed) -> None:
    """The course concerns the learner again."""
    await timetable.change_enrolment(tx, event.enrolment_id, is_active=True)


async def extend(tx: AsyncSession, event: events.AssignmentExtended) -> None:
    """The learner has a due date of their own."""
    if await former.is_former(tx, event.learner_id):
        return
    await timetable.extend(
        tx,
        enrolment_id=event.enrolment_id,
        learner_id=event.learner_id,
        task_id=event.assignment_id,
        due_at=event.due_at,
    )


async def accommodate(tx: AsyncSession, event: events.AccommodationChanged) -> None:
    """All assignments of the course are due so much later for the learner."""
    if not await former.is_former(tx, event.learner_id):
        await timetable.accommodate(tx, event.learner_id, event.course_id, event.extra_hours)


async def take_submission(tx: AsyncSession, event: events.AssignmentSubmitted) -> None:
    """Nobody for whom it counts is reminded of the assignment any more."""
    for learner_id in sorted({event.learner_id, *event.members}):
        if not await former.is_former(tx, learner_id):
            await timetable.add_hand_in(
                tx,
                learner_id=learner_id,
                task_id=event.assignment_id,
                work_id=event.submission_id,
                of_cohort=event.cohort,
            )


async def take_attempts(
    tx: AsyncSession, told: Sequence[tuple[events.AttemptSubmitted, Delivery]]
) -> None:
    """The learners, whose accounts are there, are not reminded of the exams any more."""
    for event, _ in told:
        await timetable.add_hand_in(
            tx,
            learner_id=event.learner_id,
            task_id=event.exam_id,
            work_id=event.attempt_id,
            of_cohort=event.cohort,
        )


async def void_attempt(tx: AsyncSession, event: events.AttemptVoided) -> None:
    """The learner may have another attempt, and is reminded of the exam again."""
    await timetable.remove_hand_in(tx, event.learner_id, event.attempt_id)
