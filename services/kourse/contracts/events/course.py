"""Facts about courses and those who study them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field

from kourse.contracts.events.catalog import Event, Stream, event
from kourse.contracts.events.declared import Declared, DeclaredDates, Overrides
from kourse.contracts.events.fields import (
    ActorId,
    Assignment,
    AssignmentId,
    Course,
    CourseId,
    DueAt,
    EnrolmentId,
    Key,
    LearnerId,
    OfCohort,
    SubmissionId,
    Title,
)
from kourse.contracts.resources.meta import LatePolicy

_Labels = Annotated[
    list[str],
    Field(description="Labels of the enrolment, which dates may name.", examples=[["evening"]]),
]


class PublishedSkill(BaseModel):
    """A skill with its Bayesian knowledge tracing parameters, each 0 to 1."""

    key: Key
    title: Title
    prerequisites: Annotated[
        list[str], Field(description="Keys of skills to know before.", examples=[["sampling"]])
    ] = []
    prior: Annotated[float, Field(description="Probability to know it at the start.")]
    learn: Annotated[float, Field(description="Probability to learn it with one answer.")]
    guess: Annotated[float, Field(description="Probability to be right without knowing it.")]
    slip: Annotated[float, Field(description="Probability to be wrong despite knowing it.")]
    remediation_below: Annotated[
        float | None,
        Field(
            ge=0, le=1, description="Mastery below which a learner is led back; null: the course's."
        ),
    ] = None
    challenge_from: Annotated[
        float | None,
        Field(ge=0, le=1, description="Mastery from which one is challenged; null: the course's."),
    ] = None


class PublishedLesson(BaseModel):
    """A lesson of the published version."""

    id: Annotated[UUID, Field(description="Id of the lesson.")]
    key: Key
    title: Title
    chapter: Annotated[str, Field(description="Key of its chapter.", examples=["describing-data"])]
    skills: Annotated[
        list[str], Field(description="Keys of the skills that it teaches.", examples=[["sampling"]])
    ] = []
    path: Annotated[
        str,
        Field(description="`Main`, `Remediation` or `Challenge`.", examples=["Main"]),
    ] = "Main"
    practice: Annotated[
        dict[str, list[str]],
        Field(
            description="Keys of practice questions, by question pool.",
            examples=[{"basics": ["q1"]}],
        ),
    ] = {}


class PublishedCategory(BaseModel):
    """A grade category of the published version."""

    key: Key
    title: Title
    weight: Annotated[int, Field(description="Its weight among the categories.")]
    drop_lowest: Annotated[
        int, Field(description="How many of the lowest scores are left out.")
    ] = 0


class PublishedBadge(BaseModel):
    """A badge that learners of the published version can win."""

    key: Key
    title: Title
    description: Annotated[
        str, Field(description="What it is won for.", examples=["Completed a first lesson."])
    ]
    criterion: Annotated[
        str, Field(description="What is counted for it.", examples=["LessonsCompleted"])
    ]
    threshold: Annotated[int, Field(ge=1, description="Count at which it is won.")]


@event(
    "course.content.published",
    stream=Stream.CONTENT,
    subject="course_id",
    to=("profile", "assessment", "notification", "dashboard"),
)
class ContentPublished(Event):
    """A version of a course is live for learners."""

    course_id: CourseId
    course: Course
    title: Title
    version: Annotated[int, Field(description="Number of the version, from 1.")]
    digest: Annotated[
        str,
        Field(
            description="SHA-256 of the version's content, in hex.",
            examples=["2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"],
        ),
    ]
    time_zone: Annotated[
        str,
        Field(description="IANA time zone of the course's own dates.", examples=["Europe/Lisbon"]),
    ]
    lessons: Annotated[list[PublishedLesson], Field(description="Its lessons, in reading order.")]
    skills: Annotated[list[PublishedSkill], Field(description="The skills that it teaches.")]
    categories: Annotated[
        list[PublishedCategory], Field(description="Its grade categories; none: all count alike.")
    ] = []
    remediation_below: Annotated[
        float, Field(ge=0, le=1, description="Mastery below which a learner is led back.")
    ] = 0.80
    challenge_from: Annotated[
        float, Field(ge=0, le=1, description="Mastery from which a learner is challenged.")
    ] = 0.95
    badges: Annotated[
        list[PublishedBadge], Field(description="The badges that can be won in it.")
    ] = []


@event("course.content.archived", stream=Stream.CONTENT, subject="course_id", planned=True)
class ContentArchived(Event):
    """A course is no longer offered; those who studied it can still read what they had."""

    course_id: CourseId
    course: Course


@event("course.content.deleted", stream=Stream.CONTENT, subject="course_id", planned=True)
class ContentDeleted(Event):
    """A course is gone, with all that learners made in it."""

    course_id: CourseId
    course: Course


class PublishedLevel(BaseModel):
    """One way to have met a criterion."""

    key: Key
    title: Title
    points: Annotated[int, Field(description="Points that it is worth.")]


class PublishedCriterion(BaseModel):
    """What graders look at, with the levels they choose from."""

    key: Key
    title: Title
    levels: Annotated[list[PublishedLevel], Field(description="Ways to meet it.")]


class PublishedLatePolicy(BaseModel):
    """Deduction for work handed in after it was due."""

    grace_minutes: Annotated[int, Field(ge=0, description="Minutes without deduction.")] = 0
    percent_per_day: Annotated[
        int, Field(ge=0, le=100, description="Percent for each day begun.")
    ] = 10
    percent_per_hour: Annotated[
        int | None, Field(description="Percent for each hour begun, instead; null: by the day.")
    ] = None
    max_percent: Annotated[int, Field(ge=0, le=100, description="Most that is taken.")] = 100
    floor_percent: Annotated[
        int, Field(ge=0, le=100, description="Percent below which nothing is taken.")
    ] = 0

    @classmethod
    def of(cls, policy: LatePolicy) -> Self:
        """What graders need of a resource's policy."""
        return cls.model_validate(policy.model_dump(include=set(cls.model_fields)))

    def policy(self) -> LatePolicy:
        """The policy by which ``rules.credit`` tells the deduction."""
        return LatePolicy.model_validate(self.model_dump())


