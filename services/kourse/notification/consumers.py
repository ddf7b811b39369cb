"""Which use case follows from which event; each runs in its inbox row's own transaction."""

from __future__ import annotations

from collections.abc import Sequence

from kourse.contracts import events
from kourse.kit.db import Transaction
from kourse.kit.inbox import Delivery, Handlers
from kourse.notification.service import living, results, rewarding, scheduling, telling

handlers = Handlers("notification")


@handlers.on(events.UserRegistered)
async def welcome(tx: Transaction, event: events.UserRegistered, delivery: Delivery) -> None:
    """A person is welcomed."""
    await telling.welcome(tx, event, delivery)


@handlers.on(events.VerificationRequested)
async def send_code(
    tx: Transaction, event: events.VerificationRequested, delivery: Delivery
) -> None:
    """A code is mailed."""
    await telling.send_code(tx, event, delivery)


@handlers.on(events.EmailVerified)
async def release_held_mail(
    tx: Transaction, event: events.EmailVerified, _delivery: Delivery
) -> None:
    """Mail that waited for the address leaves."""
    await telling.release_held_mail(tx, event)


@handlers.on(events.ResetRequested)
async def send_reset_link(
    tx: Transaction, event: events.ResetRequested, delivery: Delivery
) -> None:
    """A link is mailed."""
    await telling.send_reset_link(tx, event, delivery)


@handlers.on(events.EmailChanged)
async def tell_of_email(tx: Transaction, event: events.EmailChanged, delivery: Delivery) -> None:
    """Both addresses of the account are told."""
    await telling.tell_of_email(tx, event, delivery)


@handlers.on(events.PasswordReset)
async def warn_of_reset(tx: Transaction, event: events.PasswordReset, delivery: Delivery) -> None:
    """The holder of the account is warned."""
    await telling.warn(tx, event, delivery)


@handlers.on(events.PasswordChanged)
async def warn_of_password(
    tx: Transaction, event: events.PasswordChanged, delivery: Delivery
) -> None:
    """The holder of the account is warned."""
    await telling.warn(tx, event, delivery)


@handlers.on(events.SessionCompromised)
async def warn_of_theft(
    tx: Transaction, event: events.SessionCompromised, delivery: Delivery
) -> None:
    """The holder of the account is warned."""
    await telling.warn(tx, event, delivery)


@handlers.on(events.FactorAdded)
async def warn_of_factor(tx: Transaction, event: events.FactorAdded, delivery: Delivery) -> None:
    """The holder of the account is warned."""
    await telling.warn(tx, event, delivery)


@handlers.on(events.FactorRemoved)
async def warn_of_missing_factor(
    tx: Transaction, event: events.FactorRemoved, delivery: Delivery
) -> None:
    """The holder of the account is warned."""
    await telling.warn(tx, event, delivery)


@handlers.on(events.TokenCreated)
async def warn_of_token(tx: Transaction, event: events.TokenCreated, delivery: Delivery) -> None:
    """The holder of the account is warned."""
    await telling.warn(tx, event, delivery)


@handlers.on(events.InvitationCreated)
async def send_invitation(
    tx: Transaction, event: events.InvitationCreated, delivery: Delivery
) -> None:
    """A link is mailed."""
    await telling.send_invitation(tx, event, delivery)


@handlers.on(events.SettingsChanged)
async def change_settings(
    tx: Transaction, event: events.SettingsChanged, delivery: Delivery
) -> None:
    """A learner's language and time zone are known."""
    await telling.change_settings(tx, event, delivery)


@handlers.on(events.CohortDeclared)
async def remember_cohort(
    tx: Transaction, event: events.CohortDeclared, _delivery: Delivery
) -> None:
    """A cohort's title is kept, and the dates of its run."""
    await telling.remember_cohort(tx, event)
    await scheduling.take_cohort(tx, event)


@handlers.on(events.GroupJoined)
async def tell_of_cohort(tx: Transaction, event: events.GroupJoined, delivery: Delivery) -> None:
    """A learner sees that they joined."""
    await telling.tell_of_cohort(tx, event, delivery)


@handlers.on(events.GroupLeft)
async def leave_cohort(tx: Transaction, event: events.GroupLeft, _delivery: Delivery) -> None:
    """Whoever left stands on the cohort's board no more, and does not see it."""
    await telling.leave_cohort(tx, event)


@handlers.on(events.AnnouncementPosted)
async def tell_of_announcement(
    tx: Transaction, event: events.AnnouncementPosted, delivery: Delivery
) -> None:
    """A cohort learns that it was told something."""
    await telling.announce(tx, event, delivery)


@handlers.on(events.MessageSent)
async def tell_of_message(tx: Transaction, event: events.MessageSent, delivery: Delivery) -> None:
    """A learner learns that a teacher wrote to them."""
    await telling.tell_of_message(tx, event, delivery)


@handlers.on(events.ContentPublished)
async def publish_course(
    tx: Transaction, event: events.ContentPublished, delivery: Delivery
) -> None:
    """Those enrolled learn of a new version, and its badges can be won."""
    await telling.publish_course(tx, event, delivery)
    await rewarding.declare_badges(tx, event, delivery)


@handlers.on(events.AssignmentCreated)
async def tell_of_assignment(
    tx: Transaction, event: events.AssignmentCreated, delivery: Delivery
) -> None:
    """Those enrolled learn of an assignment, and will be reminded of it."""
    await scheduling.take_assignment(tx, event)
    await telling.tell_of_assignment(tx, event, delivery)


