"""How events take effect: many in one transaction, and one by one when that fails."""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

import structlog
from prometheus_client import Counter, Histogram
from structlog.contextvars import bound_contextvars

from kourse.kit import faults
from kourse.kit.backoff import full_jitter, pause
from kourse.kit.clock import now
from kourse.kit.db import Database
from kourse.kit.delivery import Delivery, UndecodableError, UnknownEventError
from kourse.kit.handling import (
    POISON_TRIES,
    ChannelLostError,
    StoppedError,
    is_retriable,
    span_of_many,
)
from kourse.kit.inbox import rows
from kourse.kit.inbox.cursor import Arrival, Plan, Step, plan
from kourse.kit.inbox.gathering import AT_ONCE, Gathering
from kourse.kit.inbox.handlers import Handlers
from kourse.kit.inbox.marks import Marks

log = structlog.get_logger(__name__)
T = TypeVar("T")

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


@dataclass
class Taken:
    """What became of events.

    Attributes:
        done: Ids of those whose effect is there, by this or an earlier transaction.
        following: Events that had waited and are due now.
    """

    done: list[UUID] = field(default_factory=list)
    following: list[Arrival] = field(default_factory=list)


class Inbox:
    """The database's side: events of one tenant, one transaction.

    Attributes:
        begun: Set when an entity began in its middle, for a consumer that wants its beginning.
    """

    def __init__(self, database: Database, handlers: Handlers) -> None:
        self._database = database
        self._handlers = handlers
        self._consumer = handlers.consumer
        self._since: datetime | None = None
        self._turns = asyncio.Semaphore(AT_ONCE)
        self.begun = asyncio.Event()

    @property
    def batch(self) -> int:
        """Most events in a transaction."""
        return self._handlers.batch

    async def prepare(self) -> UUID:
        """Notes when this consumer first ran, once; its epoch."""
        async with self._database.transaction(None) as tx:
            begun = await rows.begun(tx, self._consumer)
        self._since = begun.started_at
        return begun.epoch

    async def take(self, arrivals: Sequence[Arrival]) -> Taken:
        """Each event took effect, did so before, or is set aside.

        Raises:
            UnknownEventError: A payload is not what the catalog says.
            UndecodableError: A body is not even JSON, so it cannot be set aside.
        """
        tenant = arrivals[0].delivery.tenant
        deliveries = [arrival.delivery for arrival in arrivals]
        with span_of_many(f"inbox {self._consumer}", deliveries):
            async with self._turns, self._database.transaction(tenant) as tx:
                entities = {arrival.entity for arrival in arrivals}
                standings = await rows.stand(tx, self._consumer, entities)
                made = plan(arrivals, standings, self._predates)
                waits = not made.applied
                if made.applied:
                    recorded = await rows.record(tx, self._consumer, made.applied)
                    fresh = [e for e in made.applied if e.delivery.id not in recorded.known]
                    await self._handlers.apply(tx, fresh)
                    waits = recorded.waits
                if made.aside:
                    await rows.set_aside(tx, self._consumer, made.aside)
                following: list[Arrival] = []
                if waits or made.aside:
                    following = await rows.settle(tx, self._consumer, made.reached)
                await faults.point("inbox.applied")
        if made.aside and self._handlers.begins == "archive":
            self.begun.set()
        self._count(made)
        await faults.point("inbox.committed")
        done = [arrival.delivery.id for arrival in (*made.applied, *made.duplicates)]
        return Taken(done, following)

    async def poison(self, arrival: Arrival, error: str, tries: int) -> None:
        """The event is parked and its entity blocked until a person decides.

        Raises:
            UndecodableError: The body is not even JSON, so it cannot be parked.
        """
        delivery = arrival.delivery
        async with self._database.transaction(delivery.tenant) as tx:
            standings = await rows.stand(tx, self._consumer, [arrival.entity])
            if not plan([arrival], standings, self._predates).duplicates:
                await rows.poison(tx, self._consumer, arrival, error, tries)
        await faults.point("inbox.parked")
        log.error("inbox.parked", type=delivery.type, event_id=str(delivery.id), error=error)
        TAKEN.labels(self._consumer, delivery.type, "parked").inc()

    def _predates(self, delivery: Delivery) -> bool:
        if self._handlers.begins == "archive" or self._since is None:
            return False
        return delivery.started_at < self._since

    def _count(self, made: Plan) -> None:
        outcomes = Tally(
            [
                *((each.delivery.type, Step.APPLY) for each in made.applied),
                *((each.delivery.type, Step.DUPLICATE) for each in made.duplicates),
                *((each.delivery.type, step) for each, step in made.aside),
            ]
        )
        for (type_, step), number in outcomes.items():
            TAKEN.labels(self._consumer, type_, step.value).inc(number)
        lag, at = LAG.labels(self._consumer), now()
        for arrival in made.applied:
            lag.observe(max((at - arrival.delivery.time).total_seconds(), 0.0))


