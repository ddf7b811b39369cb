"""What people read: their feed, and whether they want mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.domain.preferences import Preferences
from kourse.notification.repository import notices, replicas, wishes
from kourse.notification.repository.notices import Told
from kourse.notification.service import digesting, rendering
from kourse.notification.service.facts import facts_of, titles_for

Position = tuple[datetime, UUID]
"""Time and id of the last entry of a page."""


@dataclass(frozen=True)
class FeedEntry:
    """A notification in its reader's language."""

    told: Told
    title: str
    text: str


async def feed(
    tx: AsyncSession, user_id: UUID, *, after: Position | None, limit: int
) -> list[FeedEntry]:
    """A page of the feed, newest first."""
    told = await notices.list_feed(tx, user_id, after=after, limit=limit)
    return await entries(tx, user_id, told)


async def entries(tx: AsyncSession, user_id: UUID, told: Sequence[Told]) -> list[FeedEntry]:
    """What the person was told, in their language."""
    titles = await titles_for(tx, told)
    locale = await replicas.locale_of(tx, user_id)
    return [
        FeedEntry(one, *rendering.summary(one.kind, locale, facts_of(one, titles))) for one in told
    ]


async def count_unread(tx: AsyncSession, user_id: UUID) -> int:
    """How many entries of the feed are unread."""
    return await notices.count_unread(tx, user_id)


async def mark_read(tx: AsyncSession, user_id: UUID, notification_id: UUID) -> None:
    """The entry is read.

    Raises:
        NotFound: It is not in this person's feed.
    """
    await notices.mark_read(tx, user_id, notification_id)


async def mark_all_read(tx: AsyncSession, user_id: UUID, through: UUID) -> int:
    """The entry and all that are older are read; how many unread ones are left.

    Raises:
        NotFound: It is not in this person's feed.
    """
    await notices.mark_all_read(tx, user_id, through)
    return await notices.count_unread(tx, user_id)


async def preferences_of(tx: AsyncSession, user_id: UUID) -> Preferences:
    """What the person wants to be told, and when not."""
    return await wishes.preferences_of(tx, user_id)


async def put_preferences(tx: AsyncSession, user_id: UUID, wanted: Preferences) -> None:
    """The person wants this from now on; what is in their feed already stays there."""
    await wishes.put_preferences(tx, user_id, wanted)
    await digesting.follow(tx, user_id, wanted)


async def unsubscribe(tx: AsyncSession, key: UUID) -> None:
    """Whoever got this key in a mail wants no more; unknown keys change and tell nothing."""
    await wishes.unsubscribe(tx, key)
