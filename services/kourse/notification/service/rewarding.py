"""What a learner earns by the events of siblings, each in the event's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts import events
from kourse.kit.inbox import Delivery
from kourse.notification.domain import points
from kourse.notification.domain.badges import Badge, Sheet, badge_id
from kourse.notification.repository import former, ledger, reviews, trophies

BY_LEARNER = "learner"
"""Cause of an attempt's end that is the learner's own doing."""


async def reward_lesson(
    tx: AsyncSession, event: events.LessonCompleted, delivery: Delivery
) -> None:
    """The learner earns the lesson's points, and the course's with its last lesson."""
    earned = points.earned_by_lesson(
        lesson_id=event.lesson_id,
        course_id=event.course_id,
        title=event.title,
        course=event.course,
        completed=event.completed,
        total=event.total,
    )
    await _reward(tx, event.learner_id, earned, delivery)


async def reward_attempt(
    tx: AsyncSession, event: events.AttemptSubmitted, delivery: Delivery
) -> None:
    """The learner earns points when they handed the exam in themselves."""
    earned = points.earned_by_attempt(
        exam_id=event.exam_id,
        title=event.title or event.exam,
        course=event.course,
        by_learner=event.cause == BY_LEARNER,
    )
    await _reward(tx, event.learner_id, earned, delivery)


async def reward_score(tx: AsyncSession, event: events.ScoreReleased, delivery: Delivery) -> None:
    """The learner earns points when the released score is a pass."""
    earned = points.earned_by_score(
        exam_id=event.exam_id, title=event.title, course=event.course, passed=event.passed
    )
    await _reward(tx, event.learner_id, earned, delivery)


async def declare_badges(
    tx: AsyncSession, event: events.ContentPublished, delivery: Delivery
) -> None:
    """The version's badges can be won from now on, by what was done before too."""
    sheet = Sheet(
        course=event.course,
        course_id=event.course_id,
        version=event.version,
        since=delivery.time,
        badges=tuple(
            Badge(
                id=badge_id(event.course_id, one.key),
                key=one.key,
                title=one.title,
                description=one.description,
                criterion=one.criterion,
                threshold=one.threshold,
            )
            for one in event.badges
        ),
    )
    if not await trophies.add_sheet(tx, sheet):
        return
    known = [one for one in await trophies.list_sheets(tx, [event.course]) if one != sheet]
    before = max(known, key=lambda one: one.version, default=None)
    if sheet.badges and (before is None or before.badges != sheet.badges):
        await reviews.ask_of_course(tx, event.course)


async def _reward(
    tx: AsyncSession, learner_id: UUID, earned: Sequence[points.Earned], delivery: Delivery
) -> None:
    if not earned or await former.is_former(tx, learner_id):
        return
    entries = points.entries_of(earned, source_event=delivery.id, earned_at=delivery.time)
    if await ledger.add_entries(tx, learner_id, entries):
        await reviews.ask(tx, learner_id)
