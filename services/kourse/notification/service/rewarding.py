"""What learners earn by the events of siblings, each in the event's transaction.

Whose account is gone earns nothing: the caller gives the events of the living.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts import events
from kourse.kit.inbox import Delivery
from kourse.notification.domain import points
from kourse.notification.domain.badges import Badge, Sheet, badge_id
from kourse.notification.repository import ledger, reviews, trophies

BY_LEARNER = "learner"
"""Cause of an attempt's end that is the learner's own doing."""
_Deed = events.LessonCompleted | events.AttemptSubmitted | events.ScoreReleased


async def reward_lessons(
    tx: AsyncSession, told: Sequence[tuple[events.LessonCompleted, Delivery]]
) -> None:
    """The learners earn their lessons' points, and their courses' with the last lesson."""
    earned = [
        points.earned_by_lesson(
            lesson_id=event.lesson_id,
            course_id=event.course_id,
            title=event.title,
            course=event.course,
            completed=event.completed,
            total=event.total,
        )
        for event, _ in told
    ]
    await _reward(tx, told, earned)


async def reward_attempts(
    tx: AsyncSession, told: Sequence[tuple[events.AttemptSubmitted, Delivery]]
) -> None:
    """The learners earn points for the exams that they handed in themselves."""
    earned = [
        points.earned_by_attempt(
            exam_id=event.exam_id,
            title=event.title or event.exam,
            course=event.course,
            by_learner=event.cause == BY_LEARNER,
        )
        for event, _ in told
    ]
    await _reward(tx, told, earned)


async def reward_scores(
    tx: AsyncSession, told: Sequence[tuple[events.ScoreReleased, Delivery]]
) -> None:
    """The learners earn points for released scores that are a pass."""
    earned = [
        points.earned_by_score(
            exam_id=event.exam_id, title=event.title, course=event.course, passed=event.passed
        )
        for event, _ in told
    ]
    await _reward(tx, told, earned)


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
    tx: AsyncSession,
    told: Sequence[tuple[_Deed, Delivery]],
    earned: Sequence[Sequence[points.Earned]],
) -> None:
    entries = [
        (event.learner_id, entry)
        for (event, delivery), some in zip(told, earned, strict=True)
        for entry in points.entries_of(some, source_event=delivery.id, earned_at=delivery.time)
    ]
    await reviews.ask(tx, await ledger.add_entries(tx, entries))
