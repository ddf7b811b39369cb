"""The feed and the preferences over HTTP."""

from __future__ import annotations

from datetime import datetime, time
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from pydantic import Field, field_validator

from kourse.contracts.resources.meta import TimeOfDay
from kourse.kit.http import Body, Page, View
from kourse.notification.domain import preferences as domain
from kourse.notification.domain.kinds import Kind
from kourse.notification.domain.preferences import OPTIONAL, Channel
from kourse.notification.service.reading import FeedEntry

_INTERNAL = frozenset({"delivery_id", "expires_at"})


class NotificationView(View):
    """One entry of the feed, in its reader's language."""

    id: UUID
    type: str
    """What it is about; stable, for programs."""
    title: str
    text: str
    data: dict[str, Any]
    """Names and ids that it speaks of, for links."""
    created_at: datetime
    read_at: datetime | None

    @classmethod
    def of(cls, entry: FeedEntry) -> Self:
        """As its reader sees it."""
        told = entry.told
        return cls(
            id=told.id,
            type=told.kind.value,
            title=entry.title,
            text=entry.text,
            data={_camel(key): value for key, value in told.params.items() if key not in _INTERNAL},
            created_at=told.created_at,
            read_at=told.read_at,
        )


class Feed(Page[NotificationView]):
    """A page of the feed, newest first."""

    unread: int
    """Unread entries of the whole feed."""


class Seen(Body):
    """How far somebody has read their feed."""

    through: UUID = Field(description="Id of the newest entry that they saw.")


class Unread(View):
    """What is left to read."""

    unread: int
    """Unread entries of the whole feed."""


class Channels(Body):
    """By which ways a kind is wanted."""

    feed: bool = Field(True, description="Whether it shows in the feed.")
    email: bool = Field(True, description="Whether it is mailed, where it is mailed at all.")
    webhook: bool = Field(True, description="Whether it goes to one's webhooks.")


class QuietHours(Body):
    """When mail waits, in the time zone of one's settings; past midnight when it ends before it starts."""

    starts: TimeOfDay
    ends: TimeOfDay


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class DigestTime(Body):
    """When the weekly digest comes, in the time zone of one's settings."""

    day: Weekday = Field(Weekday.MONDAY, description="Day of the week.", examples=["sunday"])
    at: TimeOfDay = Field("08:00", examples=["18:00"])


class Preferences(Body):
    """What somebody wants to get; security messages always go."""

    email: bool = Field(description="Whether mail is wanted.")
    kinds: dict[str, Channels] = Field(
        default_factory=dict,
        description="By kind that can be refused; what is left out is wanted.",
        examples=[{"lesson-completed": {"feed": True, "email": False}}],
    )
    quiet_hours: QuietHours | None = None
    weekly_digest: DigestTime = Field(
        default_factory=DigestTime,
        description="When the weekly digest comes, for those who refuse mail of some kinds.",
    )

    @field_validator("kinds")
    @classmethod
    def _can_be_refused(cls, kinds: dict[str, Channels]) -> dict[str, Channels]:
        if unknown := sorted(set(kinds) - {kind.value for kind in OPTIONAL}):
            raise ValueError(f"these are no kinds that can be refused: {', '.join(unknown)}")
        return kinds

    @classmethod
    def of(cls, wanted: domain.Preferences) -> Self:
        """As its owner sees it, every kind named."""
        quiet = wanted.quiet
        return cls(
            email=wanted.wants_mail,
            kinds={
                kind.value: Channels(
                    feed=(kind, Channel.FEED) not in wanted.refused,
                    email=(kind, Channel.EMAIL) not in wanted.refused,
                    webhook=(kind, Channel.WEBHOOK) not in wanted.refused,
                )
                for kind in OPTIONAL
            },
            quiet_hours=None
            if quiet is None
            else QuietHours(starts=f"{quiet.starts:%H:%M}", ends=f"{quiet.ends:%H:%M}"),
            weekly_digest=DigestTime(
                day=list(Weekday)[wanted.digest.weekday], at=f"{wanted.digest.at:%H:%M}"
            ),
        )

    def wanted(self) -> domain.Preferences:
        """What it asks for."""
        quiet = self.quiet_hours
        return domain.Preferences(
            wants_mail=self.email,
            refused=frozenset(
                (Kind(name), channel)
                for name, channels in self.kinds.items()
                for channel in Channel
                if not getattr(channels, channel.value)
            ),
            quiet=None
            if quiet is None
            else domain.QuietHours(
                time.fromisoformat(quiet.starts), time.fromisoformat(quiet.ends)
            ),
            digest=domain.DigestTime(
                list(Weekday).index(self.weekly_digest.day),
                time.fromisoformat(self.weekly_digest.at),
            ),
        )


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)
