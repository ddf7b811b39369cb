"""What teachers see and decide of the attempts in their scope."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import Attempt, Exam, Score
from kourse.assessment.errors import NotManual
from kourse.assessment.repository import attempts, content, scores, statistics
from kourse.assessment.repository.statistics import ItemFigures
from kourse.contracts.errors import NotFound
from kourse.contracts.resources.exam import Release

__all__ = [
    "ItemFigures",
    "Statistics",
    "Watched",
    "get_exam",
    "item_statistics",
    "list_attempts",
    "release",
]


@dataclass(frozen=True, slots=True)
class Watched:
    """An attempt with its score, whether it is released or not; None while it is not graded."""

    attempt: Attempt
    score: Score | None


async def get_exam(tx: AsyncSession, name: str) -> Exam:
    """The exam of that name, retired ones included.

    Raises:
        NotFound: There is none.
    """
    exam = await content.find_exam(tx, name)
    if exam is None:
        raise NotFound(f"There is no exam {name!r}.")
    return exam


async def list_attempts(
    tx: AsyncSession,
    exam: Exam,
    *,
    cohorts: Collection[str] | None,
    after: UUID | None,
    limit: int,
) -> list[Watched]:
    """Attempts at an exam in the order of their start, of these cohorts or of everybody."""
    found = await attempts.list_exam_attempts(
        tx, exam.id, cohorts=cohorts, after=after, limit=limit
    )
    graded = await scores.list_attempt_scores(tx, [attempt.id for attempt in found])
    return [Watched(attempt, graded.get(attempt.id)) for attempt in found]


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the questions of an exam told of its learners.

    Attributes:
        attempts: Learners with a graded attempt; the first of each counts.
        items: Some of the questions, by pool and key.
    """

    attempts: int
    items: list[ItemFigures]


async def item_statistics(
    tx: AsyncSession,
    exam: Exam,
    *,
    cohorts: Collection[str] | None,
    after: tuple[str, str] | None,
    limit: int,
) -> Statistics:
    """Figures of an exam's questions, of the learners of these cohorts or of everybody."""
    return Statistics(
        await statistics.count_first(tx, exam.id, cohorts),
        await statistics.list_items(tx, exam.id, cohorts, after=after, limit=limit),
    )


async def release(
    tx: AsyncSession,
    exam: Exam,
    cohorts: Collection[str] | None,
    *,
    score_too: bool,
    answers_too: bool,
) -> tuple[int, int]:
    """Lets learners see what waits for a teacher's word; how many scores and how many answers.

    Scores appear within seconds, with everything that follows from them.

    Raises:
        NotManual: The exam's policy does not leave this to a teacher.
    """
    policy = exam.policy.release
    if score_too and policy.scores is not Release.MANUAL:
        raise NotManual(f"The exam releases scores by itself: {policy.scores.value}.")
    if answers_too and policy.answers is not Release.MANUAL:
        raise NotManual(f"The exam releases answers by itself: {policy.answers.value}.")
    return await scores.release_by_hand(
        tx, exam.id, cohorts, score_too=score_too, answers_too=answers_too
    )
