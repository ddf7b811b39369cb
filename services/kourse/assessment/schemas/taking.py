"""Views of exams, attempts and results."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from pydantic import Field

from kourse.assessment.domain.entry import used
from kourse.assessment.domain.exams import ExamContent, full_marks, question_count
from kourse.assessment.domain.facts import Attempt, AttemptState, Cause, Item, Score, Sitting
from kourse.assessment.domain.marking import Basis, Decision, Marking
from kourse.assessment.domain.presentation import returned, shown, solution
from kourse.assessment.schemas.parts import Answer, Decimal, MarkView, QuestionView, TrialView
from kourse.assessment.service.access import Admission
from kourse.assessment.service.results import Result
from kourse.contracts.resources.exam import Purpose
from kourse.kit.http import Body, View
from kourse.rules import points
from kourse.rules.code import Judged
from kourse.rules.mastery import is_right

MAX_SEQ = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly."""


class SaveAnswer(Body):
    """An answer to one question of a running attempt."""

    seq: int = Field(
        ge=1, le=MAX_SEQ, description="Number of this answer, higher than any before for the slot."
    )
    answer: Answer | None = Field(description="The answer, or null to clear it.")


class AttemptsView(View):
    """How many attempts there are for the learner."""

    maximum: int
    used: int
    left: int


class AttemptSummary(View):
    """Where an attempt stands."""

    id: UUID
    number: int
    state: AttemptState
    started_at: datetime
    deadline_at: datetime | None
    submitted_at: datetime | None
    cause: Cause | None = Field(description="Who ended it.")

    @classmethod
    def of(cls, attempt: Attempt) -> AttemptSummary:
        """The view of an attempt."""
        return cls.model_validate(attempt)


class ExamView(View):
    """An exam as it is for the learner: their window, their limit, their attempts."""

    name: str
    title: str
    course: str
    purpose: Purpose
    category: str | None
    instructions: str | None
    questions: int
    points: int
    pass_mark: int = Field(description="Percent of the points needed to pass.")
    opens_at: datetime | None
    due_at: datetime | None
    closes_at: datetime | None
    time_limit_minutes: int | None
    attempts: AttemptsView
    taken: list[AttemptSummary]
    server_now: datetime

    @classmethod
    def of(
        cls, admission: Admission, content: ExamContent, taken: list[Attempt], now: datetime
    ) -> ExamView:
        """The view of an exam to which a learner is admitted."""
        exam, terms = admission.exam, admission.terms
        return cls(
            name=exam.name,
            title=content.title,
            course=exam.course,
            purpose=content.purpose,
            category=exam.policy.category,
            instructions=content.instructions,
            questions=question_count(content),
            points=full_marks(content),
            pass_mark=content.pass_mark,
            opens_at=terms.opens_at,
            due_at=terms.due_at,
            closes_at=terms.closes_at,
            time_limit_minutes=None
            if terms.limit is None
            else int(terms.limit.total_seconds()) // 60,
            attempts=AttemptsView(
                maximum=terms.attempts,
                used=used(taken),
                left=0 if terms.is_closed(now) else max(0, terms.attempts - used(taken)),
            ),
            taken=[AttemptSummary.of(attempt) for attempt in taken],
            server_now=now,
        )


class ExamList(View):
    """The exams of a course that the learner may know of."""

    items: list[ExamView]


class ZoneView(View):
    """A part of an exam."""

    key: str
    title: str


class SlotView(QuestionView):
    """A question of a running attempt with the answer stored last."""

    slot: int
    zone: str
    points: int
    seq: int = Field(description="Number of the answer that is stored; 0 when there is none.")
    answer: Answer | None

    @classmethod
    def at(cls, item: Item) -> SlotView:
        """The view of an item."""
        question = QuestionView.of(shown(item.question, item.layout, hint=False))
        return cls(
            **question.model_dump(),
            slot=item.slot,
            zone=item.zone,
            points=item.points,
            seq=item.seq,
            answer=own_answer(item),
        )


