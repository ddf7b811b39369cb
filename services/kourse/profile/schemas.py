"""Bodies and answers of the profile API."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from kourse.contracts.examples import SPECS
from kourse.contracts.resources import CohortSpec
from kourse.contracts.resources.meta import LanguageTag, Name, TimeZone
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


class MeetingView(View):
    """A recurring meeting of a cohort."""

    key: str
    title: str
    starts: str = Field(description="First occurrence, wall-clock time in the run's time zone.")
    minutes: int
    rrule: str | None = Field(description="RFC 5545 recurrence rule; null when it happens once.")
    exceptions: list[str]


class OccurrenceView(View):
    """One meeting that takes place."""

    title: str
    starts_at: datetime
    ends_at: datetime


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
    members: int | None = Field(description="How many there are; null unless you teach it.")
    schedule: list[MeetingView]
    next_meeting: OccurrenceView | None


class CohortDocument(CohortSpec):
    """A cohort as it is declared: the ``spec`` of the Cohort resource."""

    # Built at once, because FastAPI cannot take a deferred model for a body.
    model_config = ConfigDict(defer_build=False, json_schema_extra={"examples": [SPECS["Cohort"]]})


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
