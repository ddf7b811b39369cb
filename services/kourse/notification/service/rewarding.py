"""What a learner earns by the events of siblings, each in the event's transaction."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts import events
from kourse.kit.inbox import Delivery
from kourse.notification.domain import points
from kourse.notification.repository import former, ledger


async def reward_lesson(
    tx: AsyncSession, event: events.LessonCompleted, delivery: Delivery
) -> None:
    """The learner earns the lesson's points, and the course's with its last lesson."""
    if await former.is_former(tx, event.learner_id):
        return
    earned = points.earned_by_lesson(
        lesson_id=event.lesson_id,
        course_id=event.course_id,
        title=event.title,
        course=event.course,
        completed=event.completed,
        total=event.total,
    )
    await ledger.add_entries(
        tx, event.learner_id, earned, source_event=delivery.id, earned_at=delivery.time
    )


async def reward_score(tx: AsyncSession, event: events.ScoreReleased, delivery: Delivery) -> None:
    """The learner earns points when the released score is a pass."""
    if await former.is_former(tx, event.learner_id):
        return
    earned = points.earned_by_score(
        exam_id=event.exam_id, title=event.title, course=event.course, passed=event.passed
    )
    await ledger.add_entries(
        tx, event.learner_id, earned, source_event=delivery.id, earned_at=delivery.time
    )
