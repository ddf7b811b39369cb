"""What a learner has won, and how far they are with what they can still win."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.domain import badges
from kourse.notification.domain.badges import PLATFORM, Sheet
from kourse.notification.domain.calendars import Calendar
from kourse.notification.domain.points import Entry
from kourse.notification.repository import calendars, ledger, replicas, trophies
from kourse.notification.repository.trophies import Trophy
from kourse.notification.service import rendering


@dataclass(frozen=True)
class Held:
    """A badge that the learner has, in their language.

    Attributes:
        course: Name of its course; None for one of the platform.
    """

    id: UUID
    key: str
    course: str | None
    title: str
    description: str
    won_at: datetime


@dataclass(frozen=True)
class Open:
    """A badge that the learner can win, in their language.

    Attributes:
        course: Name of its course; None for one of the platform.
        count: How far they are.
        threshold: How far they must come.
    """

    id: UUID
    key: str
    course: str | None
    title: str
    description: str
    count: int
    threshold: int


@dataclass(frozen=True)
class Collection:
    """A learner's badges: those they have, newest first, and those of their courses that they have not."""

    held: Sequence[Held]
    open: Sequence[Open]


async def collection(tx: AsyncSession, learner_id: UUID) -> Collection:
    """The learner's badges now."""
    locale = await replicas.locale_of(tx, learner_id)
    held = [_held(one, locale) for one in await trophies.list_won(tx, learner_id)]
    entries = await ledger.ledger_of(tx, learner_id)
    courses = await replicas.courses_of(tx, learner_id)
    calendar = await calendars.calendar_of(tx, learner_id)
    owned = {one.id for one in held}
    return Collection(
        held=held,
        open=[
            found
            for sheet in (*_newest(await trophies.list_sheets(tx, courses)), PLATFORM)
            for found in _open(sheet, entries, calendar, locale)
            if found.id not in owned
        ],
    )


def _newest(sheets: Sequence[Sheet]) -> Sequence[Sheet]:
    by_course: Mapping[str | None, Sheet] = {sheet.course: sheet for sheet in sheets}
    return list(by_course.values())


def _open(
    sheet: Sheet, entries: Sequence[Entry], calendar: Calendar, locale: str
) -> Sequence[Open]:
    growth = badges.growths(entries, calendar, sheet.course)
    return [
        Open(
            badge.id,
            badge.key,
            sheet.course,
            *_words(sheet.course, badge.key, (badge.title, badge.description), locale),
            count=min(badges.count(growth, badge), badge.threshold),
            threshold=badge.threshold,
        )
        for badge in sheet.badges
    ]


def _held(one: Trophy, locale: str) -> Held:
    words = _words(one.course, one.key, (one.title, one.description), locale)
    return Held(one.badge_id, one.key, one.course, *words, won_at=one.won_at)


def _words(course: str | None, key: str, declared: tuple[str, str], locale: str) -> tuple[str, str]:
    return rendering.platform_badge(key, locale) if course is None else declared
