"""What people read: their feed, their points and why, and whether they want mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.domain import points
from kourse.notification.repository import ledger, notices, replicas
from kourse.notification.repository.ledger import Entry
from kourse.notification.repository.notices import Told
from kourse.notification.service import rendering
from kourse.notification.service.facts import facts_of, titles_for

Position = tuple[datetime, UUID]
"""Time and id of the last entry of a page."""


@dataclass(frozen=True)
class FeedEntry:
    """A notification in its reader's language."""

    told: Told
    title: str
    text: str


@dataclass(frozen=True)
class ExplainedEntry:
    """Points with the sentence that explains them."""

    entry: Entry
    text: str


@dataclass(frozen=True)
class Standing:
    """A learner's points, the level they reach, and where the next begins."""

    points: int
    level: int
    next_level_at: int


async def feed(
    tx: AsyncSession, user_id: UUID, *, after: Position | None, limit: int
) -> list[FeedEntry]:
    """A page of the feed, newest first."""
    told = await notices.list_feed(tx, user_id, after=after, limit=limit)
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


async def standing(tx: AsyncSession, learner_id: UUID) -> Standing:
    """Points and level of a learner."""
    total = await ledger.sum_points(tx, learner_id)
    reached = points.level(total)
    return Standing(total, reached, points.points_needed(reached + 1))


async def explained_entries(
    tx: AsyncSession, learner_id: UUID, *, after: Position | None, limit: int
) -> Sequence[ExplainedEntry]:
    """A page of the ledger, newest first, every point explained."""
    entries = await ledger.list_entries(tx, learner_id, after=after, limit=limit)
    locale = await replicas.locale_of(tx, learner_id)
    titles = await replicas.course_titles(tx, sorted({one.course for one in entries}))
    return [
        ExplainedEntry(one, rendering.explanation(one.reason, locale, _facts(one, titles)))
        for one in entries
    ]


async def wants_mail(tx: AsyncSession, user_id: UUID) -> bool:
    """Whether the person wants mail that is not about security."""
    return await replicas.wants_mail(tx, user_id)


async def set_wants_mail(tx: AsyncSession, user_id: UUID, *, wanted: bool) -> None:
    """The person wants such mail, or not."""
    await replicas.set_wants_mail(tx, user_id, wanted=wanted)


async def unsubscribe(tx: AsyncSession, key: UUID) -> None:
    """Whoever got this key in a mail wants no more; unknown keys change and tell nothing."""
    await replicas.unsubscribe(tx, key)


def _facts(entry: Entry, titles: dict[str, str]) -> dict[str, Any]:
    course_title = titles.get(entry.course, entry.course)
    return {"points": entry.points, "title": entry.title, "course_title": course_title}
