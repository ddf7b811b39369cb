"""The incoming half of the event backbone: each event takes effect once, in order per entity.

The inbox row, the cursor and the effect are one transaction, so the database alone decides what happened;
the broker may deliver as often as it likes. A back end that is down holds the message in place, since
sending it back would change the order. An event that fails for a reason of its own is parked with its
entity, and all other entities go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import structlog
from aiormq.abc import DeliveredMessage
from aiormq.channel import Channel as WireChannel
from aiormq.exceptions import ChannelNotFoundEntity
from prometheus_client import Counter, Histogram
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts import names
from kourse.contracts.errors import Unavailable
from kourse.contracts.events import CATALOG, Event
from kourse.kit import faults, inbox_rows
from kourse.kit.backoff import full_jitter, pause
from kourse.kit.bus import Broker, declare_topology, messages
from kourse.kit.clock import now
from kourse.kit.cursor import Step, decide
from kourse.kit.db import Database
from kourse.kit.delivery import (
    Delivery,
    UndecodableError,
    UnknownEventError,
    delivery_of,
    event_of,
)
from kourse.kit.handling import (
    POISON_TRIES,
    ChannelLostError,
    StoppedError,
    is_retriable,
    span_of,
)
from kourse.kit.inbox_rows import Parked, Standing
from kourse.kit.lifetime import Lifetime

__all__ = ["Consumer", "Delivery", "Handlers"]

log = structlog.get_logger(__name__)
E = TypeVar("E", bound=Event)
T = TypeVar("T")
Handler = Callable[[AsyncSession, E, Delivery], Awaitable[None]]

TAKEN = Counter(
    "kourse_inbox_events_total",
    "Events taken, by what became of them.",
    ["consumer", "type", "outcome"],
)
RETRIES = Counter(
    "kourse_inbox_retries_total", "Attempts that failed and are repeated.", ["consumer", "cause"]
)
LAG = Histogram(
    "kourse_inbox_lag_seconds",
    "Time from the fact to its effect here.",
    ["consumer"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300),
)


class Handlers:
    """The events that one consumer acts on; of its streams' other events it only takes note.

    Attributes:
        consumer: Its name in the catalog, and in the names of its queues.
    """

    def __init__(self, consumer: str) -> None:
        self.consumer = consumer
        self._by_type: dict[str, Handler[Any]] = {}

    def on(self, event: type[E]) -> Callable[[Handler[E]], Handler[E]]:
        """Registers the function that applies this event, in the inbox row's own transaction.

        It may raise ``Unavailable`` (or let a lost connection through) to be called again with the same
        event once the back end is there; any other error is tried five times and then parks the event.

        Raises:
            ValueError: The catalog does not name this consumer for the event, or there is a function.
        """
        kind = event.kind
        if self.consumer not in kind.consumers:
            raise ValueError(f"the catalog does not send {kind.name} to {self.consumer}")
        if kind.name in self._by_type:
            raise ValueError(f"{self.consumer} has a function for {kind.name}")

        def register(handler: Handler[E]) -> Handler[E]:
            self._by_type[kind.name] = handler
            return handler

        return register

    @property
    def types(self) -> frozenset[str]:
        """Wire names of the events that have a function."""
        return frozenset(self._by_type)

    async def apply(self, tx: AsyncSession, delivery: Delivery, body: bytes) -> None:
        """Calls the function of this event, if there is one.

        Raises:
            UnknownEventError: The catalog does not know the type, so a newer build may have a function
                for it, or the payload is not what the catalog says.
        """
        if (handler := self._by_type.get(delivery.type)) is not None:
            await handler(tx, event_of(delivery, body), delivery)
        elif delivery.type not in CATALOG:
            raise UnknownEventError(f"{delivery.type} is not in the catalog")


class Consumer:
    """Takes one consumer's partitions and applies their events for as long as it runs."""

    def __init__(
        self,
        database: Database,
        broker: Broker,
        handlers: Handlers,
        *,
        parts: Iterable[int] = range(names.PARTITIONS),
    ) -> None:
        """Does not consume yet.

        Args:
            database: Of the application role; its schema holds the inbox.
            broker: Where the queues are.
            handlers: What to do with events.
            parts: Partitions to read; a single active reader each is the broker's guard.
        """
        self._inbox = Inbox(database, handlers)
        self._broker = broker
        self._consumer = handlers.consumer
        self._parts = tuple(parts)
        self._life = Lifetime()
        self._stopping = self._life.stopping

    async def run(self) -> None:
        """Consumes until ``stop``; outlives database and broker."""
        with self._life.lived():
            async with asyncio.TaskGroup() as group:
                for part in self._parts:
                    group.create_task(self._read(names.consumer_queue(self._consumer, part)))

    async def stop(self) -> None:
        """Returns once ``run`` has finished the messages in hand and closed its channels."""
        await self._life.end()

    async def _read(self, queue: str) -> None:
        attempt = 0
        while not self._stopping.is_set():
            try:
                await declare_topology(self._broker)
                await self._inbox.prepare()
                async with self._broker.open(prefetch=1) as wire:
                    attempt = 0
                    async with aclosing(messages(wire, queue, self._stopping)) as arriving:
                        async for message in arriving:
                            await self._settle(wire, message)
            except StoppedError:
                return
            except ChannelLostError:
                log.warning("inbox.channel_lost", queue=queue)
            except Unavailable as error:
                if isinstance(error.__cause__, ChannelNotFoundEntity):
                    self._broker.forget_topology()
                attempt += 1
                log.warning("inbox.interrupted", queue=queue, error=str(error))
            await pause(self._stopping, full_jitter(attempt, base_s=0.2, cap_s=10))

    async def _settle(self, wire: WireChannel, message: DeliveredMessage) -> None:
        tag = message.delivery_tag
        if tag is None:
            return
        try:
            delivery = delivery_of(message.header.properties.headers or {})
            await self._take_in_turn(wire, delivery, message.body)
        except UndecodableError as error:
            log.error("inbox.undecodable", consumer=self._consumer, error=str(error))  # noqa: TRY400
            TAKEN.labels(self._consumer, "unknown", "dead").inc()
            await wire.basic_reject(tag, requeue=False)
        else:
            await wire.basic_ack(tag)

    async def _take_in_turn(self, wire: WireChannel, delivery: Delivery, body: bytes) -> None:
        """Takes the event, and then those of its entity that waited for it."""
        following = await self._take(wire, delivery, body)
        while following is not None:
            delivery, body = delivery_of(following.headers), following.payload.encode()
            following = await self._take(wire, delivery, body)

    async def _take(self, wire: WireChannel, delivery: Delivery, body: bytes) -> Parked | None:
        """Returns when the event took effect or is kept in the database; the next one that is due."""
        failures = 0
        with span_of(f"consume {delivery.type}", delivery):
            while True:
                try:
                    return await self._insist(wire, partial(self._inbox.take, delivery, body))
                except (StoppedError, ChannelLostError, UndecodableError):
                    raise
                except Exception as error:
                    failures += 1
                    hopeless = failures >= POISON_TRIES or isinstance(error, UnknownEventError)
                    reason = f"{type(error).__name__}: {error}"
                    log.warning("inbox.failed", failures=failures, exc_info=error)
                    RETRIES.labels(self._consumer, "failure").inc()
                if hopeless:
                    park = partial(self._inbox.poison, delivery, body, reason, failures)
                    await self._insist(wire, park)
                    return None
                await self._rest(wire, full_jitter(failures))

    async def _insist(self, wire: WireChannel, act: Callable[[], Awaitable[T]]) -> T:
        """Repeats what fails because a back end is down, holding the message, for as long as it takes."""
        attempt = 0
        while True:
            try:
                return await act()
            except Exception as error:
                if not is_retriable(error):
                    raise
                attempt += 1
                log.warning("inbox.waiting", attempt=attempt, error=str(error))
                RETRIES.labels(self._consumer, "unavailable").inc()
            await self._rest(wire, full_jitter(attempt))

    async def _rest(self, wire: WireChannel, seconds: float) -> None:
        if await pause(self._stopping, seconds):
            raise StoppedError
        if wire.is_closed:
            raise ChannelLostError


