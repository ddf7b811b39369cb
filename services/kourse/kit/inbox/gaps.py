"""Events that never came: noticed when later ones wait for them, and fetched from their producer's archive.

The same look releases what waits and is due, since nothing stands before it any more: after a person
unblocked an entity, or after a crash between two events.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from prometheus_client import Counter

from kourse.contracts import names
from kourse.contracts.errors import Unavailable
from kourse.kit.backoff import pause
from kourse.kit.db import Database, statement
from kourse.kit.delivery import UndecodableError
from kourse.kit.handling import StoppedError
from kourse.kit.inbox import rows
from kourse.kit.inbox.cursor import Arrival, Entity
from kourse.kit.inbox.handlers import Handlers

log = structlog.get_logger(__name__)

GAPS_AT_ONCE = 100
"""Entities that one look deals with; the others wait for the next one."""
OVERDUE = Counter(
    "kourse_inbox_gaps_overdue_total", "Gaps that did not close in time.", ["consumer"]
)
REFETCHED = Counter(
    "kourse_inbox_refetched_total", "Events fetched from their producer's archive.", ["consumer"]
)
LOST = Counter(
    "kourse_inbox_lost_beginnings_total",
    "Entities whose first events the archive no longer holds, taken up where it begins.",
    ["consumer"],
)

_GAPS = """
SELECT p.tenant, p.stream, p.entity, c.last_seq, min(p.seq) AS first_seq,
  bool_or(p.parked_at < clock_timestamp() - make_interval(secs => :gap_s)) AS is_overdue
FROM {schema}.parked_event AS p
JOIN {schema}.inbox_cursor AS c USING (consumer, tenant, stream, entity)
WHERE p.consumer = :consumer AND p.reason = 'gap' AND NOT c.blocked
GROUP BY p.tenant, p.stream, p.entity, c.last_seq ORDER BY min(p.parked_at)
"""


class Archive(Protocol):
    """The producers' outboxes, which keep what was published."""

    async def fetch(
        self, tenant: str, stream: str, entity: str, after_seq: int, before_seq: int
    ) -> Sequence[Arrival]:
        """The archived events of an entity between two numbers, both exclusive, in their order.

        May be fewer than there are, but then the first of them; none when it holds none of them.

        Raises:
            Unavailable: The producer does not answer.
            UndecodableError: What it answers are no events.
        """


@dataclass(frozen=True)
class _Gap:
    tenant: str
    stream: str
    entity: str
    last_seq: int
    first_seq: int
    is_overdue: bool

    @property
    def is_due(self) -> bool:
        return self.first_seq <= self.last_seq + 1


class Gaps:
    """Closes the gaps of one consumer."""

    def __init__(
        self,
        database: Database,
        worker: Database,
        handlers: Handlers,
        take: Callable[[Sequence[Arrival]], Awaitable[object]],
        archive: Archive | None,
        *,
        gap_s: float,
    ) -> None:
        """Looks at nothing yet.

        Args:
            database: Of the application role.
            worker: Of the worker role, which sees every tenant's gaps.
            handlers: Whose gaps.
            take: Takes what was missing.
            archive: Where to fetch it; None only alerts.
            gap_s: Age in seconds from which a gap alerts and is fetched.
        """
        self._database = database
        self._worker = worker
        self._consumer = handlers.consumer
        self._from_beginning = handlers.begins == "archive"
        self._take = take
        self._archive = archive
        self._gap_s = gap_s
        self._told: set[tuple[str, Entity, int]] = set()

    async def run(self, parts: Collection[int], begun: asyncio.Event, every_s: float) -> None:
        """Looks every ``every_s`` seconds, and at once when ``begun`` is set, until it is cancelled.

        Args:
            parts: Partitions that this replica holds, as they are at each look.
            begun: Set when an entity began in its middle.
            every_s: Seconds between looks.
        """
        while True:
            begun.clear()
            try:
                await self.close_all(parts)
            except StoppedError:
                return
            except Unavailable as error:
                log.warning("inbox.gaps_wait", consumer=self._consumer, reason=error.detail)
            await pause(begun, every_s)

    async def close_all(self, parts: Collection[int]) -> None:
        """Takes what is due in these partitions, and what is missing for too long.

        Raises:
            Unavailable: The database or an archive does not answer; other gaps were dealt with.
            StoppedError: The process stops.
        """
        values = {"consumer": self._consumer, "gap_s": self._gap_s}
        async with self._worker.transaction(None) as tx:
            found = await tx.execute(statement(self._worker.schema, _GAPS), values)
            gaps = [_Gap(*row) for row in found]
        ours = [gap for gap in gaps if names.partition(gap.entity) in parts and self._is_up(gap)]
        failure: Unavailable | None = None
        for gap in ours[:GAPS_AT_ONCE]:
            try:
                await self._close(gap)
            except Unavailable as error:
                failure = error
            except UndecodableError:
                log.exception("inbox.archive_unreadable", **self._naming(gap))
        if failure is not None:
            raise failure

    def _is_up(self, gap: _Gap) -> bool:
        return gap.is_due or gap.is_overdue or self._begins_late(gap)

    def _begins_late(self, gap: _Gap) -> bool:
        return self._from_beginning and gap.last_seq == 0

    async def _close(self, gap: _Gap) -> None:
        if gap.is_overdue and not gap.is_due:
            self._alert(gap)
        if not gap.is_due:
            await self._fetch(gap)
        await self._take(await self._due(gap))

    async def _fetch(self, gap: _Gap) -> None:
        after = gap.last_seq
        while self._archive is not None and after + 1 < gap.first_seq:
            page = await self._archive.fetch(
                gap.tenant, gap.stream, gap.entity, after, gap.first_seq
            )
            oldest = page[0].delivery.seq if page else gap.first_seq
            if after == 0 and oldest > 1 and self._from_beginning:
                await self._take_up(gap, oldest)
            if not page:
                return
            REFETCHED.labels(self._consumer).inc(len(page))
            await self._take(page)
            after = page[-1].delivery.seq

    async def _take_up(self, gap: _Gap, oldest: int) -> None:
        LOST.labels(self._consumer).inc()
        log.warning("inbox.beginning_lost", **self._naming(gap), begins_at=oldest)
        async with self._database.transaction(gap.tenant) as tx:
            await rows.skip_to(tx, self._consumer, (gap.stream, gap.entity), oldest - 1)

    async def _due(self, gap: _Gap) -> list[Arrival]:
        entity = (gap.stream, gap.entity)
        async with self._database.transaction(gap.tenant) as tx:
            standing = (await rows.stand(tx, self._consumer, [entity]))[entity]
            if standing.blocked:
                return []
            return await rows.settle(tx, self._consumer, {entity: standing.last_seq})

    def _alert(self, gap: _Gap) -> None:
        key = (gap.tenant, (gap.stream, gap.entity), gap.first_seq)
        if key not in self._told:
            self._told.add(key)
            OVERDUE.labels(self._consumer).inc()
            log.error("inbox.gap_overdue", **self._naming(gap), waits=gap.first_seq)

    def _naming(self, gap: _Gap) -> dict[str, object]:
        return {
            "consumer": self._consumer,
            "tenant": gap.tenant,
            "stream": gap.stream,
            "entity": gap.entity,
            "stands_at": gap.last_seq,
        }
