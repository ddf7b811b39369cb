"""The event catalog: every fact that leaves a service, its payload, its stream and who takes it.

Wire form is CloudEvents 1.0, binary mode over AMQP; ``dataschema`` carries the version. Order is kept
per (stream, entity) by a gapless sequence. An in-house consumer takes whole streams and advances past
types it ignores. No secret travels in an event (a delivery id is redeemed instead), and personal data
is marked and left out where an id does. A type that is ``private`` is never routed to outside feeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from kourse.contracts import names

SCHEMA_BASE = "https://kourse.dev/schemas/"
NO_COHORT = "-"
"""Cohort word of a learner's event outside any cohort; no cohort's feed binds it."""

Personal = Field(json_schema_extra={"pii": True})


class Stream(StrEnum):
    """What a sequence is kept for; an event's entity is one of these."""

    USER = "user"
    GROUP = "group"
    CONTENT = "content"
    ENROLMENT = "enrolment"
    EXAM = "exam"
    ATTEMPT = "attempt"


class Event(BaseModel):
    """Base of all payloads; readers ignore fields that they do not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    kind: ClassVar[EventType]

    @property
    def entity(self) -> str:
        """Id of the entity in the event's stream: its CloudEvents ``subject``."""
        return str(getattr(self, self.kind.subject))

    def routing_key(self, tenant: str) -> str:
        """Key under which the event enters the events exchange."""
        course = cohort = None
        if not self.kind.private:
            course = getattr(self, "course", None)
            if "cohort" in type(self).model_fields:
                cohort = getattr(self, "cohort", None) or NO_COHORT
        return names.routing_key(
            self.kind.name, tenant, course, cohort, names.partition(self.entity)
        )


@dataclass(frozen=True)
class EventType:
    """One entry of the catalog."""

    name: str
    version: int
    stream: Stream
    subject: str
    consumers: tuple[str, ...]
    private: bool
    model: type[Event] = field(repr=False)

    @property
    def producer(self) -> str:
        """The service whose outbox it comes from."""
        return self.name.split(".", 1)[0]

    @property
    def dataschema(self) -> str:
        """Identifier of the payload's schema and version."""
        return f"{SCHEMA_BASE}{self.name}/{self.version}"


CATALOG: dict[str, EventType] = {}
E = TypeVar("E", bound=Event)


def event(
    type_: str,
    *,
    stream: Stream,
    subject: str,
    to: Iterable[str] = (),
    version: int = 1,
    private: bool = False,
) -> Callable[[type[E]], type[E]]:
    """Files a payload class in the catalog.

    Args:
        type_: Wire name, three words, past tense.
        stream: The sequence it belongs to.
        subject: Name of the payload field that identifies the entity.
        to: In-house consumers that act on it.
        version: Major version of the payload.
        private: Whether outside feeds must never get it.

    Raises:
        ValueError: The name is taken.
    """

    def file(model: type[E]) -> type[E]:
        if type_ in CATALOG:
            raise ValueError(f"event {type_} is declared twice")
        model.kind = EventType(type_, version, stream, subject, tuple(to), private, model)
        CATALOG[type_] = model.kind
        return model

    return file


def streams_of(consumer: str) -> tuple[Stream, ...]:
    """Streams that a consumer takes whole, in catalog order."""
    return tuple(
        dict.fromkeys(kind.stream for kind in CATALOG.values() if consumer in kind.consumers)
    )


def types_in(streams: Iterable[Stream]) -> tuple[EventType, ...]:
    """Every type of these streams, in catalog order."""
    wanted = set(streams)
    return tuple(kind for kind in CATALOG.values() if kind.stream in wanted)


def consumers() -> tuple[str, ...]:
    """Every in-house consumer named in the catalog, sorted."""
    return tuple(sorted({name for kind in CATALOG.values() for name in kind.consumers}))


def json_schema(kind: EventType) -> dict[str, Any]:
    """JSON schema of the payload, with the type's identity in ``$id``."""
    return {"$id": kind.dataschema, **kind.model.model_json_schema()}


@event(
    "identity.user.registered",
    stream=Stream.USER,
    subject="user_id",
    to=("profile", "notification"),
)
class UserRegistered(Event):
    """A person has an account and is a member of the tenant."""

    user_id: UUID
    display_name: Annotated[str, Personal]
    locale: str = "en"


@event(
    "identity.verification.requested", stream=Stream.USER, subject="user_id", to=("notification",)
)
class VerificationRequested(Event):
    """An e-mail address is to be verified; the code is redeemed with the delivery id."""

    user_id: UUID
    delivery_id: UUID
    locale: str = "en"


@event("identity.email.verified", stream=Stream.USER, subject="user_id", to=("notification",))
class EmailVerified(Event):
    """An account's address was shown to be its holder's; mail may go there from now on."""

    user_id: UUID


@event("identity.password.reset", stream=Stream.USER, subject="user_id", to=("notification",))
class PasswordReset(Event):
    """An account's password was reset; every session of it has ended."""

    user_id: UUID


class CohortDates(BaseModel):
    """A cohort's own dates of one assignment or exam, resolved to instants (UTC)."""

    course: str
    assignment: str | None = None
    exam: str | None = None
    opens_at: datetime | None = None
    due_at: datetime | None = None
    closes_at: datetime | None = None


