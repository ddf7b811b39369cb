"""What follows from the events of siblings: replicas and notices, each in the event's transaction.

Events of identity about a person come in their order, so none comes after the last. What other siblings
report may come late, and says nothing to anybody when the account is gone.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts import events
from kourse.contracts.names import part_id
from kourse.kit.erasure import erase
from kourse.kit.inbox import Delivery
from kourse.notification.domain.kinds import Kind
from kourse.notification.domain.leaderboards import Run
from kourse.notification.repository import (
    boards,
    calendars,
    deliveries,
    former,
    notices,
    replicas,
    reviews,
)
from kourse.notification.repository.notices import Notice
from kourse.notification.service import broadcasting, digesting, scheduling
from kourse.notification.tables import ERASURE, metadata

_WARNINGS: dict[type[events.Event], Kind] = {
    events.PasswordReset: Kind.PASSWORD_RESET,
    events.PasswordChanged: Kind.PASSWORD_CHANGED,
    events.SessionCompromised: Kind.SESSION_COMPROMISED,
    events.FactorAdded: Kind.FACTOR_ADDED,
    events.FactorRemoved: Kind.FACTOR_REMOVED,
    events.TokenCreated: Kind.TOKEN_CREATED,
}


async def welcome(tx: AsyncSession, event: events.UserRegistered, delivery: Delivery) -> None:
    """The person is known here with their language, and is welcomed."""
    await replicas.put_recipient(tx, event.user_id, event.locale)
    await notices.tell(tx, event.user_id, Notice(Kind.WELCOME, {}, delivery.id))


async def send_code(
    tx: AsyncSession, event: events.VerificationRequested, delivery: Delivery
) -> None:
    """A code is on its way; it is asked for when the mail leaves."""
    params = {"delivery_id": str(event.delivery_id)}
    await notices.tell(tx, event.user_id, Notice(Kind.VERIFICATION, params, delivery.id))


async def release_held_mail(tx: AsyncSession, event: events.EmailVerified) -> None:
    """What waited for the address to be verified leaves now."""
    await deliveries.hasten(tx, event.user_id)


async def send_reset_link(
    tx: AsyncSession, event: events.ResetRequested, delivery: Delivery
) -> None:
    """A link is on its way; it is asked for when the mail leaves."""
    params = {"delivery_id": str(event.delivery_id)}
    await notices.tell(tx, event.user_id, Notice(Kind.RESET_LINK, params, delivery.id))


async def send_invitation(
    tx: AsyncSession, event: events.InvitationCreated, delivery: Delivery
) -> None:
    """A link is on its way to somebody who may have no account: it is told under the invitation's id."""
    params = {"delivery_id": str(event.delivery_id)}
    await notices.tell(tx, event.invitation_id, Notice(Kind.INVITATION, params, delivery.id))


async def tell_of_email(tx: AsyncSession, event: events.EmailChanged, delivery: Delivery) -> None:
    """The person learns of their new address at both addresses."""
    params = {"delivery_id": str(event.delivery_id)}
    await notices.tell(tx, event.user_id, Notice(Kind.EMAIL_CHANGED, {}, delivery.id))
    await notices.tell(tx, event.user_id, Notice(Kind.FORMER_EMAIL, params, delivery.id))


async def warn(
    tx: AsyncSession,
    event: events.PasswordReset
    | events.PasswordChanged
    | events.SessionCompromised
    | events.FactorAdded
    | events.FactorRemoved
    | events.TokenCreated,
    delivery: Delivery,
) -> None:
    """The holder of an account learns what happened to it, in case it was not them."""
    await notices.tell(tx, event.user_id, Notice(_WARNINGS[type(event)], {}, delivery.id))


async def change_settings(
    tx: AsyncSession, event: events.SettingsChanged, delivery: Delivery
) -> None:
    """The learner is written to in this language, and their days go by this time zone from now on."""
    if await former.is_former(tx, event.learner_id):
        return
    await replicas.put_recipient(tx, event.learner_id, event.locale)
    await calendars.add_change(tx, event.learner_id, event.time_zone, since_at=delivery.time)
    await digesting.follow_zone(tx, event.learner_id, ZoneInfo(event.time_zone))
    await reviews.ask(tx, [event.learner_id])


async def remember_cohort(tx: AsyncSession, event: events.CohortDeclared) -> None:
    """The cohort's title and its run are known."""
    run = Run(tuple(event.courses), event.starts_on, event.ends_on, event.time_zone)
    await replicas.put_cohort(
        tx, cohort_id=event.cohort_id, name=event.cohort, title=event.title, run=run
    )


async def tell_of_cohort(tx: AsyncSession, event: events.GroupJoined, delivery: Delivery) -> None:
    """The learner sees that they joined."""
    if await former.is_former(tx, event.learner_id):
        return
    await boards.add_member(tx, event.cohort_id, event.learner_id)
    params = {"cohort_id": str(event.cohort_id), "cohort": event.cohort}
    await notices.tell(tx, event.learner_id, Notice(Kind.COHORT_JOINED, params, delivery.id))


async def leave_cohort(tx: AsyncSession, event: events.GroupLeft) -> None:
    """The cohort's board is the learner's no more; they choose again should they come back."""
    await boards.remove_member(tx, event.cohort_id, event.learner_id)


