"""Looks at ledgers that have changed: badges that were won, levels that were reached.

A fact asks for a look in its own transaction; the look comes after the commit, in another. So of two facts
that come at once, the look that begins last sees both, and no fact waits for another. Looking again finds
nothing new.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.events import BadgeWon, LevelReached
from kourse.kit import outbox, sweeping
from kourse.kit.db import Database
from kourse.kit.runtime import Runtime
from kourse.notification.domain import badges, levels
from kourse.notification.domain.badges import PLATFORM, Won
from kourse.notification.domain.kinds import Kind
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
        for learner_id in taken.learners:
            await judge(tx, learner_id)
    return taken.count


async def judge(tx: AsyncSession, learner_id: UUID) -> None:
    """The learner has what their ledger has earned them, and is told what is new; again changes nothing."""
    if await former.is_former(tx, learner_id):
        return
    await reviews.lock(tx, learner_id)
    found = await ledger.ledger_of(tx, learner_id)
    if not found:
        return
    calendar = await calendars.calendar_of(tx, learner_id)
    sheets = await trophies.list_sheets(tx, sorted({one.course for one in found}))
    won = badges.won([PLATFORM, *sheets], found, calendar)
    new = await trophies.add_won(tx, learner_id, list(won.values()))
    for one in sorted((won[id_] for id_ in new), key=lambda one: (one.at, one.badge.id)):
        await _announce(tx, learner_id, one)
    reached = levels.reached(found)
    for level in sorted(await trophies.add_levels(tx, learner_id, reached.items())):
        event = LevelReached(learner_id=learner_id, level=level, reached_at=reached[level])
        await outbox.emit(tx, event)


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
