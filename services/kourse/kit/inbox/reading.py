"""Reads one partition: whatever has arrived is a batch, acknowledged when all of it is dealt with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import structlog
from prometheus_client import Counter, Gauge

from kourse.contracts import names
from kourse.contracts.errors import Unavailable
from kourse.kit import amqp, faults
from kourse.kit.amqp import NOT_FOUND
from kourse.kit.backoff import full_jitter, pause
from kourse.kit.bus import Broker, declare_topology
from kourse.kit.clock import now
from kourse.kit.delivery import UndecodableError
from kourse.kit.handling import ChannelLostError, StoppedError
from kourse.kit.inbox.cursor import Arrival
from kourse.kit.inbox.taking import TAKEN, Hold, Taker
from kourse.kit.lifetime import Lifetime

log = structlog.get_logger(__name__)

MISSING = Counter(
    "kourse_inbox_queues_missing_total", "Times that a queue was not there any more.", ["consumer"]
)
OLDEST = Gauge(
    "kourse_inbox_oldest_age_seconds",
    "Age of the oldest event that waits in the queues this replica reads; 0 when none does.",
    ["consumer"],
)
"""What a consumer is scaled by: it rises when events come faster than they take effect."""


class Reader:
    """Reads one partition for as long as it runs."""

    def __init__(
        self, broker: Broker, consumer: str, part: int, taker: Taker, *, batch: int
    ) -> None:
        """Does not read yet.

        Args:
            broker: Where the queue is.
            consumer: Name of the consumer.
            part: Partition.
            taker: Takes the events.
            batch: Most events in hand; more wait at the broker.
        """
        self._batch = batch
        self._broker = broker
        self._consumer = consumer
        self._queue = names.consumer_queue(consumer, part)
        self._taker = taker
        self._life = Lifetime()
        self._stopping = self._life.stopping
        self._since: datetime | None = None

    @property
    def oldest_age_s(self) -> float:
        """Age in seconds of the event at the head of the queue; 0 when it is empty.

        The queue gives its events in order and no more than are in hand, so the first of those is its head.
        """
        since = self._since
        return 0.0 if since is None else max(0.0, (now() - since).total_seconds())

    async def run(self) -> None:
        """Reads until ``stop``; outlives the broker."""
        with self._life.lived():
            attempt = 0
            while not self._stopping.is_set():
                try:
                    await declare_topology(self._broker)
                    async with self._broker.reading(
                        self._queue, prefetch=self._batch, stopping=self._stopping
                    ) as channel:
                        attempt = 0
                        await self._read(channel)
                except StoppedError:
                    return
                except ChannelLostError:
                    log.warning("inbox.channel_lost", queue=self._queue)
                except Unavailable as error:
                    if getattr(error.__cause__, "code", 0) == NOT_FOUND:
                        self._tell_missing()
                    attempt += 1
                    log.warning("inbox.interrupted", queue=self._queue, error=str(error))
                finally:
                    self._since = None  # what was in hand is somebody's again
                await pause(self._stopping, full_jitter(attempt, base_s=0.2, cap_s=10))

    async def stop(self) -> None:
        """Returns once ``run`` has finished the batch in hand and closed its channel."""
        await self._life.end()

    async def _read(self, channel: amqp.Reader) -> None:
        hold = Hold(self._stopping, lambda: not channel.is_open)
        while batch := await channel.batch():
            tags, refused = self._decoded(batch)
            self._since = min((each.delivery.time for each in tags), default=None)
            for unfit in await self._taker.take(list(tags), hold):
                self._refuse(unfit.delivery.type, "the body is not JSON")
                refused.append(tags.pop(unfit))
            for tag in refused:
                channel.reject(tag)
            if tags:
                channel.ack(max(tags.values()))
            self._since = None
            await faults.point("inbox.acknowledged")

    def _decoded(self, batch: Iterable[amqp.Message]) -> tuple[dict[Arrival, int], list[int]]:
        """The events by their tags, and the tags of what is none."""
        tags: dict[Arrival, int] = {}
        refused: list[int] = []
        for message in batch:
            try:
                tags[Arrival.read(message.fields, message.body)] = message.tag
            except (UndecodableError, amqp.MalformedError) as error:
                self._refuse("unknown", str(error))
                refused.append(message.tag)
        return tags, refused

    def _tell_missing(self) -> None:
        """The next attempt makes the queue again; what other queues got meanwhile it has missed."""
        log.error("inbox.queue_missing", queue=self._queue)
        MISSING.labels(self._consumer).inc()
        self._broker.forget_topology()

    def _refuse(self, type_: str, reason: str) -> None:
        log.error("inbox.undecodable", queue=self._queue, reason=reason)
        TAKEN.labels(self._consumer, type_, "dead").inc()
