"""What goes in and out where people judge answers of exams."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from kourse.assessment.domain.facts import AttemptState
from kourse.assessment.domain.marking import Basis, Decision
from kourse.assessment.domain.presentation import shown
from kourse.assessment.repository.decisions import Review
from kourse.assessment.schemas.parts import (
    Answer,
    Decimal,
    GivenPoints,
    MarkView,
    QuestionView,
    TrialView,
)
from kourse.assessment.schemas.taking import own_answer
from kourse.assessment.service.judging import UNJUDGEABLE
from kourse.assessment.service.reviewing import Sheet
from kourse.contracts.resources.meta import Name, RubricCriterion
from kourse.kit.http import Body, View
from kourse.rules import points
from kourse.rules.rubric import Mark

Words = Annotated[
    str,
    StringConstraints(min_length=1, max_length=5000, pattern=r"^[^\x00]*$"),
    Field(description="Words for the learner.", examples=["Say which figure you rest this on."]),
]
Reason = Annotated[
    str,
    StringConstraints(min_length=3, max_length=500, pattern=r"^[^\x00]*$"),
    Field(
        description="Why; it is kept in the audit trail.",
        examples=["The question names a table that was not shown."],
    ),
]
Seen = Annotated[
    int,
    Field(
        ge=0,
        description="How many decisions you saw, so that nobody's work is passed over unseen.",
        examples=[0],
    ),
]


class MarkOrder(Body):
    """What is decided for a criterion: a level, or points between its levels."""

    level: Name | None = Field(None, description="Key of the level chosen.", examples=["clear"])
    points: GivenPoints | None = Field(
        None, description="Points instead, from 0 to the best level's.", examples=[None]
    )


class ReviewOrder(Body):
    """How an answer is judged by its question's rubric."""

    seen: Seen
    marks: dict[Name, MarkOrder] = Field(
        max_length=10,
        description="By criterion, every one of the rubric.",
        examples=[{"argument": {"level": "clear"}}],
    )
    comment: Words | None = None

    def given(self) -> dict[str, Mark]:
        """The marks for the use cases."""
        return {
            key: Mark(one.level, None if one.points is None else Fraction(one.points))
            for key, one in self.marks.items()
        }


class PointsOrder(Body):
    """Points that count for a question instead of what key or rubric come to."""

    seen: Seen
    points: GivenPoints
    reason: Reason


class VoidOrder(Body):
    """Why an attempt counts no more."""

    reason: Reason


class QueuedView(View):
    """An answer that waits for a grader, or did."""

    attempt: UUID
    slot: int
    cohort: str | None
    requested_at: datetime
    claimed_by: UUID | None = Field(description="Who is grading it, or was when the claim ran out.")
    claimed_until: datetime | None
    decided_at: datetime | None

    @classmethod
    def of(cls, one: Review) -> QueuedView:
        """The view of a review."""
        return cls(
            attempt=one.attempt_id,
            slot=one.slot,
            cohort=one.cohort,
            requested_at=one.requested_at,
            claimed_by=one.claimed_by,
            claimed_until=one.claimed_until,
            decided_at=one.decided_at,
        )


class DecisionView(View):
    """What a person decided."""

    number: int = Field(description="From 1; the newest counts.")
    kind: Basis
    marks: dict[str, MarkView] = Field(description="By criterion.")
    points: Decimal
    comment: str | None = Field(examples=["Say which figure you rest this on."])
    reason: str | None = Field(examples=["The question names a table that was not shown."])
    grader_id: UUID
    decided_at: datetime

    @classmethod
    def of(cls, one: Decision, most: int) -> DecisionView:
        """The view of a decision about a slot with so many points."""
        return cls(
            number=one.number,
            kind=one.kind,
            marks=MarkView.of_all(one.marks),
            points=points.text(one.share * most),
            comment=one.comment,
            reason=one.reason,
            grader_id=one.grader_id,
            decided_at=one.decided_at,
        )


class AnswerSheet(QuestionView):
    """What a grader has before them: the question, the learner's answer, the rubric, what was decided."""

    attempt: UUID
    slot: int
    state: AttemptState
    learner_id: UUID
    cohort: str | None
    points: int = Field(description="Points for full marks.")
    answer: Answer | None
    rubric: list[RubricCriterion]
    tests: list[TrialView] = Field(
        description="What a program came to, test by test, hidden ones too."
    )
    problem: str | None = Field(
        description="Why a program could not be judged.", examples=[UNJUDGEABLE]
    )
    explanation: str
    waiting: bool = Field(description="Whether the attempt's grading waits for this answer.")
    claimed_by: UUID | None
    claimed_until: datetime | None
    seen: int = Field(description="To be sent with a decision.", examples=[0])
    decisions: list[DecisionView]
    basis: Basis | None = Field(description="What the newest grading rests on; null before it.")
    earned: Decimal | None = Field(description="Points in the newest grading; null before it.")

    @classmethod
    def laid(cls, sheet: Sheet) -> AnswerSheet:
        """The view of a sheet."""
        item, review, marking = sheet.item, sheet.review, sheet.marking
        key = sheet.key.question
        return cls(
            **QuestionView.of(shown(item.question, item.layout, hint=True)).model_dump(),
            attempt=sheet.sitting.attempt.id,
            slot=item.slot,
            state=sheet.sitting.attempt.state,
            learner_id=sheet.sitting.attempt.learner_id,
            cohort=sheet.sitting.attempt.cohort,
            points=item.points,
            answer=own_answer(item),
            rubric=key.rubric or [],
            tests=TrialView.of_all(key, sheet.key.judged, all_seen=True),
            problem=(sheet.key.judged.problem or None) if sheet.key.judged else None,
            explanation=key.explanation,
            waiting=review is not None and review.decided_at is None,
            claimed_by=review.claimed_by if review else None,
            claimed_until=review.claimed_until if review else None,
            seen=sheet.number,
            decisions=[DecisionView.of(one, item.points) for one in sheet.decided],
            basis=marking.basis if marking else None,
            earned=points.text(marking.share * item.points) if marking else None,
        )
