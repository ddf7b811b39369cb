"""Facts about exams and scores. Nothing that a learner may not see yet reaches an outside feed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from kourse.contracts.events.catalog import Event, Stream, event
from kourse.contracts.events.declared import Declared, DeclaredDates, Overrides
from kourse.contracts.events.fields import (
    ActorId,
    Assignment,
    AssignmentId,
    AttemptId,
    ClosesAt,
    Course,
    CourseId,
    DueAt,
    Exam,
    ExamId,
    LearnerId,
    MaxPoints,
    OfCohort,
    OpensAt,
    Percent,
    Points,
    Run,
    SubmissionId,
    Title,
)


class _OfExam(Event):
    """What every event of an exam tells."""

    exam_id: ExamId
    exam: Exam
    course_id: CourseId
    course: Course


@event(
    "assessment.exam.scheduled",
    stream=Stream.EXAM,
    subject="exam_id",
    to=("course", "notification"),
)
class ExamScheduled(_OfExam):
    """An exam is there, or its version or default window changed."""

    title: Title
    purpose: Annotated[str, Field(description="`Practice`, `Quiz` or `Exam`.", examples=["Quiz"])]
    version: Annotated[int, Field(description="Number of its version, from 1.")]
    opens_at: OpensAt = None
    closes_at: ClosesAt = None
    dates: Declared = DeclaredDates()
    overrides: Overrides = []


@event(
    "assessment.exam.retired",
    stream=Stream.EXAM,
    subject="exam_id",
    to=("notification",),
    planned=True,
)
class ExamRetired(_OfExam):
    """An exam is no longer offered; what was scored in it stays."""


@event("assessment.exam.regraded", stream=Stream.EXAM, subject="exam_id")
class ExamRegraded(_OfExam):
    """A key was corrected or a question voided, and the exam's attempts were graded again."""

    changed: Annotated[int, Field(ge=0, description="Attempts with another score than before.")]
    actor_id: ActorId


class _OfAttempt(Event):
    """What every event of an attempt tells."""

    attempt_id: AttemptId
    exam_id: ExamId
    exam: Exam
    course_id: CourseId
    course: Course
    cohort: OfCohort = None
    learner_id: LearnerId


@event(
    "assessment.attempt.started",
    stream=Stream.ATTEMPT,
    subject="attempt_id",
    to=("dashboard",),
)
class AttemptStarted(_OfAttempt):
    """A learner began an attempt; its questions are fixed."""

    number: Annotated[int, Field(ge=1, description="Which attempt of the learner it is.")]
    deadline_at: Annotated[
        datetime | None, Field(description="When it ends by itself (UTC); null: never.")
    ] = None


@event(
    "assessment.attempt.extended",
    stream=Stream.ATTEMPT,
    subject="attempt_id",
    to=("notification",),
)
class AttemptExtended(_OfAttempt):
    """A running attempt has more time, or one that had run out goes on."""

    deadline_at: Annotated[datetime, Field(description="Its new end (UTC).")]
    reopened: Annotated[bool, Field(description="Whether it had run out before.")] = False
    actor_id: ActorId
    title: Annotated[
        str, Field(description="Title of the exam for people.", examples=["Midterm"])
    ] = ""


@event(
    "assessment.attempt.submitted",
    stream=Stream.ATTEMPT,
    subject="attempt_id",
    to=("notification", "dashboard"),
)
class AttemptSubmitted(_OfAttempt):
    """An attempt is closed, by its learner or by the clock, and waits for grading."""

    cause: Annotated[
        str, Field(description="Who ended it: `learner` or `clock`.", examples=["learner"])
    ] = "learner"
    title: Annotated[
        str, Field(description="Title of the exam for people.", examples=["Midterm"])
    ] = ""


@event(
    "assessment.attempt.voided",
    stream=Stream.ATTEMPT,
    subject="attempt_id",
    to=("notification", "dashboard"),
)
class AttemptVoided(_OfAttempt):
    """An attempt counts no more; the learner may have another."""

    actor_id: ActorId


@event("assessment.review.requested", stream=Stream.ATTEMPT, subject="attempt_id")
class ReviewRequested(_OfAttempt):
    """Some of an attempt's answers need a person to grade them."""