class AttemptView(AttemptSummary):
    """An attempt; its questions are there while it runs, afterwards see its result."""

    exam: str
    title: str
    course: str
    instructions: str | None
    zones: list[ZoneView]
    questions: list[SlotView]
    server_now: datetime

    @classmethod
    def sat(cls, sitting: Sitting, now: datetime) -> AttemptView:
        """The view of an attempt for its learner."""
        attempt, content = sitting.attempt, sitting.content
        runs = attempt.state is AttemptState.IN_PROGRESS
        return cls(
            **AttemptSummary.of(attempt).model_dump(),
            exam=sitting.exam.name,
            title=content.title,
            course=attempt.course,
            instructions=content.instructions,
            zones=[ZoneView(key=zone.key, title=zone.title) for zone in content.zones],
            questions=[SlotView.at(item) for item in sitting.items] if runs else [],
            server_now=now,
        )


class SavedView(View):
    """An answer that is stored."""

    slot: int
    seq: int
    saved_at: datetime


class ScoreView(View):
    """A released score."""

    points: Decimal
    max_points: Decimal
    percent: Decimal
    passed: bool
    graded_at: datetime
    released_at: datetime | None

    @classmethod
    def of(cls, score: Score) -> ScoreView:
        """The view of a score."""
        return cls(
            points=points.text(score.points),
            max_points=str(score.max_points),
            percent=points.text(points.percent(score.points, Fraction(score.max_points))),
            passed=score.passed,
            graded_at=score.graded_at,
            released_at=score.released_at,
        )


class ReviewView(SlotView):
    """A question of an attempt whose answers are released."""

    earned: Decimal = Field(description="Points earned.")
    correct: bool = Field(description="At least 80 % of the points.")
    basis: Basis = Field(
        description=(
            "What the points rest on: the key, a person's marks by the rubric, points set by hand, or "
            "that the question was voided, for which everybody has full points."
        )
    )
    marks: dict[str, MarkView] = Field(
        description="By criterion of the rubric, where a person graded."
    )
    comment: str | None = Field(
        description="The grader's words.", examples=["Say which figure you rest this on."]
    )
    tests: list[TrialView] = Field(description="What a program came to, test by test.")
    solution: dict[str, Any]
    explanation: str

    @classmethod
    def graded(
        cls, item: Item, marking: Marking, decision: Decision | None, judged: Judged | None
    ) -> ReviewView:
        """The view of a graded item."""
        return cls(
            **SlotView.at(item).model_dump(),
            earned=points.text(marking.share * item.points),
            correct=is_right(marking.share),
            basis=marking.basis,
            marks=MarkView.of_all(decision.marks) if decision else {},
            comment=decision.comment if decision else None,
            tests=TrialView.of_all(item.question, judged),
            solution=solution(item.question, item.layout),
            explanation=item.question.explanation,
        )


class ResultView(AttemptSummary):
    """What is released of an attempt; null is what is not."""

    exam: str
    title: str
    course: str
    pass_mark: int
    score: ScoreView | None
    review: list[ReviewView] | None

    @classmethod
    def told(cls, result: Result) -> ResultView:
        """The view of a result for its learner."""
        sitting, score, marks = result.sitting, result.score, result.marks
        return cls(
            **AttemptSummary.of(sitting.attempt).model_dump(),
            exam=sitting.exam.name,
            title=sitting.content.title,
            course=sitting.attempt.course,
            pass_mark=sitting.content.pass_mark,
            score=None if score is None else ScoreView.of(score),
            review=None
            if marks is None
            else [
                ReviewView.graded(
                    item,
                    marks[item.slot],
                    result.decisions.get(item.slot),
                    result.judged.get(item.slot),
                )
                for item in sitting.items
            ],
        )


def own_answer(item: Item) -> dict[str, Any] | None:
    """The answer of an item by the ids that its learner saw, or None."""
    return None if item.answer is None else returned(item.question, item.layout, item.answer)