@event(
    "profile.cohort.declared",
    stream=Stream.GROUP,
    subject="cohort_id",
    to=("course", "assessment", "notification"),
)
class CohortDeclared(Event):
    """A cohort is there, or its run, courses or dates changed."""

    cohort_id: UUID
    cohort: str
    title: str
    courses: list[str]
    starts_on: date
    ends_on: date
    time_zone: str
    dates: list[CohortDates] = []


@event(
    "profile.group.joined", stream=Stream.GROUP, subject="cohort_id", to=("course", "notification")
)
class GroupJoined(Event):
    """A learner became a member of a cohort; its courses enrol them."""

    cohort_id: UUID
    cohort: str
    learner_id: UUID
    courses: list[str]


class PublishedSkill(BaseModel):
    """A skill with its Bayesian knowledge tracing parameters, each 0 to 1."""

    key: str
    title: str
    prerequisites: list[str] = []
    prior: float
    learn: float
    guess: float
    slip: float


class PublishedLesson(BaseModel):
    """A lesson of the published version."""

    id: UUID
    key: str
    title: str
    chapter: str
    skills: list[str] = []
    practice: dict[str, list[str]] = {}


class PublishedCategory(BaseModel):
    """A grade category of the published version."""

    key: str
    title: str
    weight: int
    drop_lowest: int = 0


@event(
    "course.content.published",
    stream=Stream.CONTENT,
    subject="course_id",
    to=("profile", "assessment", "notification", "dashboard"),
)
class ContentPublished(Event):
    """A version of a course is live for learners."""

    course_id: UUID
    course: str
    title: str
    version: int
    digest: str
    time_zone: str
    lessons: list[PublishedLesson]
    skills: list[PublishedSkill]
    categories: list[PublishedCategory] = []
    remediation_below: Annotated[
        float, Field(ge=0, le=1, description="Mastery below which a learner is led back.")
    ] = 0.80
    challenge_from: Annotated[
        float, Field(ge=0, le=1, description="Mastery from which a learner is challenged.")
    ] = 0.95


@event(
    "course.assignment.created",
    stream=Stream.CONTENT,
    subject="course_id",
    to=("notification", "dashboard"),
)
class AssignmentCreated(Event):
    """A published version brought a new assignment."""

    course_id: UUID
    course: str
    assignment_id: UUID
    assignment: str
    title: str
    category: str
    points: int
    due_at: datetime | None = None


@event(
    "course.enrolment.created",
    stream=Stream.ENROLMENT,
    subject="enrolment_id",
    to=("assessment", "notification", "dashboard"),
)
class EnrolmentCreated(Event):
    """A learner studies a course, by themselves or with a cohort."""

    enrolment_id: UUID
    learner_id: UUID
    course_id: UUID
    course: str
    cohort: str | None = None
    cohort_id: UUID | None = None
    labels: list[str] = []


@event(
    "course.lesson.completed",
    stream=Stream.ENROLMENT,
    subject="enrolment_id",
    to=("notification", "dashboard"),
)
class LessonCompleted(Event):
    """A learner completed a lesson for the first time."""

    enrolment_id: UUID
    learner_id: UUID
    course_id: UUID
    course: str
    cohort: str | None = None
    lesson_id: UUID
    lesson: str
    title: str
    completed: Annotated[int, Field(ge=0, description="Lessons completed so far.")]
    total: Annotated[int, Field(ge=1, description="Lessons of the live version.")]


@event(
    "assessment.exam.scheduled",
    stream=Stream.EXAM,
    subject="exam_id",
    to=("course", "notification"),
)
class ExamScheduled(Event):
    """An exam is there, or its version or default window changed."""

    exam_id: UUID
    exam: str
    course_id: UUID
    course: str
    title: str
    purpose: str
    version: int
    opens_at: datetime | None = None
    closes_at: datetime | None = None


@event("assessment.attempt.submitted", stream=Stream.ATTEMPT, subject="attempt_id")
class AttemptSubmitted(Event):
    """An attempt is closed, by its learner or by the clock, and waits for grading."""

    attempt_id: UUID
    exam_id: UUID
    exam: str
    course_id: UUID
    course: str
    cohort: str | None = None
    learner_id: UUID
    cause: str = "learner"


@event("assessment.exam.graded", stream=Stream.ATTEMPT, subject="attempt_id", to=("dashboard",))
class ExamGraded(Event):
    """An attempt has its score; whether the learner sees it yet is another fact."""

    attempt_id: UUID
    exam_id: UUID
    exam: str
    course_id: UUID
    course: str
    cohort: str | None = None
    learner_id: UUID
    run: Annotated[
        int, Field(ge=1, description="Number of the grading run; above 1 it is a regrade.")
    ]


@event(
    "assessment.score.released",
    stream=Stream.ATTEMPT,
    subject="attempt_id",
    to=("course", "notification", "dashboard"),
    private=True,
)
class ScoreReleased(Event):
    """The learner may see an attempt's score from now on."""

    attempt_id: UUID
    exam_id: UUID
    exam: str
    course_id: UUID
    course: str
    learner_id: UUID
    title: str
    run: int
    points: Annotated[str, Field(description="Exact decimal.")]
    max_points: Annotated[str, Field(description="Exact decimal.")]
    percent: Annotated[
        float, Field(ge=0, description="Share of the points, 0 to 100 and above with extra credit.")
    ]
    passed: bool
