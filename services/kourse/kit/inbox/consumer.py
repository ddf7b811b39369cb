"""A consumer's replica: it holds its share of the partitions and reads each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from redis.asyncio import Redis

from kourse.contracts import names
from kourse.contracts.errors import Unavailable
from kourse.kit.backoff import pause
from kourse.kit.bus import Broker, declare_topology
from kourse.kit.db import Database
from kourse.kit.inbox import aside
from kourse.kit.inbox.gaps import Archive, Gaps
from kourse.kit.inbox.handlers import Handlers
from kourse.kit.inbox.leases import HELD, LEASE_S, RENEW_S, Leases, Share
from kourse.kit.inbox.marks import Marks
from kourse.kit.inbox.reading import OLDEST, Reader
from kourse.kit.inbox.taking import Hold, Inbox, Taker
from kourse.kit.lifetime import Lifetime
from kourse.kit.sweeping import repeat

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Pace:
    """How often a consumer does what time alone calls for.

    Attributes:
        lease_s: Seconds after which the partitions of a silent replica are free.
        renew_s: Seconds between renewals of leases, several in ``lease_s``.
        gap_s: Seconds after which a missing event alerts and is fetched from the archive.
        look_s: Seconds between looks at what stands aside.
    """

    lease_s: float = LEASE_S
    renew_s: float = RENEW_S
    gap_s: float = 300.0
    look_s: float = 5.0


class Consumer:
    """Takes this replica's share of one consumer's events for as long as it runs.

    Attributes:
        parts: Partitions that it reads at the moment.
    """

    def __init__(
        self,
        database: Database,
        broker: Broker,
        handlers: Handlers,
        *,
        parts: Iterable[int] = range(names.PARTITIONS),
        cache: Redis | None = None,
        worker: Database | None = None,
        archive: Archive | None = None,
        pace: Pace | None = None,
    ) -> None:
        """Does not consume yet.

        Args:
            database: Of the application role; its schema holds the inbox.
            broker: Where the queues are.
            handlers: What to do with events.
            parts: Partitions that all replicas share.
            cache: Where marks of what is done are; without it the database answers alone.
            worker: Of the worker role; without it nobody looks at gaps.
            archive: Where missing events are fetched; without it gaps only alert.
            pace: How often it does what.
        """
        self._database = database
        self._broker = broker
        self._handlers = handlers
        self._consumer = handlers.consumer
        self._worker = worker
        self._archive = archive
        self._pace = pace or Pace()
        self._life = Lifetime()
        self._stopping = self._life.stopping
        self._inbox = Inbox(database, handlers)
        self._marks = Marks(cache, self._consumer)
        self._taker = Taker(self._inbox, self._consumer, self._marks)
        self._leases = Leases(database, self._consumer, parts, lease_s=self._pace.lease_s)
        self._readers: dict[int, Reader] = {}
        OLDEST.labels(self._consumer).set_function(self._oldest_age_s)

    @property
    def parts(self) -> set[int]:
        """Partitions that it reads at the moment."""
        return set(self._readers)

    def _oldest_age_s(self) -> float:
        return max((reader.oldest_age_s for reader in tuple(self._readers.values())), default=0.0)

    async def run(self) -> None:
        """Consumes until ``stop``; outlives database and broker."""
        with self._life.lived():
            async with asyncio.TaskGroup() as group:
                beside = [group.create_task(loop) for loop in self._beside()]
                try:
                    await self._hold(group)
                finally:
                    for task in beside:
                        task.cancel()
                    await self._end(self.parts)
                    with suppress(Unavailable):
                        await self._leases.leave()

    async def stop(self) -> None:
        """Returns once ``run`` has finished the batches in hand and others may take its partitions."""
        await self._life.end()

    def _beside(self) -> Iterator[Coroutine[Any, Any, None]]:
        count = partial(
            aside.count_dead_letters, self._broker, self._consumer, self._readers.keys()
        )
        yield repeat(count, self._pace.look_s)
        if self._worker is None:
            return
        gaps = Gaps(
            self._database,
            self._worker,
            self._handlers,
            partial(self._taker.take, hold=Hold(self._stopping)),
            self._archive,
            gap_s=self._pace.gap_s,
        )
        yield gaps.run(self._readers.keys(), self._inbox.begun, self._pace.look_s)
        yield repeat(partial(aside.measure, self._worker, self._consumer), self._pace.look_s)

    async def _hold(self, group: asyncio.TaskGroup) -> None:
        while not self._stopping.is_set():
            try:
                self._marks.trust(await self._inbox.prepare())
                # Who cannot reach the broker renews nothing, so that others read instead.
                await declare_topology(self._broker)
                await self._follow(await self._leases.renew(), group)
            except Unavailable as error:
                log.warning("inbox.leases_wait", consumer=self._consumer, reason=error.detail)
            await pause(self._stopping, self._pace.renew_s)

    async def _follow(self, share: Share, group: asyncio.TaskGroup) -> None:
        """Reads what this replica holds, and lets others have what is above its share."""
        for part in share.parts.keys() - self._readers.keys() - share.surplus:
            self._readers[part] = Reader(
                self._broker, self._consumer, part, self._taker, batch=self._handlers.batch
            )
            group.create_task(self._readers[part].run())
            log.info("inbox.part_taken", consumer=self._consumer, part=part)
        for part in self._readers.keys() & (share.surplus | self._readers.keys() - share.parts):
            # Beside the renewals, which must not wait for the batch in hand.
            group.create_task(self._end({part}))
        if given_back := share.surplus - self._readers.keys():
            await self._leases.release(given_back)
        HELD.labels(self._consumer).set(len(self._readers))

    async def _end(self, parts: set[int]) -> None:
        ending = {part: self._readers[part] for part in parts}
        await asyncio.gather(*(reader.stop() for reader in ending.values()))
        for part, reader in ending.items():
            if self._readers.get(part) is reader:
                del self._readers[part]
                log.info("inbox.part_left", consumer=self._consumer, part=part)
        HELD.labels(self._consumer).set(len(self._readers))
