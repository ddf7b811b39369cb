"""What goes in and out of notification over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import Field

from kourse.kit.http import Body, Page, View
from kourse.notification.service.reading import ExplainedEntry, FeedEntry

_INTERNAL = frozenset({"delivery_id"})


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


class PointsEntryView(View):
    """Points that were given once, for one deed."""

    id: UUID
    points: int
    reason: str
    text: str
    """The sentence that explains them, in the reader's language."""
    course: str
    earned_at: datetime

    @classmethod
    def of(cls, explained: ExplainedEntry) -> Self:
        """As the learner sees it."""
        entry = explained.entry
        return cls(
            id=entry.id,
            points=entry.points,
            reason=entry.reason.value,
            text=explained.text,
            course=entry.course,
            earned_at=entry.earned_at,
        )


class PointsView(View):
    """A learner's points, and why each was given."""

    points: int
    level: int
    next_level_at: int
    """Points at which the next level begins."""
    entries: list[PointsEntryView]
    next: str | None = None
    """Cursor of the next page of entries, or null at the end."""


class Preferences(Body):
    """What somebody wants to get; security messages always go."""

    email: bool = Field(description="Whether mail is wanted.")


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)