@dataclass(frozen=True)
class Hold:
    """How long events are held in place.

    Attributes:
        stopping: Ends waiting when set.
        is_lost: Whether there is no use in waiting any longer, since the events come again.
    """

    stopping: asyncio.Event
    is_lost: Callable[[], bool] = lambda: False

    async def rest(self, seconds: float) -> None:
        """Waits that long.

        Raises:
            StoppedError: ``stopping`` was set.
            ChannelLostError: ``is_lost``.
        """
        if await pause(self.stopping, seconds):
            raise StoppedError
        if self.is_lost():
            raise ChannelLostError


class Taker:
    """Insists that events take effect or are set aside, whatever fails meanwhile."""

    def __init__(self, inbox: Inbox, consumer: str, marks: Marks) -> None:
        """Takes nothing yet.

        Args:
            inbox: The database's side.
            consumer: Name of the consumer.
            marks: What Redis remembers.
        """
        self._inbox = inbox
        self._consumer = consumer
        self._marks = marks
        self._gathering = Gathering(self._take_together, most=inbox.batch)

    async def take(self, arrivals: Sequence[Arrival], hold: Hold) -> list[Arrival]:
        """Returns when each event took effect or is kept in the database, but for those returned.

        Args:
            arrivals: Events, of any tenants.
            hold: For how long to wait for what is down.

        Returns:
            Those that cannot even be kept, since they are not JSON.

        Raises:
            StoppedError: The reader stops; what did not take effect comes again.
            ChannelLostError: The same, since the channel is gone.
        """
        try:
            await self._gathering.take(arrivals)
        except Exception as error:
            log.warning("inbox.batch_failed", consumer=self._consumer, exc_info=error)
            RETRIES.labels(self._consumer, "batch").inc()
            return await self._take_one_by_one(arrivals, hold)
        return []

    async def _take_together(self, arrivals: Sequence[Arrival]) -> None:
        for group in _by_tenant(await self._marks.unmarked(arrivals)):
            done: list[UUID] = []
            due = group
            while due:
                taken = await self._inbox.take(due)
                done += taken.done
                due = taken.following
            await self._remember(done)

    async def _take_one_by_one(self, arrivals: Sequence[Arrival], hold: Hold) -> list[Arrival]:
        unfit: list[Arrival] = []
        for group in _by_tenant(await self._marks.unmarked(arrivals)):
            done: list[UUID] = []
            due = deque(group)
            while due:
                arrival = due.popleft()
                try:
                    taken = await self._take_one(arrival, hold)
                except UndecodableError:
                    unfit.append(arrival)
                    continue
                done += taken.done
                due.extend(taken.following)
            await self._remember(done)
        return unfit

    async def _remember(self, done: Sequence[UUID]) -> None:
        # What waited for an event has been taken before its mark: no one asks the database again.
        await self._marks.remember(done)
        await faults.point("inbox.marked")

    async def _take_one(self, arrival: Arrival, hold: Hold) -> Taken:
        failures, delivery = 0, arrival.delivery
        with bound_contextvars(
            tenant=delivery.tenant, event_id=str(delivery.id), event_type=delivery.type
        ):
            while True:
                try:
                    return await self._insist(partial(self._inbox.take, [arrival]), hold)
                except (StoppedError, ChannelLostError, UndecodableError):
                    raise
                except Exception as error:
                    failures += 1
                    hopeless = failures >= POISON_TRIES or isinstance(error, UnknownEventError)
                    reason = f"{type(error).__name__}: {error}"
                    log.warning("inbox.failed", failures=failures, exc_info=error)
                    RETRIES.labels(self._consumer, "failure").inc()
                if hopeless:
                    park = partial(self._inbox.poison, arrival, reason, failures)
                    await self._insist(park, hold)
                    return Taken()
                await hold.rest(full_jitter(failures))

    async def _insist(self, act: Callable[[], Awaitable[T]], hold: Hold) -> T:
        """Repeats what fails because a back end is down, for as long as it takes."""
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
            await hold.rest(full_jitter(attempt))


def _by_tenant(arrivals: Iterable[Arrival]) -> Iterable[list[Arrival]]:
    groups: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in sorted(arrivals, key=lambda arrival: arrival.delivery.seq):
        groups[arrival.delivery.tenant].append(arrival)
    return groups.values()
