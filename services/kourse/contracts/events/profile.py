"""Facts about cohorts, their members, and what learners say about themselves."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from kourse.contracts.events.catalog import Event, Stream, event
from kourse.contracts.events.fields import (
    ActorId,
    ClosesAt,
    Cohort,
    CohortId,
    Courses,
    DueAt,
    LearnerId,
    OpensAt,
    Title,
)


class CohortDates(BaseModel):
    """A cohort's own dates of one assignment or exam, resolved to instants (UTC)."""

    course: Annotated[str, Field(description="Name of the course.")]
    assignment: Annotated[
        str | None, Field(description="Key of the assignment; null where it is an exam's dates.")
    ] = None
    exam: Annotated[
        str | None, Field(description="Name of the exam; null where it is an assignment's dates.")
    ] = None
    opens_at: OpensAt = None
    due_at: DueAt = None
    closes_at: ClosesAt = None


@event(
    "profile.cohort.declared",
    stream=Stream.GROUP,
    subject="cohort_id",
    to=("course", "assessment", "notification"),
)
class CohortDeclared(Event):
    """A cohort is there, or its run, courses or dates changed."""

    cohort_id: CohortId
    cohort: Cohort
    title: Title
    courses: Courses
    starts_on: Annotated[date, Field(description="First day of the run, in its time zone.")]
    ends_on: Annotated[date, Field(description="Last day of the run, in its time zone.")]
    time_zone: Annotated[
        str, Field(description="IANA time zone of the run.", examples=["Europe/Lisbon"])
    ]
    dates: Annotated[
        list[CohortDates], Field(description="Dates that differ from those of the courses.")
    ] = []
    submissions_mib: Annotated[
        int | None, Field(description="Room for files to hand in, in MiB; null: not told yet.")
    ] = None


@event("profile.cohort.ended", stream=Stream.GROUP, subject="cohort_id", planned=True)
class CohortEnded(Event):
    """A cohort was withdrawn or its retention ran out; nobody studies with it any more."""

    cohort_id: CohortId
    cohort: Cohort


@event(
    "profile.group.joined", stream=Stream.GROUP, subject="cohort_id", to=("course", "notification")
)
class GroupJoined(Event):
    """A learner became a member of a cohort; its courses enrol them."""

    cohort_id: CohortId
    cohort: Cohort
    learner_id: LearnerId
    courses: Courses


@event(
    "profile.group.left", stream=Stream.GROUP, subject="cohort_id", to=("course", "notification")
)
class GroupLeft(Event):
    """A learner is no longer a member of a cohort; its courses suspend their enrolments."""

    cohort_id: CohortId
    cohort: Cohort
    learner_id: LearnerId
    courses: Courses
    actor_id: Annotated[
        UUID, Field(description="Who ended the membership: the learner or a leader.")
    ]


@event("profile.group.transferred", stream=Stream.GROUP, subject="cohort_id")
class GroupTransferred(Event):
    """A cohort has another leader."""

    cohort_id: CohortId
    cohort: Cohort
    leader_id: Annotated[UUID, Field(description="Account of the new leader.")]
    actor_id: ActorId


@event(
    "profile.announcement.posted",
    stream=Stream.GROUP,
    subject="cohort_id",
    to=("notification",),
)
class AnnouncementPosted(Event):
    """A cohort's members have something to read; its text is read with the id."""

    cohort_id: CohortId
    cohort: Cohort
    announcement_id: Annotated[UUID, Field(description="Id of the announcement.")]
    author_id: Annotated[UUID, Field(description="Account of its author.")]


@event(
    "profile.message.sent",
    stream=Stream.LEARNER,
    subject="learner_id",
    to=("notification",),
    private=True,
)
class MessageSent(Event):
    """A teacher wrote to one learner; the text is read with the id."""

    learner_id: LearnerId
    message_id: Annotated[UUID, Field(description="Id of the message.")]
    author_id: Annotated[UUID, Field(description="Account of its author.")]


@event(
    "profile.settings.changed",
    stream=Stream.LEARNER,
    subject="learner_id",
    to=("notification",),
    private=True,
)
class SettingsChanged(Event):
    """A learner's time zone or language changed, by which reminders and quiet hours go."""

    learner_id: LearnerId
    time_zone: Annotated[str, Field(description="IANA time zone.", examples=["Europe/Lisbon"])]
    locale: Annotated[
        str, Field(description="Language to write in, as BCP 47 tag.", examples=["en"])
    ]


@event(
    "profile.consent.changed",
    stream=Stream.LEARNER,
    subject="learner_id",
    private=True,
    planned=True,
)
class ConsentChanged(Event):
    """A learner gave or withdrew a consent, such as to stand on leaderboards."""

    learner_id: LearnerId
    purpose: Annotated[str, Field(description="What it is for.", examples=["leaderboard"])]
    given: Annotated[bool, Field(description="Whether it is given from now on.")]


@event("profile.goal.changed", stream=Stream.LEARNER, subject="learner_id", planned=True)
class GoalChanged(Event):
    """A learner set, changed, reached or dropped a goal; it is read with the id."""

    learner_id: LearnerId
    goal_id: Annotated[UUID, Field(description="Id of the goal.")]
