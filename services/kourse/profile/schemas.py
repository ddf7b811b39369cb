"""Bodies and answers of the profile API."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from kourse.contracts.examples import SPECS
from kourse.contracts.resources import CohortSpec
from kourse.contracts.resources.cohort import Rrule
from kourse.contracts.resources.meta import LanguageTag, LocalDateTime, Name, Paragraph, TimeZone
from kourse.kit.http import Body, View

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Preference = Annotated[str, StringConstraints(max_length=500)]


class Level(StrEnum):
    """How much somebody knows already, by their own estimate."""

    BEGINNER = "Beginner"
    INTERMEDIATE = "Intermediate"
    ADVANCED = "Advanced"


class Pace(StrEnum):
    """How fast somebody wants to go."""

    RELAXED = "Relaxed"
    STEADY = "Steady"
    INTENSIVE = "Intensive"


class ProfileView(View):
    """A person's profile in this tenant."""

    user_id: UUID
    display_name: str
    level: Level
    pace: Pace
    time_zone: str
    locale: str
    preferences: dict[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime


class ProfileChange(Body):
    """New values of a profile; what is left out stays."""

    display_name: Line | None = None
    level: Level | None = None
    pace: Pace | None = None
    time_zone: TimeZone | None = None
    locale: LanguageTag | None = None
    preferences: Annotated[dict[Name, Preference | None], Field(max_length=50)] | None = Field(
        None, description="Merged with what is kept; null removes an entry."
    )


class NewGoal(Body):
    """A goal to set."""

    title: Line
    course: Name | None = None
    target_date: date | None = None


class GoalChange(Body):
    """New values of a goal; what is left out stays."""

    title: Line | None = None
    target_date: date | None = Field(None, description="null makes it open-ended.")
    achieved: bool | None = None


class GoalView(View):
    """A goal of the person."""

    id: UUID
    title: str
    course: str | None
    target_date: date | None = Field(validation_alias="target_on")
    achieved_at: datetime | None
    created_at: datetime


class OccurrenceView(View):
    """One meeting that takes place."""

    title: str
    starts_at: datetime
    ends_at: datetime


class PlanBody(Body):
    """A plan of one's own: what, when first, and how it comes again."""

    title: Line
    time_zone: TimeZone
    starts: LocalDateTime = Field(description="First time, wall-clock time in the plan's zone.")
    minutes: int = Field(60, ge=1, le=1440, description="Length in minutes.")
    rrule: Rrule | None = Field(None, description="RFC 5545 recurrence rule; once when left out.")
    exceptions: list[LocalDateTime] = Field(
        default_factory=list, max_length=100, description="Times at which it does not take place."
    )
    additions: list[LocalDateTime] = Field(
        default_factory=list, max_length=100, description="Times at which it takes place besides."
    )


class PlanView(View):
    """A plan of one's own."""

    id: UUID
    title: str
    time_zone: str
    starts: str
    minutes: int
    rrule: str | None
    exceptions: list[str]
    additions: list[str]
    version: int
    created_at: datetime
    updated_at: datetime


class PlanDetail(PlanView):
    """A plan of one's own, and what follows from it."""

    next: OccurrenceView | None = Field(
        None,
        description="When it takes place next; null when never again.",
        examples=[
            {
                "title": "Evening class",
                "startsAt": "2026-11-16T18:30:00+00:00",
                "endsAt": "2026-11-16T20:00:00+00:00",
            }
        ],
    )
    warnings: list[str] = Field(
        default_factory=list,
        description="Times within a year that the clocks jump over or show twice.",
        examples=[["The clocks jump over this time; it takes place on 28 March 2027 at 02:30."]],
    )


class EntryView(View):
    """Something in a person's schedule that takes place at one time."""

    kind: str = Field(description="plan, class or due.", examples=["class"])
    title: str
    starts_at: datetime
    ends_at: datetime
    plan_id: UUID | None
    cohort: str | None
    warning: str | None = Field(
        description="Set where the clocks jump over the time or show it twice.",
        examples=["The clocks show this time twice; the first is meant."],
    )


class CalendarLinkView(View):
    """Whether there is a link to the calendar; it is shown once, when it is made."""

    made_at: datetime


class NewCalendarLink(CalendarLinkView):
    """A link to the calendar. Whoever has it reads the calendar, so it is to be kept secret."""

    url: str = Field(
        examples=["https://learn.example.org/v1/calendars/demo/Zq3kT9x0wJ4v1b8Yc2NfLm6RdPaUsEhG"]
    )


class MeetingView(View):
    """A recurring meeting of a cohort."""

    key: str
    title: str
    starts: str = Field(description="First occurrence, wall-clock time in the run's time zone.")
    minutes: int
    rrule: str | None = Field(description="RFC 5545 recurrence rule; null when it happens once.")
    exceptions: list[str]


class CohortView(View):
    """A cohort and its run."""

    id: UUID
    name: str
    title: str
    courses: list[str]
    starts_on: date
    ends_on: date
    time_zone: str
    role: str = Field(description="Yours: learner, leader or teacher.")
    seats: int
    members: int | None = Field(description="How many there are; null unless you lead or teach it.")
    schedule: list[MeetingView]
    next_meeting: OccurrenceView | None


class CohortDocument(CohortSpec):
    """A cohort as it is declared: the ``spec`` of the Cohort resource."""

    # Built at once, because FastAPI cannot take a deferred model for a body.
    model_config = ConfigDict(defer_build=False, json_schema_extra={"examples": [SPECS["Cohort"]]})


class NewLeader(Body):
    """Who is to lead a cohort."""

    learner_id: UUID = Field(description="A member of it.")


class NewAnnouncement(Body):
    """Something to tell a cohort."""

    title: Line
    text: Paragraph


class AnnouncementView(View):
    """Something that a cohort was told."""

    id: UUID
    cohort: str
    title: str
    text: str = Field(description="In Markdown.")
    author_id: UUID
    author: str | None = Field(
        description="Their display name; null where they have no profile.", examples=["Rui Teste"]
    )
    posted_at: datetime


class NewMessage(Body):
    """Something to write to one learner."""

    text: Paragraph


class MessageView(View):
    """Something that a teacher wrote to one learner."""

    id: UUID
    cohort: str
    learner_id: UUID
    text: str = Field(description="In Markdown.")
    author_id: UUID
    author: str | None = Field(
        description="Their display name; null where they have no profile.", examples=["Rui Teste"]
    )
    sent_at: datetime
    read_at: datetime | None


class JoinRequest(Body):
    """A code that somebody was given."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=40)]


class JoinedView(View):
    """The cohort joined."""

    cohort: str
    title: str
    courses: list[str] = Field(description="You are enrolled in these within seconds.")


class CodeView(View):
    """The code that lets people into a cohort."""

    code: str
    expires_at: datetime


class MemberView(View):
    """A member of a cohort."""

    learner_id: UUID = Field(validation_alias="user_id")
    display_name: str | None
    role: str
    joined_at: datetime


class DocumentView(View):
    """What became of a document."""

    name: str
    changed: bool
    id: UUID
    digest: str


class PendingView(View):
    """What is still to be done before a deletion is complete."""

    reason: str
    message: str


class RetiredView(View):
    """What is left of a cohort that was deleted."""

    pending: list[PendingView]


class DeclaredView(View):
    """A document as it is declared."""

    name: str
    id: UUID
    source: str = Field(description="resource or api.")
    digest: str
    spec: dict[str, Any]
