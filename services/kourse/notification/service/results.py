"""What learners are told of what they did, lessons completed and scores released, and of more time for it.

These events come by thousands, so each statement here is for all of them that have come together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts import events
from kourse.kit.inbox import Delivery
from kourse.notification.domain.kinds import Kind
from kourse.notification.repository import notices
from kourse.notification.repository.notices import Telling


async def tell_of_lessons(
    tx: AsyncSession, told: Sequence[tuple[events.LessonCompleted, Delivery]]
) -> None:
    """The learners are told of their lessons."""
    tellings = [
        Telling(
            event.learner_id,
            {
                "course_id": str(event.course_id),
                "course": event.course,
                "lesson": event.lesson,
                "title": event.title,
                "completed": event.completed,
                "total": event.total,
            },
            delivery.id,
        )
        for event, delivery in told
    ]
    await notices.tell_all(tx, Kind.LESSON_COMPLETED, tellings)


async def tell_of_scores(
    tx: AsyncSession, told: Sequence[tuple[events.ScoreReleased, Delivery]]
) -> None:
    """The learners are told of released scores, and of those that replace what they were told before."""
    first_runs = await notices.first_runs_told(
        tx,
        [event.learner_id for event, _ in told],
        [event.attempt_id for event, _ in told],
    )
    tellings: dict[Kind, list[Telling]] = defaultdict(list)
    for event, delivery in told:
        first = min(first_runs.get(event.attempt_id, event.run), event.run)
        first_runs[event.attempt_id] = first
        kind = Kind.EXAM_REGRADED if first < event.run else Kind.EXAM_GRADED
        tellings[kind].append(Telling(event.learner_id, _score(event), delivery.id))
    for kind, some in tellings.items():
        await notices.tell_all(tx, kind, some)


async def tell_of_extensions(
    tx: AsyncSession, told: Sequence[tuple[events.AttemptExtended, Delivery]]
) -> None:
    """The learners are told when their attempts end now, and which had run out and go on."""
    tellings = [
        Telling(
            event.learner_id,
            {
                "course_id": str(event.course_id),
                "course": event.course,
                "exam": event.exam,
                "attempt_id": str(event.attempt_id),
                "title": event.title or event.exam,
                "at": event.deadline_at.isoformat(),
                "reopened": event.reopened,
            },
            delivery.id,
        )
        for event, delivery in told
    ]
    await notices.tell_all(tx, Kind.EXAM_EXTENDED, tellings)


def _score(event: events.ScoreReleased) -> dict[str, Any]:
    return {
        "course_id": str(event.course_id),
        "course": event.course,
        "exam": event.exam,
        "attempt_id": str(event.attempt_id),
        "title": event.title,
        "run": event.run,
        "points": event.points,
        "max_points": event.max_points,
        "percent": event.percent,
        "passed": event.passed,
    }
