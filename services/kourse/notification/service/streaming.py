"""The live feed: what one open stream tells, and what wakes it. No stream holds a database connection.

A stream has no queue: it looks at the feed after its position when something may have changed, and looks
again once its reader has taken what was found. So a slow reader costs one page, however long it stalls.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

import psycopg
from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import Unauthenticated, Unavailable
from kourse.kit import clock
from kourse.kit.backoff import full_jitter
from kourse.kit.relay_link import connect
from kourse.kit.runtime import Runtime
from kourse.kit.telemetry import get_logger
from kourse.notification.errors import TooManyStreams
from kourse.notification.repository import hints, positions
from kourse.notification.service import reading
from kourse.notification.service.reading import FeedEntry

PAGE = 50
"""Most entries in memory for one stream."""
LOOKS_AT_ONCE = 3
"""Looks of one process at a time, so that a broadcast to everybody leaves connections to others."""
RETRY_AFTER_S = 10.0
OPEN = Gauge("kourse_feed_streams", "Open streams of live feeds.")
log = get_logger(__name__)


@dataclass(frozen=True)
class Fresh:
    """An entry that is new on the stream, and the position after which a stream goes on behind it."""

    position: int
    entry: FeedEntry


@dataclass(frozen=True)
class Count:
    """How many entries are unread, and the position up to which the stream has told."""

    position: int
    unread: int


class Beat:
    """Nothing is new, and the stream is alive."""


@dataclass(frozen=True)
class End:
    """The stream is over, for this reason in a word."""

    reason: str


Part = Fresh | Count | Beat | End


class Hub:
    """The open streams of this process, and who is to be woken when a hint comes.

    Attributes:
        looks: Held for each look at a feed.
        count: Streams that are open.

    Args:
        most: Streams in all.
        most_each: Streams of one person.
    """

    def __init__(self, most: int, most_each: int) -> None:
        self.looks = asyncio.Semaphore(LOOKS_AT_ONCE)
        self._most, self._most_each = most, most_each
        self.count = 0
        self._wakes: dict[str, dict[UUID, list[asyncio.Event]]] = {}

    def admit(self, tenant: str, user_id: UUID) -> None:
        """Returns when the person may open a stream.

        Raises:
            TooManyStreams: They have as many open here as they may.
            Unavailable: This process has.
        """
        if len(self._wakes.get(tenant, {}).get(user_id, ())) >= self._most_each:
            raise TooManyStreams(
                f"You have {self._most_each} open already; close one first.",
                retry_after_s=RETRY_AFTER_S,
            )
        if self.count >= self._most:
            raise Unavailable("Too many feeds are streamed.", retry_after_s=RETRY_AFTER_S)

    @contextmanager
    def open(self, tenant: str, user_id: UUID) -> Iterator[asyncio.Event]:
        """A stream is open; yields what is set when its feed may have changed."""
        wake = asyncio.Event()
        of_tenant = self._wakes.setdefault(tenant, {})
        of_tenant.setdefault(user_id, []).append(wake)
        self._counted(+1)
        try:
            yield wake
        finally:
            self._counted(-1)
            of_tenant[user_id].remove(wake)
            if not of_tenant[user_id]:
                del of_tenant[user_id]

    def wake(self, tenant: str, people: frozenset[UUID] | None) -> None:
        """The streams of these people look, or all of the tenant for None."""
        of_tenant = self._wakes.get(tenant, {})
        for user_id in of_tenant if people is None else people & of_tenant.keys():
            for wake in of_tenant[user_id]:
                wake.set()

    def wake_all(self) -> None:
        """Every stream looks."""
        for tenant in self._wakes:
            self.wake(tenant, None)

    def _counted(self, change: int) -> None:
        self.count += change
        OPEN.set(self.count)


def hub_of(runtime: Runtime) -> Hub:
    """The process's hub."""
    hub: Hub | None = runtime.extras.get("feeds")
    if hub is None:
        settings = runtime.settings
        hub = runtime.extras["feeds"] = Hub(settings.streams, settings.streams_per_person)
    return hub


