"""Looks at ledgers that have changed: badges that were won, levels that were reached.

A fact asks for a look in its own transaction; the look comes after the commit, in another. So of two facts
that come at once, the look that begins last sees both, and no fact waits for another. Looking again finds
nothing new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.events import BadgeWon, LevelReached
from kourse.kit import outbox, sweeping
from kourse.kit.db import Database
from kourse.kit.runtime import Runtime
from kourse.notification.domain import badges, levels
from kourse.notification.domain.badges import PLATFORM, Sheet, Won
from kourse.notification.domain.calendars import Calendar
from kourse.notification.domain.kinds import Kind
from kourse.notification.domain.points import Entry
from kourse.notification.repository import calendars, former, ledger, notices, reviews, trophies
from kourse.notification.repository.notices import Notice

BATCH = 50
"""Requests that one transaction deals with, so that no lock is held for long."""


async def judge_forever(runtime: Runtime) -> None:
    """Looks again and again until it is cancelled."""
    await sweeping.repeat(
        lambda: sweep(runtime.database, runtime.worker_database), runtime.settings.review_poll_s
    )


async def sweep(database: Database, worker: Database) -> int:
    """Looks at all that there is to look at now; how many requests were dealt with."""
    total = 0
    while True:
        async with worker.transaction(None) as tx:
            tenants = await reviews.list_tenants(tx)
        taken = [await _deal_with(database, tenant) for tenant in tenants]
        total += sum(taken)
        if not any(taken):
            return total


async def _deal_with(database: Database, tenant: str) -> int:
    async with database.transaction(tenant) as tx:
        taken = await reviews.take(tx, BATCH)
        for course in taken.courses:
            await reviews.expand(tx, course)
        await judge(tx, taken.learners)
    return taken.count


async def judge(tx: AsyncSession, learners: Sequence[UUID]) -> None:
    """Learners have what their ledgers earned them, and are told what is new; again changes nothing.

    Args:
        tx: A transaction of their tenant.
        learners: Whose ledgers to look at, in ascending order.
    """
    present = await former.without_former(tx, learners)
    await reviews.lock(tx, present)
    ledgers = await ledger.ledgers_of(tx, present)
    won = await _won(tx, ledgers)
    new = await trophies.add_won(tx, won)
    for learner_id, one in sorted(won, key=lambda pair: (pair[1].at, pair[1].badge.id)):
        if (learner_id, one.badge.id) in new:
            await _announce(tx, learner_id, one)
    reached = {
        (learner_id, level): at
        for learner_id, found in ledgers.items()
        for level, at in levels.reached(found).items()
    }
    news = await trophies.add_levels(tx, ((*key, at) for key, at in reached.items()))
    for learner_id, level in sorted(news):
        at = reached[learner_id, level]
        await outbox.emit(tx, LevelReached(learner_id=learner_id, level=level, reached_at=at))


async def _won(tx: AsyncSession, ledgers: Mapping[UUID, Sequence[Entry]]) -> list[tuple[UUID, Won]]:
    courses = {entry.course for found in ledgers.values() for entry in found}
    sheets = await trophies.list_sheets(tx, sorted(courses))
    known = await calendars.calendars_of(tx, list(ledgers))
    return [
        (learner_id, one)
        for learner_id, found in ledgers.items()
        for one in badges.won(
            [PLATFORM, *_concerning(found, sheets)], found, known.get(learner_id, Calendar())
        ).values()
    ]


def _concerning(found: Sequence[Entry], sheets: Sequence[Sheet]) -> list[Sheet]:
    courses = {entry.course for entry in found}
    return [sheet for sheet in sheets if sheet.course in courses]


async def _announce(tx: AsyncSession, learner_id: UUID, won: Won) -> None:
    event_id = await outbox.emit(
        tx,
        BadgeWon(
            learner_id=learner_id,
            badge_id=won.badge.id,
            badge=won.badge.key,
            course_id=won.sheet.course_id,
            course=won.sheet.course,
            won_at=won.at,
        ),
    )
    params = {
        "badge_id": str(won.badge.id),
        "badge": won.badge.key,
        "title": won.badge.title,
        "description": won.badge.description,
    }
    if won.sheet.course_id is not None and won.sheet.course is not None:
        params |= {"course_id": str(won.sheet.course_id), "course": won.sheet.course}
    await notices.tell(tx, learner_id, Notice(Kind.BADGE_WON, params, event_id))
