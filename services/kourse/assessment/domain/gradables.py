"""Hand-ins that are graded: what graders see, what they decide, and what it comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from kourse.contracts.events import PublishedCriterion
from kourse.contracts.resources.course import FeedbackRelease
from kourse.contracts.resources.meta import LatePolicy
from kourse.rules import credit, rubric
from kourse.rules.rubric import Mark, MarkMismatch


@dataclass(frozen=True, slots=True)
class Assignment:
    """An assignment of a course's live version, as far as grading needs it.

    Attributes:
        points: Points for full marks.
        rubric: Criteria; none where graders give points as such.
        late_policy: What lateness takes.
        release: When learners see what was graded.
    """

    id: UUID
    course: str
    key: str
    title: str
    category: str
    points: int
    rubric: tuple[PublishedCriterion, ...]
    late_policy: LatePolicy
    release: FeedbackRelease


@dataclass(frozen=True, slots=True)
class Gradable:
    """What a learner or a group handed in.

    Attributes:
        number: The last hand-in, which counts.
        due_at: When it was due for them, or None.
        run: The newest grading run; 0 before the first.
        graded_number: The hand-in that this run graded.
        released_run: The run that its learners see; 0 while they see none.
    """

    submission_id: UUID
    course: str
    course_id: UUID
    assignment: str
    assignment_id: UUID
    cohort: str | None
    number: int
    submitted_at: datetime
    due_at: datetime | None
    run: int
    graded_number: int
    released_run: int

    @property
    def is_waiting(self) -> bool:
        """Whether the last hand-in is not graded yet."""
        return self.graded_number < self.number

    @property
    def is_withheld(self) -> bool:
        """Whether there is a grading that its learners do not see yet."""
        return self.released_run < self.run


@dataclass(frozen=True, slots=True)
class Criticism:
    """A mark of one criterion with what is said about it."""

    mark: Mark
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a grader decides.

    Attributes:
        marks: By criterion; empty without a rubric.
        points: Points as such where there is no rubric, else None.
        comment: On the whole, or None.
    """

    marks: Mapping[str, Criticism]
    points: Fraction | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decision comes to; exact.

    Attributes:
        earned: Points before anything is taken.
        deduction: Points that lateness takes.
    """

    earned: Fraction
    deduction: Fraction

    @property
    def points(self) -> Fraction:
        """Points that count."""
        return self.earned - self.deduction


@dataclass(frozen=True, slots=True)
class Run:
    """One grading of one hand-in; it never changes, a further one takes its place.

    Attributes:
        number: The hand-in that was graded.
        rubric: The criteria as they were, in wire form of the event.
        late_policy: The policy as it was.
        override: Points that a grader set instead, with ``reason``; None where there are none.
        points: Points that count.
    """

    submission_id: UUID
    run: int
    number: int
    grader_id: UUID
    decision: Decision
    rubric: list[Any]
    late_policy: dict[str, Any]
    outcome: Outcome
    override: Fraction | None
    reason: str | None
    points: Fraction
    max_points: int
    graded_at: datetime


def outcome_of(assignment: Assignment, gradable: Gradable, decision: Decision) -> Outcome:
    """What the decision comes to, lateness counted for the hand-in that counts.

    A rubric's points are scaled to the assignment's.

    Raises:
        MarkMismatch: It does not fit the rubric, or names points where there is one.
    """
    share = _share(assignment, decision)
    policy = assignment.late_policy
    periods = credit.periods_late(gradable.due_at, gradable.submitted_at, policy)
    lost = credit.deduction(share, periods, policy)
    return Outcome(share * assignment.points, lost * assignment.points)


def _share(assignment: Assignment, decision: Decision) -> Fraction:
    if assignment.rubric:
        if decision.points is not None:
            raise MarkMismatch("There is a rubric: mark its criteria instead of giving points.")
        marks = {key: one.mark for key, one in decision.marks.items()}
        return rubric.share(assignment.rubric, rubric.marked(assignment.rubric, marks))
    if decision.marks or decision.points is None:
        raise MarkMismatch("There is no rubric: give points.")
    if not 0 <= decision.points <= assignment.points:
        raise MarkMismatch(f"Points go from 0 to {assignment.points}.")
    return decision.points / assignment.points if assignment.points else Fraction(0)
