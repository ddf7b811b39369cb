"""The feed and the preferences over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import Field

from kourse.kit.http import Body, Page, View
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


class Preferences(Body):
    """What somebody wants to get; security messages always go."""

    email: bool = Field(description="Whether mail is wanted.")


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)
