"""A change alone, and the same change with its event, through the same session and at the same rate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, Uuid, bindparam, insert
from sqlalchemy import update as update_of

from hack.bench.events_load import TENANT
from hack.bench.events_rooms import PRODUCER, Room
from kourse.contracts.events import LessonCompleted
from kourse.kit.db import Database, Transaction
from kourse.kit.outbox import Change, write

WRITERS = 8
"""Transactions at a time."""
WARM_UP_S = 1.0
_PROGRESS = Table(
    "bench_progress",
    MetaData(schema=PRODUCER),
    Column("tenant", Text, primary_key=True),
    Column("enrolment_id", Uuid, primary_key=True),
    Column("completed", BigInteger),
)
_UPDATE = (
    update_of(_PROGRESS)
    .where(_PROGRESS.c.tenant == bindparam("owner"), _PROGRESS.c.enrolment_id == bindparam("of"))
    .values(completed=_PROGRESS.c.completed + 1)
)
_CHANGE = Change(_UPDATE)
_BARE = (
    "UPDATE course.bench_progress SET completed = completed + 1"
    " WHERE tenant = %(owner)s AND enrolment_id = %(of)s"
)
Write = Callable[[Transaction, UUID, int], Awaitable[None]]


@dataclass(frozen=True)
class Rates:
    """Commits per second."""

    bare: float
    with_event: float


async def _bare(tx: Transaction, of: UUID, _number: int) -> None:
    values = {"owner": TENANT, "of": of}
    await tx.run_sync(lambda session: session.connection().exec_driver_sql(_BARE, values))


async def _with_event(tx: Transaction, of: UUID, number: int) -> None:
    event = LessonCompleted(
        enrolment_id=of,
        learner_id=of,
        course_id=of,
        course="statistics",
        cohort="autumn",
        lesson_id=of,
        lesson="what-data-are",
        title="What data are",
        completed=number,
        total=1 << 20,
    )
    await write(tx, _CHANGE, {"owner": TENANT, "of": of}, event)


async def _rate(database: Database, learners: list[UUID], act: Write, seconds: float) -> float:
    """Commits per second of ``WRITERS`` that write one after the other, each to its own learners."""
    end = time.perf_counter() + seconds

    async def commit(own: list[UUID]) -> int:
        done = 0
        while time.perf_counter() < end:
            async with database.transaction(TENANT) as tx:
                await act(tx, own[done % len(own)], done)
            done += 1
        return done

    begun = time.perf_counter()
    counts = await asyncio.gather(*(commit(learners[at::WRITERS]) for at in range(WRITERS)))
    return sum(counts) / (time.perf_counter() - begun)


async def write_rates(room: Room, rounds: int, seconds: float) -> list[Rates]:
    """So many rounds of both kinds of write, in turns, after a warm-up; nobody relays meanwhile."""
    database = Database(room.urls[f"kourse_{PRODUCER}"], PRODUCER, pool_size=WRITERS + 1)
    learners = [uuid4() for _ in range(40 * WRITERS)]
    rates: list[Rates] = []
    try:
        async with database.transaction(TENANT) as tx:
            rows = [{"tenant": TENANT, "enrolment_id": id_, "completed": 0} for id_ in learners]
            await tx.execute(insert(_PROGRESS), rows)
        for act in (_bare, _with_event):
            await _rate(database, learners, act, WARM_UP_S)
        for number in range(rounds):
            order = (_bare, _with_event) if number % 2 == 0 else (_with_event, _bare)
            measured = {act: await _rate(database, learners, act, seconds) for act in order}
            rates.append(Rates(measured[_bare], measured[_with_event]))
    finally:
        await database.close()
    return rates