async def listen_for_hints(runtime: Runtime) -> None:
    """Wakes streams as hints come, until cancelled; all of them after a time without hints."""
    hub = hub_of(runtime)
    failures = 0
    while True:
        try:
            async with await connect(runtime.database, "feed listener") as connection:
                await connection.execute(f"LISTEN {hints.CHANNEL}")
                failures = 0
                hub.wake_all()  # for what was committed while nobody listened
                async for notice in connection.notifies():
                    hub.wake(*hints.parse(notice.payload))
        except psycopg.OperationalError as error:
            failures += 1
            log.warning("feed.hints_interrupted", error=type(error).__name__)
            await asyncio.sleep(full_jitter(failures, base_s=0.2, cap_s=5))


async def end_streams(runtime: Runtime) -> None:
    """Wakes every stream at the order to stop, so that each ends by itself."""
    await runtime.health.draining.wait()
    hub_of(runtime).wake_all()
    await asyncio.Event().wait()


@dataclass(frozen=True)
class Reader:
    """Who listens.

    Attributes:
        expires_at: Unix seconds at which their token is no longer valid.
        check: Raises Unauthenticated once their log-in has ended.
    """

    tenant: str
    user_id: UUID
    expires_at: float
    check: Callable[[], Awaitable[object]]

    @property
    def left_s(self) -> float:
        """Seconds for which their token is valid still."""
        return self.expires_at - clock.now().timestamp()


async def follow(
    runtime: Runtime, reader: Reader, wake: asyncio.Event, position: int | None
) -> AsyncIterator[Part]:
    """What the reader is told, until their token is no longer valid or the process stops.

    Args:
        runtime: The service.
        reader: Who listens.
        wake: Set when the feed may have changed.
        position: After which to go on; None to tell only of what comes from now on.
    """
    beat_s = runtime.settings.stream_beat_s
    beat_at = time.monotonic() + beat_s
    unread: int | None = None
    while True:
        wake.clear()
        look = await _look(runtime, reader, position)
        if look is not None:
            for part in look.fresh:
                yield part
            position = look.position
            if not look.is_whole:
                continue
            if look.unread != unread:
                unread = look.unread
                yield Count(position, unread)
        await _wait(wake, min(beat_at - time.monotonic(), reader.left_s))
        is_beat = time.monotonic() >= beat_at
        if reason := await _reason_to_end(runtime, reader, ask=is_beat):
            yield End(reason)
            return
        if is_beat:
            beat_at = time.monotonic() + beat_s
            yield Beat()


async def _reason_to_end(runtime: Runtime, reader: Reader, *, ask: bool) -> str | None:
    if runtime.health.draining.is_set():
        return "stopping"
    if reader.left_s <= 0:
        return "token-expired"
    if ask:
        try:
            await reader.check()
        except Unauthenticated:
            return "logged-out"
    return None


@dataclass(frozen=True)
class _Look:
    fresh: list[Fresh]
    position: int
    unread: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to tell."""
        return len(self.fresh) < PAGE


async def _look(runtime: Runtime, reader: Reader, position: int | None) -> _Look | None:
    """What is new after the position; None while the database does not answer."""
    try:
        async with hub_of(runtime).looks, runtime.database.transaction(reader.tenant) as tx:
            await positions.settle(tx, reader.user_id)
            last = await positions.last_of(tx, reader.user_id)
            # A position that was never given comes from before a backup was restored.
            start = last if position is None else min(position, last)
            fresh = await _fresh(tx, reader.user_id, start) if start < last else []
            unread = await reading.count_unread(tx, reader.user_id)
    except Unavailable:
        return None
    return _Look(fresh, fresh[-1].position if fresh else start, unread)


async def _fresh(tx: AsyncSession, user_id: UUID, position: int) -> list[Fresh]:
    placed = await positions.list_after(tx, user_id, position, PAGE)
    entries = await reading.entries(tx, user_id, [one.told for one in placed])
    return [Fresh(one.position, entry) for one, entry in zip(placed, entries, strict=True)]


async def _wait(wake: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, seconds)):
            await wake.wait()
