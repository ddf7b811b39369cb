"""The outbox relay: publishes one service's events, in order per entity, and never skips ahead.

Replicas share the 16 partitions, each held by one of them (``kit.shares``). A relay that lost a partition
without noticing can only publish duplicates, which the consumers' inbox drops. Events are marked published
after the broker's confirm, never before. Partitions are worked in two lanes, so that one lane is with the
database while the other waits for confirms; no partition ever has two batches in flight.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Coroutine
from typing import Any

import psycopg
import structlog
from prometheus_client import Gauge

from kourse.contracts.errors import Unavailable
from kourse.kit.backoff import full_jitter, pause
from kourse.kit.bus import Broker
from kourse.kit.db import Database, is_transient, statement
from kourse.kit.lifetime import Lifetime
from kourse.kit.relay_link import Link, connect
from kourse.kit.retention import forget_for_ever
from kourse.kit.waking import CHANNEL

log = structlog.get_logger(__name__)

LANES = 2
ROUND_S = 1.0
"""Seconds between looks at what the other replicas hold, and, without a notification, at the outbox."""
LINGER_S = 0.01
"""Least seconds between the beginnings of small batches that follow each other: with much traffic there are
fewer and larger ones, and with little nothing waits."""
SMALL = 128
"""Events below which a batch is small."""
MEASURE_S = 5.0
"""Seconds between measurements of the backlog."""

PENDING = Gauge("kourse_outbox_pending", "Events not yet published.", ["service"])
OLDEST = Gauge(
    "kourse_outbox_oldest_age_seconds", "Age of the oldest unpublished event.", ["service"]
)
PARTS = Gauge("kourse_outbox_parts", "Partitions that this replica publishes.", ["service"])

_BACKLOG = """
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)
FROM {schema}.outbox WHERE published_at IS NULL
"""


class Relay:
    """Publishes one service's outbox for as long as it runs.

    Attributes:
        parts: Partitions that this relay holds at the moment.
    """

    def __init__(self, database: Database, broker: Broker) -> None:
        """Neither connects nor publishes yet.

        Args:
            database: Of the worker role, whose policy shows it every tenant's outbox.
            broker: Where to.
        """
        self.parts: frozenset[int] = frozenset()
        self._database = database
        self._service = database.schema
        self._broker = broker
        self._life = Lifetime()
        self._stopping = self._life.stopping
        self._wakes = tuple(asyncio.Event() for _ in range(LANES))

    async def run(self) -> None:
        """Relays until ``stop``; outlives database and broker, and loses nothing meanwhile."""
        with self._life.lived():
            loops = (self._listen(), self._measure(), forget_for_ever(self._database))
            beside = [asyncio.create_task(loop) for loop in loops]
            try:
                await self._relay()
            finally:
                await _end(beside)

    async def stop(self) -> None:
        """Returns once ``run`` has finished the batch in hand and given its partitions back."""
        self._stopping.set()
        self._wake()
        await self._life.end()

    async def _relay(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            try:
                async with Link.open(self._database, self._broker) as link:
                    attempt = 0
                    await self._relay_over(link)
            except (Unavailable, psycopg.Error) as error:
                if isinstance(error, psycopg.Error) and not is_transient(error):
                    log.exception("relay.failed", service=self._service)
                attempt += 1
                log.warning("relay.interrupted", service=self._service, error=str(error))
                await pause(self._stopping, full_jitter(attempt, base_s=0.2, cap_s=10))
            finally:
                self._hold(frozenset())

    async def _relay_over(self, link: Link) -> None:
        while not self._stopping.is_set():
            await link.settle()
            self._hold(link.shares.parts)
            parts, until = sorted(self.parts), time.monotonic() + ROUND_S
            await _together(
                *(
                    self._relay_lane(link, parts[lane::LANES], self._wakes[lane], until)
                    for lane in range(LANES)
                )
            )

    async def _relay_lane(
        self, link: Link, parts: Collection[int], wake: asyncio.Event, until: float
    ) -> None:
        while not self._stopping.is_set() and (left := until - time.monotonic()) > 0:
            wake.clear()
            rested = time.monotonic() + LINGER_S
            published = await link.publish_pending(parts)
            if not published:
                await pause(wake, left)
            elif published < SMALL:
                await asyncio.sleep(rested - time.monotonic())

    def _hold(self, parts: frozenset[int]) -> None:
        self.parts = parts
        PARTS.labels(self._service).set(len(parts))

    def _wake(self) -> None:
        for wake in self._wakes:
            wake.set()

    async def _listen(self) -> None:
        while True:
            try:
                async with await connect(self._database, "relay listener") as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self._wake()  # for what was committed before anybody listened
                    async for notice in connection.notifies():
                        if notice.payload == self._service:
                            self._wake()
            except psycopg.Error:
                await asyncio.sleep(ROUND_S)

    async def _measure(self) -> None:
        backlog = statement(self._service, _BACKLOG)
        while True:
            try:
                async with self._database.transaction(None) as tx:
                    pending, age_s = (await tx.execute(backlog)).one()
                PENDING.labels(self._service).set(pending)
                OLDEST.labels(self._service).set(float(age_s))
            except Unavailable:
                pass
            await asyncio.sleep(MEASURE_S)


async def _together(*loops: Coroutine[Any, Any, None]) -> None:
    """Runs the loops side by side; when one fails or this is cancelled, none runs any more."""
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        await asyncio.gather(*tasks)
    finally:
        await _end(tasks)


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