class Inbox:
    """The database's side: one event, one transaction."""

    def __init__(self, database: Database, handlers: Handlers) -> None:
        self._database = database
        self._handlers = handlers
        self._consumer = handlers.consumer
        self._since: datetime | None = None

    async def prepare(self) -> None:
        """Notes when this consumer first ran, once."""
        if self._since is None:
            async with self._database.transaction(None) as tx:
                self._since = await inbox_rows.started(tx, self._consumer)

    async def take(self, delivery: Delivery, body: bytes) -> Parked | None:
        """The event took effect, did so before, or is set aside; the next one that is due.

        Raises:
            UnknownEventError: The payload is not what the catalog says.
            UndecodableError: The body is not even JSON, so it cannot be set aside.
        """
        async with self._database.transaction(delivery.tenant) as tx:
            standing = await inbox_rows.stand(tx, self._consumer, delivery)
            step = self._decide(standing, delivery)
            following = None
            if step is Step.APPLY:
                if await inbox_rows.record(tx, self._consumer, delivery):
                    await self._handlers.apply(tx, delivery, body)
                following = await inbox_rows.advance(tx, self._consumer, delivery)
                await faults.point("inbox.applied")
            elif step is Step.DUPLICATE:
                following = await inbox_rows.due(tx, self._consumer, delivery, standing)
            else:
                await inbox_rows.set_aside(tx, self._consumer, delivery, body, step)
        self._count(delivery, step)
        await faults.point("inbox.committed")
        return following

    async def poison(self, delivery: Delivery, body: bytes, error: str, tries: int) -> None:
        """The event is parked and its entity blocked until a person decides.

        Raises:
            UndecodableError: The body is not even JSON, so it cannot be parked.
        """
        async with self._database.transaction(delivery.tenant) as tx:
            standing = await inbox_rows.stand(tx, self._consumer, delivery)
            if self._decide(standing, delivery) is not Step.DUPLICATE:
                await inbox_rows.poison(tx, self._consumer, delivery, body, error, tries)
        await faults.point("inbox.parked")
        log.error("inbox.parked", type=delivery.type, event_id=str(delivery.id), error=error)
        TAKEN.labels(self._consumer, delivery.type, "parked").inc()

    def _decide(self, standing: Standing, delivery: Delivery) -> Step:
        predates = self._since is not None and delivery.started_at < self._since
        return decide(
            standing.last_seq, blocked=standing.blocked, seq=delivery.seq, predates=predates
        )

    def _count(self, delivery: Delivery, step: Step) -> None:
        TAKEN.labels(self._consumer, delivery.type, step.value).inc()
        if step is Step.APPLY:
            LAG.labels(self._consumer).observe(max((now() - delivery.time).total_seconds(), 0.0))
