"""Views for teachers."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from kourse.assessment.schemas.taking import AttemptSummary, ScoreView
from kourse.assessment.service.teaching import ItemFigures, Watched
from kourse.contracts.resources.meta import Name
from kourse.contracts.resources.pool import QuestionType
from kourse.kit.http import Body, Page, View
from kourse.rules.statistics import MIN_ATTEMPTS, Verdict, verdict


class WatchedView(AttemptSummary):
    """A learner's attempt as a teacher sees it, its score also while it is withheld."""

    learner_id: UUID
    cohort: str | None
    score: ScoreView | None

    @classmethod
    def seen(cls, one: Watched) -> WatchedView:
        """The view of an attempt."""
        return cls(
            **AttemptSummary.of(one.attempt).model_dump(),
            learner_id=one.attempt.learner_id,
            cohort=one.attempt.cohort,
            score=None if one.score is None else ScoreView.of(one.score),
        )


class ItemView(View):
    """A question of an exam in the first graded attempts."""

    pool: str
    question: str
    type: QuestionType
    difficulty: int
    attempts: int = Field(description="First attempts that had it.")
    facility: float | None = Field(
        description="Mean share of its points, 0 to 1; null below 30 attempts."
    )
    discrimination: float | None = Field(
        description=(
            "Correlation of its points with those of the rest of the exam, -1 to 1; null below 30 "
            "attempts and where all did alike."
        )
    )
    verdict: Verdict = Field(
        description="`too few` below 30 attempts; `misleading`: those who know less do better."
    )

    @classmethod
    def of(cls, one: ItemFigures) -> ItemView:
        """The view of a question's figures."""
        enough = one.attempts >= MIN_ATTEMPTS
        return cls(
            pool=one.pool,
            question=one.key,
            type=QuestionType(one.type),
            difficulty=one.difficulty,
            attempts=one.attempts,
            facility=one.facility if enough else None,
            discrimination=one.discrimination if enough else None,
            verdict=verdict(one.attempts, one.facility, one.discrimination),
        )


class StatisticsView(Page[ItemView]):
    """Figures of an exam's questions, by pool and key."""

    attempts: int = Field(description="Learners with a graded attempt; the first of each counts.")


class ReleaseOrder(Body):
    """What learners may see from now on."""

    scores: bool = Field(True, description="Scores that are graded and withheld.")
    answers: bool = Field(False, description="Answers and explanations of graded attempts.")
    cohort: Name | None = Field(None, description="Only of learners of this cohort.")


class ReleasedView(View):
    """What was released."""

    scores: int
    answers: int