class _GradedBy(Event):
    """By what an assignment's hand-ins are graded."""

    rubric: Annotated[
        list[PublishedCriterion], Field(description="Its rubric; none: points are given as such.")
    ] = []
    late_policy: Annotated[PublishedLatePolicy, Field(description="What lateness takes.")] = (
        PublishedLatePolicy()
    )
    release: Annotated[
        str,
        Field(
            description="When learners see points and comments: `AtGrading` or `Manual`.",
            examples=["AtGrading"],
        ),
    ] = "AtGrading"


@event(
    "course.assignment.created",
    stream=Stream.CONTENT,
    subject="course_id",
    to=("assessment", "notification", "dashboard"),
)
class AssignmentCreated(_GradedBy):
    """A published version brought a new assignment."""

    course_id: CourseId
    course: Course
    assignment_id: AssignmentId
    assignment: Assignment
    title: Title
    category: Annotated[str, Field(description="Key of its grade category.", examples=["homework"])]
    points: Annotated[int, Field(description="Points that can be reached.")]
    due_at: DueAt = None
    dates: Declared = DeclaredDates()
    overrides: Overrides = []


@event(
    "course.assignment.changed",
    stream=Stream.CONTENT,
    subject="course_id",
    to=("assessment", "notification", "dashboard"),
)
class AssignmentChanged(_GradedBy):
    """An assignment changed, or it was withdrawn; reminders and grading follow."""

    course_id: CourseId
    course: Course
    assignment_id: AssignmentId
    assignment: Assignment
    title: Title
    category: Annotated[
        str, Field(description="Key of its grade category.", examples=["homework"])
    ] = ""
    points: Annotated[int, Field(description="Points that can be reached.")] = 0
    due_at: DueAt = None
    dates: Declared = DeclaredDates()
    overrides: Overrides = []
    withdrawn: Annotated[bool, Field(description="Whether the live version no longer has it.")] = (
        False
    )


@event(
    "course.enrolment.created",
    stream=Stream.ENROLMENT,
    subject="enrolment_id",
    to=("assessment", "notification", "dashboard"),
)
class EnrolmentCreated(Event):
    """A learner studies a course, by themselves or with a cohort."""

    enrolment_id: EnrolmentId
    learner_id: LearnerId
    course_id: CourseId
    course: Course
    cohort: OfCohort = None
    cohort_id: Annotated[UUID | None, Field(description="Id of that cohort, or null.")] = None
    labels: _Labels = []


