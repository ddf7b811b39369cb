"""Where a learner stands in the game: their points, the level, and why each point was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.domain import points
from kourse.notification.repository import ledger, replicas
from kourse.notification.repository.ledger import Entry
from kourse.notification.service import rendering


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


async def of(tx: AsyncSession, learner_id: UUID) -> Standing:
    """Points and level of a learner."""
    total = await ledger.sum_points(tx, learner_id)
    reached = points.level(total)
    return Standing(total, reached, points.points_needed(reached + 1))


async def explained_entries(
    tx: AsyncSession, learner_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[ExplainedEntry]:
    """A page of the ledger, newest first, every point explained."""
    entries = await ledger.list_entries(tx, learner_id, after=after, limit=limit)
    locale = await replicas.locale_of(tx, learner_id)
    titles = await replicas.course_titles(tx, sorted({one.course for one in entries}))
    return [
        ExplainedEntry(one, rendering.explanation(one.reason, locale, _facts(one, titles)))
        for one in entries
    ]


def _facts(entry: Entry, titles: dict[str, str]) -> dict[str, Any]:
    course_title = titles.get(entry.course, entry.course)
    return {"points": entry.points, "title": entry.title, "course_title": course_title}
