"""The live feed: what one open stream tells, and what wakes it. No stream holds a database connection.

A stream has no queue: it looks at the feed after its position when something may have changed, and looks
again once its reader has taken what was found. So a slow reader costs one page, however long it stalls.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import psycopg
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import Unavailable
from kourse.kit.backoff import full_jitter
from kourse.kit.relay_link import connect
from kourse.kit.runtime import Runtime
from kourse.kit.streaming import Beat, End, Hub, Reader, end_all, reason_to_end, wait
from kourse.kit.telemetry import get_logger
from kourse.notification.repository import hints, positions
from kourse.notification.service import reading
from kourse.notification.service.reading import FeedEntry

PAGE = 50
"""Most entries in memory for one stream."""
LOOKS_AT_ONCE = 3
"""Looks of one process at a time, so that a broadcast to everybody leaves connections to others."""
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


Part = Fresh | Count | Beat | End


class Feeds(Hub):
    """The open streams of feeds; a topic is whose feed it is.

    Attributes:
        looks: Held for each look at a feed.
    """

    def __init__(self, most: int, most_each: int) -> None:
        super().__init__(most, most_each)
        self.looks = asyncio.Semaphore(LOOKS_AT_ONCE)


def hub_of(runtime: Runtime) -> Feeds:
    """The process's hub."""
    hub: Feeds | None = runtime.extras.get("feeds")
    if hub is None:
        settings = runtime.settings
        hub = runtime.extras["feeds"] = Feeds(settings.streams, settings.streams_per_person)
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
    """Ends the process's streams at the order to stop."""
    await end_all(runtime, hub_of(runtime))


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
        await wait(wake, min(beat_at - time.monotonic(), reader.left_s))
        is_beat = time.monotonic() >= beat_at
        if reason := await reason_to_end(runtime, reader, ask=is_beat):
            yield End(reason)
            return
        if is_beat:
            beat_at = time.monotonic() + beat_s
            yield Beat()


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