class _OfEnrolment(Event):
    """What every later event of an enrolment tells."""

    enrolment_id: EnrolmentId
    learner_id: LearnerId
    course_id: CourseId
    course: Course
    cohort: OfCohort = None


@event(
    "course.enrolment.changed",
    stream=Stream.ENROLMENT,
    subject="enrolment_id",
    to=("assessment", "notification"),
)
class EnrolmentChanged(_OfEnrolment):
    """An enrolment has other labels, and with them perhaps other dates."""

    labels: _Labels = []


@event(
    "course.enrolment.suspended",
    stream=Stream.ENROLMENT,
    subject="enrolment_id",
    to=("notification", "dashboard"),
)
class EnrolmentSuspended(_OfEnrolment):
    """A learner left the cohort: they study no further, and nothing of theirs is lost."""


@event(
    "course.enrolment.resumed",
    stream=Stream.ENROLMENT,
    subject="enrolment_id",
    to=("notification", "dashboard"),
)
class EnrolmentResumed(_OfEnrolment):
    """A suspended learner studies on."""


@event(
    "course.enrolment.ended",
    stream=Stream.ENROLMENT,
    subject="enrolment_id",
    to=("notification",),
    planned=True,
)
class EnrolmentEnded(_OfEnrolment):
    """A learner's run of the course is over; a repeat is another enrolment."""


@event(
    "course.enrolment.completed",
    stream=Stream.ENROLMENT,
    subject="enrolment_id",
    to=("dashboard",),
)
class EnrolmentCompleted(_OfEnrolment):
    """A learner fulfils the course's completion rule, perhaps again after a regrade had taken it away."""


@event(
    "course.lesson.completed",
    stream=Stream.ENROLMENT,
    subject="enrolment_id",
    to=("notification", "dashboard"),
)
class LessonCompleted(_OfEnrolment):
    """A learner completed a lesson for the first time."""

    lesson_id: Annotated[UUID, Field(description="Id of the lesson.")]
    lesson: Annotated[str, Field(description="Key of the lesson.", examples=["frequency-tables"])]
    title: Title
    completed: Annotated[int, Field(ge=0, description="Lessons of the main path completed so far.")]
    total: Annotated[
        int, Field(ge=1, description="Lessons of the live version's main path.", examples=[12])
    ]


class _OfAssignment(_OfEnrolment):
    """What every event of a learner's assignment tells."""

    assignment_id: AssignmentId
    assignment: Assignment


@event(
    "course.assignment.extended",
    stream=Stream.ENROLMENT,
    subject="enrolment_id",
    to=("notification", "dashboard"),
)
class AssignmentExtended(_OfAssignment):
    """A learner has more time for an assignment; reminders follow."""

    due_at: Annotated[
        datetime,
        Field(
            description="When it is due for this learner (UTC); when it closes, if it is never due."
        ),
    ]
    actor_id: ActorId


@event(
    "course.assignment.expired",
    stream=Stream.ENROLMENT,
    subject="enrolment_id",
    to=("dashboard",),
)
class AssignmentExpired(_OfAssignment):
    """An assignment can no longer be handed in, and the learner handed in nothing."""

    closes_at: Annotated[
        datetime | None, Field(description="When it closed for this learner (UTC).")
    ] = None


@event(
    "course.assignment.submitted",
    stream=Stream.SUBMISSION,
    subject="submission_id",
    to=("assessment", "notification", "dashboard"),
)
class AssignmentSubmitted(_OfAssignment):
    """An assignment was handed in; what was handed in never changes, a later one replaces it."""

    submission_id: SubmissionId
    number: Annotated[int, Field(ge=1, description="Which hand-in of the learner it is.")]
    submitted_at: Annotated[datetime, Field(description="Time of the receipt (UTC).")]
    late_by_s: Annotated[
        int, Field(ge=0, description="Seconds after the learner's due date; 0 in time.")
    ] = 0
    due_at: DueAt = None
    members: Annotated[
        list[UUID], Field(description="Accounts for whom it counts; several where groups submit.")
    ]
    enrolments: Annotated[
        list[UUID], Field(description="Their enrolments, in the same order.")
    ] = []
