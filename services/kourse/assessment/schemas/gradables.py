"""What goes in and out where hand-ins are graded."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from kourse.assessment.domain.gradables import Criticism, Decision, Gradable, Run
from kourse.assessment.schemas.parts import Decimal, GivenPoints
from kourse.assessment.service.gradables import Seen, Sheet
from kourse.contracts.resources.meta import Name
from kourse.kit.http import Body, View
from kourse.rules import points
from kourse.rules.rubric import Mark

Comment = Annotated[
    str,
    StringConstraints(min_length=1, max_length=5000, pattern=r"^[^\x00]*$"),
    Field(description="Words for the learners.", examples=["Name the unit of every number."]),
]


class CriterionMark(Body):
    """What is decided for a criterion: a level, or points between its levels."""

    level: Name | None = Field(None, description="Key of the level chosen.", examples=["full"])
    points: GivenPoints | None = Field(
        None, description="Points instead, from 0 to the best level's.", examples=[None]
    )
    comment: Comment | None = None


class SeenVersion(Body):
    """What you looked at, so that nobody's work is passed over unseen."""

    number: int = Field(ge=1, description="The hand-in that you saw.", examples=[1])
    run: int = Field(ge=0, description="The newest grading that you saw; 0 for none.", examples=[0])

    def seen(self) -> Seen:
        """The same for the use cases."""
        return Seen(self.number, self.run)


class GradeOrder(SeenVersion):
    """How a hand-in is graded: every criterion of the rubric, or points where there is none."""

    marks: dict[Name, CriterionMark] = Field(
        default_factory=dict,
        max_length=20,
        description="By criterion, every one of the rubric.",
        examples=[{"displays": {"level": "full", "comment": "Well chosen."}}],
    )
    points: GivenPoints | None = Field(
        None, description="Points, where there is no rubric.", examples=[None]
    )
    comment: Comment | None = None

    def decision(self) -> Decision:
        """The same for the use cases."""
        marks = {
            key: Criticism(Mark(one.level, _exact(one.points)), one.comment)
            for key, one in self.marks.items()
        }
        return Decision(marks, _exact(self.points), self.comment)


class OverrideOrder(SeenVersion):
    """Points that count instead of what rubric and lateness come to."""

    points: GivenPoints
    reason: str = Field(
        min_length=3,
        max_length=500,
        pattern=r"^[^\x00]*$",
        description="Why; it is kept in the audit trail.",
        examples=["The store was away at the due time."],
    )


def _exact(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


class LevelView(View):
    """A level to choose."""

    key: str
    title: str
    points: int


class CriterionView(View):
    """What graders look at."""

    key: str
    title: str
    levels: list[LevelView]


class MarkView(View):
    """What was decided for a criterion."""

    level: str | None = Field(None, examples=["full"])
    points: Decimal | None = None
    comment: str | None = Field(None, examples=["Well chosen."])


class GradingView(View):
    """One grading: points, what lateness took, and what was said."""

    run: int = Field(description="Which grading it is, from 1.")
    number: int = Field(description="The hand-in that was graded.")
    rubric: list[CriterionView] = Field(description="The criteria as they were.")
    marks: dict[str, MarkView] = Field(
        description="By criterion.",
        examples=[{"displays": {"level": "full", "comment": "Well chosen."}}],
    )
    comment: str | None = Field(examples=["Name the unit of every number."])
    earned: Decimal = Field(description="Points before anything is taken.")
    deduction: Decimal = Field(description="Points that lateness takes.")
    override: Decimal | None = Field(description="Points set by hand instead, or null.")
    reason: str | None = Field(
        description="Why they were set.", examples=["The store was away at the due time."]
    )
    points: Decimal = Field(description="Points that count.")
    max_points: Decimal
    graded_at: datetime

    @classmethod
    def of(cls, run: Run) -> GradingView:
        """The view of a run."""
        return cls(
            run=run.run,
            number=run.number,
            rubric=[CriterionView.model_validate(entry) for entry in run.rubric],
            marks={
                key: MarkView(
                    level=one.mark.level, points=_text(one.mark.points), comment=one.comment
                )
                for key, one in run.decision.marks.items()
            },
            comment=run.decision.comment,
            earned=points.text(run.outcome.earned),
            deduction=points.text(run.outcome.deduction),
            override=_text(run.override),
            reason=run.reason,
            points=points.text(run.points),
            max_points=str(run.max_points),
            graded_at=run.graded_at,
        )


def _text(value: Fraction | None) -> str | None:
    return None if value is None else points.text(value)


class GradableView(View):
    """What was handed in, in a grader's list."""

    submission_id: UUID
    course: str
    assignment: str
    cohort: str | None
    number: int = Field(description="The last hand-in, which counts.")
    submitted_at: datetime
    due_at: datetime | None
    run: int = Field(description="The newest grading; 0 before the first.")
    waiting: bool = Field(description="Whether the last hand-in is not graded yet.")
    withheld: bool = Field(description="Whether there is a grading that learners do not see yet.")

    @classmethod
    def of(cls, one: Gradable) -> GradableView:
        """The view of a hand-in."""
        return cls(
            submission_id=one.submission_id,
            course=one.course,
            assignment=one.assignment,
            cohort=one.cohort,
            number=one.number,
            submitted_at=one.submitted_at,
            due_at=one.due_at,
            run=one.run,
            waiting=one.is_waiting,
            withheld=one.is_withheld,
        )


class SheetView(GradableView):
    """A grader's sheet: the rubric to fill in, and how it was graded so far."""

    title: str
    max_points: Decimal
    members: list[UUID] = Field(description="Learners who get the grade.")
    rubric: list[CriterionView]
    grading: GradingView | None = Field(description="The newest grading, or null.")

    @classmethod
    def shown(cls, sheet: Sheet) -> SheetView:
        """The view of a sheet."""
        return cls(
            **GradableView.of(sheet.gradable).model_dump(),
            title=sheet.assignment.title,
            max_points=str(sheet.assignment.points),
            members=list(sheet.members),
            rubric=[CriterionView.model_validate(one) for one in sheet.assignment.rubric],
            grading=None if sheet.run is None else GradingView.of(sheet.run),
        )


class FeedbackView(View):
    """How your hand-in was graded, as far as it is released."""

    submission_id: UUID
    course: str
    assignment: str
    number: int = Field(description="Your last hand-in.")
    grading: GradingView | None = Field(description="The grading, or null while there is none.")


class ReleaseGradings(Body):
    """Whose gradings learners see from now on."""

    cohort: Name | None = Field(None, description="Only of this cohort.")


class ReleasedGradings(View):
    """What was released."""

    released: int = Field(description="Hand-ins whose learners see their grading now.")
