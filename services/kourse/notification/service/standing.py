"""Where a learner stands in the game: their points, the level, the streak, and why each point was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.kit.clock import database_now
from kourse.notification.domain import levels, streaks
from kourse.notification.domain.points import Entry
from kourse.notification.repository import calendars, ledger, replicas
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


@dataclass(frozen=True)
class Days:
    """A learner's streak, as their own calendar has it.

    Attributes:
        streak: Days in a row.
        today: The day that it is for the learner.
        studied_today: Whether today counts already.
        time_zone: IANA zone that their days go by now.
    """

    streak: streaks.Streak
    today: date
    studied_today: bool
    time_zone: str


async def days(tx: AsyncSession, learner_id: UUID) -> Days:
    """The learner's streak now."""
    calendar = await calendars.calendar_of(tx, learner_id)
    now = await database_now(tx)
    today = calendar.day_of(now)
    studied = {calendar.day_of(at) for at in await ledger.study_moments(tx, learner_id)}
    return Days(
        streak=streaks.streak(studied, today),
        today=today,
        studied_today=today in studied,
        time_zone=calendar.zone_at(now),
    )


async def of(tx: AsyncSession, learner_id: UUID) -> Standing:
    """Points and level of a learner."""
    total = await ledger.sum_points(tx, learner_id)
    reached = levels.level(total)
    return Standing(total, reached, levels.points_needed(reached + 1))


async def explained_entries(
    tx: AsyncSession, learner_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[ExplainedEntry]:
    """A page of the ledger, newest first, every point explained."""
    entries = await ledger.list_counted(tx, learner_id, after=after, limit=limit)
    locale = await replicas.locale_of(tx, learner_id)
    titles = await replicas.course_titles(tx, sorted({one.course for one in entries}))
    return [
        ExplainedEntry(one, rendering.explanation(one.reason, locale, _facts(one, titles)))
        for one in entries
    ]


def _facts(entry: Entry, titles: dict[str, str]) -> dict[str, Any]:
    course_title = titles.get(entry.course, entry.course)
    return {"points": entry.points, "title": entry.title, "course_title": course_title}