@event("assessment.exam.graded", stream=Stream.ATTEMPT, subject="attempt_id", to=("dashboard",))
class ExamGraded(_OfAttempt):
    """An attempt has its score; whether the learner sees it yet is another fact."""

    run: Run


@event(
    "assessment.score.released",
    stream=Stream.ATTEMPT,
    subject="attempt_id",
    to=("course", "notification", "dashboard"),
    private=True,
)
class ScoreReleased(_OfExam):
    """The learner may see an attempt's score from now on."""

    attempt_id: AttemptId
    learner_id: LearnerId
    title: Title
    run: Run
    points: Points
    max_points: MaxPoints
    percent: Percent
    passed: Annotated[bool, Field(description="Whether the exam's pass mark was reached.")]


class _OfGradable(Event):
    """What every event of a hand-in's grading tells."""

    submission_id: SubmissionId
    assignment_id: AssignmentId
    assignment: Assignment
    course_id: CourseId
    course: Course
    learner_id: LearnerId
    run: Run


@event("assessment.assignment.graded", stream=Stream.GRADABLE, subject="submission_id")
class AssignmentGraded(_OfGradable):
    """A hand-in is graded and the learner may know it; of one that is withheld nothing is told."""

    cohort: OfCohort = None


@event(
    "assessment.feedback.released",
    stream=Stream.GRADABLE,
    subject="submission_id",
    to=("notification", "dashboard"),
    private=True,
)
class FeedbackReleased(_OfGradable):
    """The learner may see a hand-in's score and what was said about it from now on."""

    title: Title
    points: Points
    max_points: MaxPoints
    percent: Percent


class SkillState(BaseModel):
    """How well a learner knows a skill, by the answers whose result they may know."""

    skill: Annotated[str, Field(description="Key of the skill.", examples=["sampling"])]
    probability: Annotated[float, Field(ge=0, le=1, description="That the skill is known.")]
    answers: Annotated[int, Field(ge=0, description="How many answers this rests on.")]
    band: Annotated[
        str, Field(description="`remediation`, `main` or `challenge`.", examples=["main"])
    ]


@event(
    "assessment.mastery.changed",
    stream=Stream.MASTERY,
    subject="learner_id",
    to=("course", "dashboard"),
    private=True,
)
class MasteryChanged(Event):
    """A learner's mastery of skills of a course moved: an answer came, or an earlier one counts otherwise."""

    learner_id: LearnerId
    course_id: CourseId
    course: Course
    skills: Annotated[list[SkillState], Field(description="The skills that moved.")]


@event(
    "assessment.accommodation.changed",
    stream=Stream.ACCOMMODATION,
    subject="learner_id",
    to=("course", "notification"),
    private=True,
)
class AccommodationChanged(Event):
    """A learner has more time for all assignments of a course, or no more than everybody else."""

    learner_id: LearnerId
    course_id: CourseId
    course: Course
    extra_hours: Annotated[
        int, Field(ge=0, description="So many hours later is each due and closed; 0: as for all.")
    ]
    actor_id: ActorId


@event(
    "assessment.accommodation.granted",
    stream=Stream.ACCOMMODATION,
    subject="learner_id",
    to=("notification",),
    private=True,
)
class AccommodationGranted(Event):
    """What a learner is granted in the exams of a course, or in one of them, is new or another."""

    learner_id: LearnerId
    course_id: CourseId
    course: Course
    exam: Annotated[str | None, Field(description="Name of the exam; null: all of the course.")] = (
        None
    )
    title: Annotated[
        str, Field(description="Title of the exam for people, or empty.", examples=["Midterm"])
    ] = ""
    longer_by: Annotated[
        float | None, Field(description="Percent by which time limits are longer.", examples=[25.0])
    ] = None
    extra_attempts: Annotated[
        int | None, Field(description="Attempts beyond everybody else's.", examples=[1])
    ] = None
    opens_at: OpensAt = None
    due_at: DueAt = None
    closes_at: ClosesAt = None
    extra_hours: Annotated[
        int | None, Field(description="So many hours later are assignments due.", examples=[48])
    ] = None
    actor_id: ActorId
