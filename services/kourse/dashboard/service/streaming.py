"""Live updates: a stream tells that a view is made anew, and the client reads it again.

A stream compares the marks of its views with what they were, so it misses nothing however it was woken.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from kourse.dashboard.service import marking
from kourse.dashboard.settings import DashboardSettings
from kourse.kit.runtime import Runtime
from kourse.kit.streaming import Beat, End, Hub, Reader, end_all, reason_to_end, wait

PAUSE_S = 0.5
"""Shortest time between two changes that a stream tells, so that a busy course costs two reads a second."""


@dataclass(frozen=True)
class Changed:
    """These views changed."""

    views: tuple[str, ...]


Part = Changed | Beat | End


def hub_of(runtime: Runtime) -> Hub:
    """The process's streams; a topic is the name of a mark."""
    hub: Hub | None = runtime.extras.get("streams")
    if hub is None:
        settings: DashboardSettings = runtime.settings
        hub = runtime.extras["streams"] = Hub(settings.streams, settings.streams_per_person)
    return hub


async def listen(runtime: Runtime) -> None:
    """Wakes streams as marks are touched, until cancelled; all of them after a time without news."""
    hub = hub_of(runtime)
    async for touched in marking.views_of(runtime).touched():
        if touched is None:
            hub.wake_all()
        else:
            tenant, name = touched
            hub.wake(tenant, [name])


async def end_streams(runtime: Runtime) -> None:
    """Ends the process's streams at the order to stop."""
    await end_all(runtime, hub_of(runtime))


async def follow(
    runtime: Runtime, reader: Reader, wake: asyncio.Event, topics: Mapping[str, str]
) -> AsyncIterator[Part]:
    """What the reader is told, until their token is no longer valid or the process stops.

    Args:
        runtime: The service.
        reader: Who listens.
        wake: Set when a mark may have changed.
        topics: Views by the mark that they depend on.
    """
    views = marking.views_of(runtime)
    keys = [views.mark(reader.tenant, name) for name in topics]
    before = await views.values(keys)
    yield Beat()  # from now on nothing is missed
    beat_s = runtime.settings.stream_beat.total_seconds()
    beat_at = time.monotonic() + beat_s
    while True:
        await wait(wake, min(beat_at - time.monotonic(), reader.left_s))
        is_beat = time.monotonic() >= beat_at
        if reason := await reason_to_end(runtime, reader, ask=is_beat):
            yield End(reason)
            return
        wake.clear()
        now = await views.values(keys)
        if now is not None and now != before:
            had = before or [None] * len(keys)
            pairs = zip(topics.values(), had, now, strict=True)
            yield Changed(tuple(dict.fromkeys(view for view, old, new in pairs if old != new)))
            before = now
            await asyncio.sleep(PAUSE_S)
        if is_beat:
            beat_at = time.monotonic() + beat_s
            yield Beat()
