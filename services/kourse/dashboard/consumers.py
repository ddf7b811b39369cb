"""Which use case follows from which event; each runs in its inbox row's own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kourse.contracts import events
from kourse.dashboard.service import following
from kourse.kit.db import Transaction
from kourse.kit.inbox import Delivery, Handlers

Told = Sequence[tuple[Any, Delivery]]
handlers = Handlers("dashboard")

for type_, act in (
    (events.EnrolmentCreated, following.enrol),
    (events.LessonCompleted, following.complete_lessons),
    (events.MasteryChanged, following.move_mastery),
    (events.AttemptStarted, following.note_activity),
    (events.AttemptSubmitted, following.submit_attempts),
    (events.ScoreReleased, following.release_scores),
):
    handlers.on_many(type_)(act)

handlers.on(events.ContentPublished)(following.publish)
handlers.on(events.AttemptVoided)(following.void_attempt)
handlers.on(events.AssignmentSubmitted)(following.take_hand_in)
handlers.on(events.FeedbackReleased)(following.release_feedback)
handlers.on(events.AssignmentExpired)(following.miss)
handlers.on(events.AssignmentExtended)(following.extend)


@handlers.on_many(events.ExamGraded)
async def grade(tx: Transaction, told: Told) -> None:
    """What a learner sees of an attempt may have changed."""
    following.touch(tx, told)


@handlers.on(events.AssignmentCreated)
async def add_assignment(
    tx: Transaction, event: events.AssignmentCreated, _delivery: Delivery
) -> None:
    """Something more may be due in a course."""
    await following.reschedule(tx, event.course)


@handlers.on(events.AssignmentChanged)
async def change_assignment(
    tx: Transaction, event: events.AssignmentChanged, _delivery: Delivery
) -> None:
    """Something may be due at another time."""
    await following.reschedule(tx, event.course)


@handlers.on(events.EnrolmentSuspended)
async def suspend(tx: Transaction, event: events.EnrolmentSuspended, _delivery: Delivery) -> None:
    """A learner left the course."""
    await following.change_study(tx, event, is_active=False)


@handlers.on(events.EnrolmentResumed)
async def resume(tx: Transaction, event: events.EnrolmentResumed, _delivery: Delivery) -> None:
    """A learner came back."""
    await following.change_study(tx, event, is_active=True)


@handlers.on(events.EnrolmentCompleted)
async def complete(tx: Transaction, event: events.EnrolmentCompleted, delivery: Delivery) -> None:
    """A learner fulfilled what the course asks for."""
    await following.change_study(tx, event, completed_at=delivery.time)


@handlers.on(events.UserDeleted)
async def forget(tx: Transaction, event: events.UserDeleted, _delivery: Delivery) -> None:
    """What says something of the person is forgotten."""
    await following.forget(tx, event.user_id)