async def announce(tx: AsyncSession, event: events.AnnouncementPosted, delivery: Delivery) -> None:
    """The cohort's members see that there is something to read."""
    params = {
        "cohort_id": str(event.cohort_id),
        "cohort": event.cohort,
        "announcement_id": str(event.announcement_id),
    }
    notice = Notice(Kind.ANNOUNCEMENT, params, delivery.id)
    await notices.tell_members(tx, event.cohort_id, event.author_id, notice)


async def tell_of_message(tx: AsyncSession, event: events.MessageSent, delivery: Delivery) -> None:
    """The learner sees that a teacher wrote to them."""
    if await former.is_former(tx, event.learner_id):
        return
    params = {"message_id": str(event.message_id)}
    await notices.tell(tx, event.learner_id, Notice(Kind.MESSAGE, params, delivery.id))


async def publish_course(
    tx: AsyncSession, event: events.ContentPublished, delivery: Delivery
) -> None:
    """The course's title is known, and everybody enrolled learns of the new version."""
    await replicas.put_course(
        tx,
        course_id=event.course_id,
        name=event.course,
        title=event.title,
        version=event.version,
        time_zone=event.time_zone,
    )
    params = _course(event.course_id, event.course) | {
        "version": event.version,
        "lessons": len(event.lessons),
    }
    notice = Notice(Kind.COURSE_PUBLISHED, params, delivery.id)
    await broadcasting.tell_enrolled(tx, event.course_id, notice)


async def tell_of_assignment(
    tx: AsyncSession, event: events.AssignmentCreated, delivery: Delivery
) -> None:
    """Everybody enrolled learns of the new assignment."""
    params = _course(event.course_id, event.course) | {
        "assignment": event.assignment,
        "title": event.title,
        "points": event.points,
        "due_at": event.due_at.isoformat() if event.due_at else None,
    }
    notice = Notice(Kind.ASSIGNMENT_CREATED, params, delivery.id)
    await broadcasting.tell_enrolled(tx, event.course_id, notice)


async def enrol(tx: AsyncSession, event: events.EnrolmentCreated, delivery: Delivery) -> None:
    """The learner gets what goes to everybody in the course, and sees that they are in."""
    if await former.is_former(tx, event.learner_id):
        return
    await scheduling.take_enrolment(tx, event, delivery)
    params = _course(event.course_id, event.course)
    await notices.tell(tx, event.learner_id, Notice(Kind.ENROLLED, params, delivery.id))


async def schedule_exam(tx: AsyncSession, event: events.ExamScheduled, delivery: Delivery) -> None:
    """Everybody enrolled sees a new exam; later versions are the exam's own affair."""
    if event.version > 1:
        return
    params = _course(event.course_id, event.course) | {
        "exam": event.exam,
        "title": event.title,
        "opens_at": event.opens_at.isoformat() if event.opens_at else None,
        "closes_at": event.closes_at.isoformat() if event.closes_at else None,
    }
    notice = Notice(Kind.EXAM_SCHEDULED, params, delivery.id)
    await broadcasting.tell_enrolled(tx, event.course_id, notice)


async def tell_of_feedback(
    tx: AsyncSession, event: events.FeedbackReleased, delivery: Delivery
) -> None:
    """The learner is told what their work is worth, and that something was said about it."""
    if await former.is_former(tx, event.learner_id):
        return
    params = _course(event.course_id, event.course) | {
        "assignment": event.assignment,
        "submission_id": str(event.submission_id),
        "title": event.title,
        "run": event.run,
        "points": event.points,
        "max_points": event.max_points,
        "percent": event.percent,
    }
    await notices.tell(tx, event.learner_id, Notice(Kind.FEEDBACK_RECEIVED, params, delivery.id))


async def tell_of_accommodation(
    tx: AsyncSession, event: events.AccommodationGranted, delivery: Delivery
) -> None:
    """The learner is told what they were granted; never why."""
    if await former.is_former(tx, event.learner_id):
        return
    params = _course(event.course_id, event.course) | {
        "exam": event.exam,
        "title": event.title or None,
        "longer_by": event.longer_by,
        "extra_attempts": event.extra_attempts,
        "extra_hours": event.extra_hours,
        "opens_at": event.opens_at.isoformat() if event.opens_at else None,
        "due_at": event.due_at.isoformat() if event.due_at else None,
        "closes_at": event.closes_at.isoformat() if event.closes_at else None,
    }
    await notices.tell(tx, event.learner_id, Notice(Kind.ACCOMMODATED, params, delivery.id))


async def encourage(tx: AsyncSession, event: events.RiskRaised, delivery: Delivery) -> None:
    """A learner who falls behind hears a kind word, once in a calendar week for each course; never why."""
    if await former.is_former(tx, event.learner_id):
        return
    year, week, _ = delivery.time.isocalendar()
    once = part_id(event.enrolment_id, f"encouragement/{year}-W{week:02}")
    notice = Notice(Kind.ENCOURAGEMENT, _course(event.course_id, event.course), once)
    await notices.tell(tx, event.learner_id, notice)


def _course(course_id: UUID, name: str) -> dict[str, Any]:
    return {"course_id": str(course_id), "course": name}


async def forget(tx: AsyncSession, event: events.UserDeleted) -> None:
    """What says something of the person is forgotten, and nothing is told to them any more."""
    await former.add_former(tx, event.user_id)
    await erase(tx, metadata, ERASURE, event.user_id)
