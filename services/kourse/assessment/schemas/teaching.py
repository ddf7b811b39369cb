"""Views for teachers."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from kourse.assessment.schemas.taking import AttemptSummary, ScoreView
from kourse.assessment.service.teaching import Watched
from kourse.contracts.resources.meta import Name
from kourse.kit.http import Body, View


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


class ReleaseOrder(Body):
    """What learners may see from now on."""

    scores: bool = Field(True, description="Scores that are graded and withheld.")
    answers: bool = Field(False, description="Answers and explanations of graded attempts.")
    cohort: Name | None = Field(None, description="Only of learners of this cohort.")


class ReleasedView(View):
    """What was released."""

    scores: int
    answers: int
