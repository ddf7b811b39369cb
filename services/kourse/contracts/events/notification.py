"""Facts about the game. All are private: leaderboards are for those who chose to stand on them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from kourse.contracts.events.catalog import Event, Stream, event
from kourse.contracts.events.fields import LearnerId


@event(
    "notification.badge.won",
    stream=Stream.PLAYER,
    subject="learner_id",
    private=True,
)
class BadgeWon(Event):
    """A learner won a badge: of a course, or one that the platform gives for study in all of them."""

    learner_id: LearnerId
    badge_id: Annotated[UUID, Field(description="Id of the badge.")]
    badge: Annotated[
        str,
        Field(description="Key of the badge, stable within its course.", examples=["first-steps"]),
    ]
    course_id: Annotated[
        UUID | None, Field(description="Id of its course; null for one of the platform.")
    ] = None
    course: Annotated[
        str | None,
        Field(description="Name of its course; null for one of the platform."),
    ] = None
    won_at: Annotated[datetime, Field(description="When the last deed for it was done (UTC).")]


@event(
    "notification.level.reached",
    stream=Stream.PLAYER,
    subject="learner_id",
    private=True,
)
class LevelReached(Event):
    """A learner's points reached the next level."""

    learner_id: LearnerId
    level: Annotated[int, Field(ge=1, description="The level reached.")]
    reached_at: Annotated[datetime, Field(description="When the last deed for it was done (UTC).")]


@event(
    "notification.streak.extended",
    stream=Stream.PLAYER,
    subject="learner_id",
    private=True,
    planned=True,
)
class StreakExtended(Event):
    """A learner studied on another day in a row, in their own calendar."""

    learner_id: LearnerId
    days: Annotated[int, Field(ge=1, description="Days in a row.")]
