"""The Cohort resource: a group of learners and the run of its courses."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from kourse.contracts.resources.meta import (
    CelRule,
    Day,
    DeletionPolicy,
    Document,
    DriftPolicy,
    LocalDateTime,
    Name,
    Names,
    Status,
    TimeZone,
    Title,
    Window,
)

Rrule = Annotated[
    str,
    StringConstraints(
        pattern=r"^FREQ=(YEARLY|MONTHLY|WEEKLY|DAILY)(;[A-Z]+=[A-Z0-9,:+-]+)*$", max_length=200
    ),
]
"""An RFC 5545 recurrence rule; frequencies above daily are not accepted."""


class Run(Document):
    """First and last day of the run, in its time zone."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule("self.starts <= self.ends", "the run must not end before it starts", ".ends"),
    )
    starts: Day = Field(description="First day, YYYY-MM-DD.")
    ends: Day = Field(description="Last day, YYYY-MM-DD.")
    time_zone: TimeZone = "UTC"


class RunDates(Document):
    """This cohort's dates of one assignment or exam; what is left out stays as the course says."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            "has(self.assignment) != has(self.exam)", "name either an 'assignment' or an 'exam'"
        ),
    )
    course: Name = Field(description="Name of the Course.")
    assignment: Name | None = Field(None, description="Key of one of its assignments.")
    exam: Name | None = Field(None, description="Name of one of its ExamConfigs.")
    dates: Window


class JoinPolicy(StrEnum):
    """Whether a code lets learners in, or only a teacher adds them."""

    CODE = "Code"
    CLOSED = "Closed"


class Join(Document):
    """How learners join; the code itself is generated and never stands in a manifest."""

    policy: JoinPolicy = JoinPolicy.CODE
    code_valid_days: int = Field(90, ge=1, le=730, description="Days until a code must be renewed.")


class Meeting(Document):
    """A recurring appointment of the cohort, in the run's time zone."""

    key: Name
    title: Title
    starts: LocalDateTime = Field(description="First occurrence, wall-clock time.")
    minutes: int = Field(60, ge=1, le=1440, description="Length in minutes.")
    rrule: Rrule | None = Field(None, description="Once when left out.")
    exceptions: list[LocalDateTime] = Field(
        default_factory=list, max_length=100, description="Occurrences that do not take place."
    )


class Quotas(Document):
    """Limits of the cohort as a whole."""

    submissions_mib: int = Field(1024, ge=1, le=1048576, description="Room for hand-ins in MiB.")


class FeedMode(StrEnum):
    """Whether the cohort's events are queued for outside consumers."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"


class Feed(Document):
    """The queue that outside consumers read; it never slows the platform and drops the oldest."""

    mode: FeedMode = FeedMode.ENABLED
    max_messages: int = Field(
        10000, ge=1, le=1000000, description="Above this the oldest are dropped."
    )
    ttl_hours: int = Field(
        168, ge=1, le=720, description="Hours until an unread message is dropped."
    )


class CohortSpec(Document):
    """A cohort as a platform team declares it."""

    list_map_keys: ClassVar[dict[str, str]] = {"schedule": "key"}
    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            "!has(self.dates) || self.dates.all(d, d.course in self.courses)",
            "every course in 'dates' must be one of 'courses'",
            ".dates",
        ),
    )
    title: Title
    courses: Names = Field(
        min_length=1, max_length=16, description="Names of the Courses it studies."
    )
    run: Run
    dates: list[RunDates] = Field(
        default_factory=list, max_length=100, description="Its own dates of assignments and exams."
    )
    seats: int = Field(200, ge=1, le=100000, description="How many learners it takes.")
    join: Join = Field(default_factory=Join)
    schedule: list[Meeting] = Field(
        default_factory=list, max_length=20, description="Recurring appointments."
    )
    quotas: Quotas = Field(default_factory=Quotas)
    retention_days: int = Field(
        365, ge=1, le=3650, description="Days after the end until personal data may go."
    )
    feed: Feed = Field(default_factory=Feed)
    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN
    drift_policy: DriftPolicy = DriftPolicy.CORRECT


class CohortStatus(Status):
    """What is live of a cohort."""

    members: int | None = Field(None, ge=0, description="Learners in it, refreshed in batches.")
    courses: Names = Field(
        default_factory=list, description="Courses whose events its feed queue gets."
    )
    feed_queue: str | None = Field(
        None, max_length=255, description="Queue that outside consumers read."
    )
    next_meeting: str | None = Field(
        None, max_length=40, description="Start of the next appointment, UTC."
    )
