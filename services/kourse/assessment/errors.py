"""Refusals of assessment, each with a stable code."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kourse.contracts.errors import Conflict, DependencyNotReady, Invalid, NotFound, Rejected

RETRY_AFTER_S = 2.0
"""Seconds after which a fact of a sibling service has usually arrived."""


class InvalidPool(Rejected):
    """A question pool contradicts itself; the detail names the field."""

    code = "invalid-pool"
    title = "The question pool cannot be used as it is."


class InvalidExam(Rejected):
    """An exam contradicts itself; the detail names the field."""

    code = "invalid-exam"
    title = "The exam cannot be used as it is."


class UnknownCourse(DependencyNotReady):
    """The course that a pool or an exam belongs to has no live version yet."""

    code = "unknown-course"
    title = "The course is not live yet."


class UnknownSkill(DependencyNotReady):
    """The live version of the course has no such skill."""

    code = "unknown-skill"
    title = "The course has no such skill."


class UnknownCategory(DependencyNotReady):
    """The live version of the course has no such grade category."""

    code = "unknown-category"
    title = "The course has no such grade category."


class UnknownPool(DependencyNotReady):
    """A pool that an exam draws from is not there yet."""

    code = "unknown-pool"
    title = "A question pool is not there yet."


class TooFewQuestions(DependencyNotReady):
    """The pools do not hold enough distinct questions for the exam's draws."""

    code = "too-few-questions"
    title = "The pools do not hold enough questions for the exam."


class NotEnrolled(NotFound):
    """No enrolment in the course is known here; it may still be on its way.

    Shown as the same 404 as a thing that does not exist.
    """

    def __init__(self, course: str, detail: str) -> None:
        super().__init__(detail)
        self.course = course


class PracticeLocked(Conflict):
    """The lesson is not open to the learner, and so its practice is not; ``missing`` says what opens it."""

    code = "practice-locked"
    title = "The practice of this lesson is not open to you yet."


class ExamClosed(Conflict):
    """The exam is over for this learner."""

    code = "exam-closed"
    title = "The exam is closed."

    def __init__(self, closes_at: datetime | None) -> None:
        when = f" at {closes_at.isoformat()}" if closes_at else ""
        super().__init__(f"The exam closed{when}; no attempt can be started any more.")


class AttemptsUsedUp(Conflict):
    """The learner has no attempt left."""

    code = "attempts-used-up"
    title = "There is no attempt left."


class ExamIncomplete(Conflict):
    """The pools were changed so that no attempt can be drawn any more."""

    code = "exam-incomplete"
    title = "The exam cannot be started because questions are missing."


class AttemptClosed(Conflict):
    """The attempt takes no more answers."""

    code = "attempt-closed"
    title = "The attempt is closed."


class StaleAnswer(Conflict):
    """A newer answer is stored; ``seq`` and ``answer`` of it are in the problem."""

    code = "stale-answer"
    title = "A newer answer was saved, perhaps in another tab."

    def __init__(self, seq: int, answer: dict[str, Any] | None) -> None:
        super().__init__(
            f"Answer {seq} is stored already; go on from it, with a higher 'seq'.",
            extensions={"seq": seq, "answer": answer},
        )


class InvalidAnswer(Invalid):
    """The answer does not fit the question."""

    code = "invalid-answer"
    title = "The answer does not fit the question."


class NotManual(Conflict):
    """The exam's release policy does not leave this to a teacher."""

    code = "not-manual"
    title = "This is not released by hand."


class AssignmentUnknown(DependencyNotReady):
    """The assignment that something was handed in for is not known here yet."""

    code = "assignment-unknown"
    title = "The assignment is not known here yet."


class GradeStale(Conflict):
    """Somebody handed in or graded since the grader looked; ``number`` and ``run`` say where it stands."""

    code = "grade-stale"
    title = "It has changed since you looked at it."


class GradeMismatch(Rejected):
    """A grade does not fit the rubric or the points of the assignment."""

    code = "grade-mismatch"
    title = "The grade does not fit the assignment."


class NotGraded(Conflict):
    """The last hand-in is not graded yet."""

    code = "not-graded"
    title = "This is not graded yet."


class AnswerFileRefused(Rejected):
    """The question takes no such file: its ending, its size or the number of files."""

    code = "answer-file-refused"
    title = "The question takes no such file."


class AnswerFileNamed(Conflict):
    """A file is withdrawn that the stored answer names."""

    code = "answer-file-named"
    title = "The answer names this file."


class ReviewTaken(Conflict):
    """Somebody else has claimed or decided what a grader wants to claim."""

    code = "review-taken"
    title = "Somebody else is grading this answer."


class ReviewNotClaimed(Conflict):
    """A grader decides of an answer that they have not claimed, or no longer."""

    code = "review-not-claimed"
    title = "Claim the answer before you grade it."


class ReviewStale(Conflict):
    """Somebody decided since the grader looked; ``seen`` in the problem is what there is now."""

    code = "review-stale"
    title = "It was graded since you looked at it."

    def __init__(self, seen: int) -> None:
        super().__init__(
            f"There are {seen} decisions by now; look at them, then send 'seen': {seen}.",
            extensions={"seen": seen},
        )


class ReviewMismatch(Rejected):
    """Marks or points do not fit the question."""

    code = "review-mismatch"
    title = "The grade does not fit the question."


class NothingToExtend(Conflict):
    """An extension reaches no attempt that runs or has just run out."""

    code = "nothing-to-extend"
    title = "There is no attempt to extend."


class UnknownQuestion(Invalid):
    """A correction names a question that the exam's course does not have."""

    code = "unknown-question"
    title = "There is no such question."


class RegradeUnderWay(Conflict):
    """The exam is being regraded already."""

    code = "regrade-under-way"
    title = "The exam is being regraded already."