@handlers.on(events.AssignmentChanged)
async def change_assignment(
    tx: Transaction, event: events.AssignmentChanged, _delivery: Delivery
) -> None:
    """Reminders follow the dates of an assignment."""
    await scheduling.take_assignment(tx, event)


@handlers.on(events.AssignmentExtended)
async def extend_assignment(
    tx: Transaction, event: events.AssignmentExtended, _delivery: Delivery
) -> None:
    """Reminders follow a learner's own due date."""
    await scheduling.extend(tx, event)


@handlers.on(events.AccommodationChanged)
async def accommodate(
    tx: Transaction, event: events.AccommodationChanged, _delivery: Delivery
) -> None:
    """Reminders follow what a learner is granted."""
    await scheduling.accommodate(tx, event)


@handlers.on(events.AssignmentSubmitted)
async def take_submission(
    tx: Transaction, event: events.AssignmentSubmitted, _delivery: Delivery
) -> None:
    """Nobody is reminded of what they handed in."""
    await scheduling.take_submission(tx, event)


@handlers.on(events.EnrolmentCreated)
async def enrol(tx: Transaction, event: events.EnrolmentCreated, delivery: Delivery) -> None:
    """A learner belongs to a course's audience."""
    await telling.enrol(tx, event, delivery)


@handlers.on(events.EnrolmentChanged)
async def relabel(tx: Transaction, event: events.EnrolmentChanged, _delivery: Delivery) -> None:
    """Reminders follow the dates of a learner's labels."""
    await scheduling.relabel(tx, event)


@handlers.on(events.EnrolmentSuspended)
async def suspend(tx: Transaction, event: events.EnrolmentSuspended, _delivery: Delivery) -> None:
    """A course tells nothing to those who left it."""
    await scheduling.stop(tx, event)


@handlers.on(events.EnrolmentEnded)
async def end(tx: Transaction, event: events.EnrolmentEnded, _delivery: Delivery) -> None:
    """A course tells nothing to those whose run is over."""
    await scheduling.stop(tx, event)


@handlers.on(events.EnrolmentResumed)
async def resume(tx: Transaction, event: events.EnrolmentResumed, _delivery: Delivery) -> None:
    """A course speaks again to those who study on."""
    await scheduling.resume(tx, event)


@handlers.on_many(events.LessonCompleted)
async def reward_lessons(
    tx: Transaction, told: Sequence[tuple[events.LessonCompleted, Delivery]]
) -> None:
    """Completed lessons are told and earn points."""
    told = await living.of_the_living(tx, told)
    await results.tell_of_lessons(tx, told)
    await rewarding.reward_lessons(tx, told)


@handlers.on(events.ExamScheduled)
async def schedule_exam(tx: Transaction, event: events.ExamScheduled, delivery: Delivery) -> None:
    """Those enrolled see a new exam, and will be reminded of it."""
    await scheduling.take_exam(tx, event)
    await telling.schedule_exam(tx, event, delivery)


@handlers.on(events.ExamRetired)
async def drop_exam(tx: Transaction, event: events.ExamRetired, _delivery: Delivery) -> None:
    """Nobody is reminded of an exam that is offered no longer."""
    await scheduling.drop_exam(tx, event)


@handlers.on(events.AttemptVoided)
async def void_attempt(tx: Transaction, event: events.AttemptVoided, _delivery: Delivery) -> None:
    """Reminders of the exam go on."""
    await scheduling.void_attempt(tx, event)


@handlers.on_many(events.AttemptExtended)
async def tell_of_extensions(
    tx: Transaction, told: Sequence[tuple[events.AttemptExtended, Delivery]]
) -> None:
    """Learners see that they have more time."""
    await results.tell_of_extensions(tx, await living.of_the_living(tx, told))


@handlers.on(events.AccommodationGranted)
async def tell_of_accommodation(
    tx: Transaction, event: events.AccommodationGranted, delivery: Delivery
) -> None:
    """A learner sees what they were granted."""
    await telling.tell_of_accommodation(tx, event, delivery)


@handlers.on_many(events.AttemptSubmitted)
async def reward_attempts(
    tx: Transaction, told: Sequence[tuple[events.AttemptSubmitted, Delivery]]
) -> None:
    """Exams that were handed in earn points, and nobody is reminded of them."""
    told = await living.of_the_living(tx, told)
    await scheduling.take_attempts(tx, told)
    await rewarding.reward_attempts(tx, told)


@handlers.on_many(events.ScoreReleased)
async def reward_scores(
    tx: Transaction, told: Sequence[tuple[events.ScoreReleased, Delivery]]
) -> None:
    """Released scores are told, and a pass earns points; nothing is told before the release."""
    told = await living.of_the_living(tx, told)
    await results.tell_of_scores(tx, told)
    await rewarding.reward_scores(tx, told)


@handlers.on(events.FeedbackReleased)
async def tell_of_feedback(
    tx: Transaction, event: events.FeedbackReleased, delivery: Delivery
) -> None:
    """A learner sees what was said about their work, and what it is worth."""
    await telling.tell_of_feedback(tx, event, delivery)


@handlers.on(events.RiskRaised)
async def encourage(tx: Transaction, event: events.RiskRaised, delivery: Delivery) -> None:
    """A learner who falls behind hears a kind word."""
    await telling.encourage(tx, event, delivery)


@handlers.on(events.UserDeleted)
async def forget(tx: Transaction, event: events.UserDeleted, _delivery: Delivery) -> None:
    """Nothing is told to the person any more, and what was told is forgotten."""
    await telling.forget(tx, event)
