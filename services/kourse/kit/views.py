"""Answers that are dear to make, kept in Redis until something that they depend on changes.

A view names the marks that it depends on. Whoever changes something gives its mark another value, and what
was made under the old one counts no more. Made once however many ask at a time; a view that merely grew old
is given out while a new one is made behind it. Without Redis every view is made for the asking.

Keys are the caller's to choose, and must carry whatever decides who may see the view.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast
from uuid import uuid4

from prometheus_client import Counter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from kourse.contracts.errors import KourseError
from kourse.kit.backoff import full_jitter
from kourse.kit.telemetry import get_logger

log = get_logger(__name__)
LOOKS = Counter(
    "kourse_views_total",
    "Views that were asked for: given from the cache, given while a new one is made, or made.",
    ["result"],
)
LISTEN_S = 5.0
"""Longest wait for a message before the connection is looked at again."""
UNTOUCHED = b"-"
"""Value of a mark that nobody has touched for longer than any view lives."""


@dataclass(frozen=True, slots=True)
class View:
    """An answer, and whether it may be given again."""

    body: bytes
    is_whole: bool = True


Make = Callable[[], Awaitable[View]]


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long views are given out.

    Attributes:
        fresh: So long as they are while no mark changes; afterwards while a new one is made.
        overtaken: So long although a mark changed, while a new one is made; what is shown is no older
            than this.
        kept: Afterwards they are forgotten.
    """

    fresh: timedelta = timedelta(seconds=30)
    overtaken: timedelta = timedelta(milliseconds=500)
    kept: timedelta = timedelta(minutes=5)


class Views:
    """Views of one service.

    Args:
        cache: The Redis.
        name: Begins every key.
        lifetimes: How long views are given out.
    """

    def __init__(self, cache: Redis, name: str, lifetimes: Lifetimes) -> None:
        self._cache, self._name, self._lifetimes = cache, name, lifetimes
        self._making: dict[str, asyncio.Task[bytes]] = {}

    @property
    def channel(self) -> str:
        """Where touched marks are published, a message for each, after they have their new value."""
        return f"{self._name}:touched"

    def mark(self, tenant: str, name: str) -> str:
        """Key of a tenant's mark."""
        return f"{self._name}:mark:{tenant}:{name}"

    async def values(self, marks: Sequence[str]) -> list[bytes | None] | None:
        """What these marks, by ``mark``, stand at; another value tells of a change. None: Redis is away."""
        try:
            return cast("list[bytes | None]", await self._cache.mget(*marks))
        except RedisError:
            return None

    async def touched(self) -> AsyncIterator[tuple[str, str] | None]:
        """Tenant and name of every mark that is touched from now on, by any process.

        None comes at the beginning, and again after an interruption, in which some may be missed.
        """
        failures = 0
        while True:
            try:
                async with self._cache.pubsub(ignore_subscribe_messages=True) as listener:
                    await listener.subscribe(self.channel)
                    failures = 0
                    yield None
                    while True:
                        message = await listener.get_message(timeout=LISTEN_S)
                        if message is not None:
                            tenant, _, name = message["data"].decode().partition(" ")
                            yield tenant, name
            except (RedisError, OSError) as error:
                failures += 1
                log.warning("views.listening_interrupted", error=type(error).__name__)
                await asyncio.sleep(full_jitter(failures, base_s=0.2, cap_s=5))

    async def touch(self, tenant: str, names: Collection[str]) -> None:
        """What depends on these marks counts no more; while Redis is away nothing is kept anyway."""
        kept_ms = 2 * int(self._lifetimes.kept.total_seconds() * 1000)
        try:
            async with self._cache.pipeline(transaction=False) as pipeline:
                for name in sorted(names):
                    pipeline.set(self.mark(tenant, name), uuid4().hex[:16], px=kept_ms)
                for name in sorted(names):
                    pipeline.publish(self.channel, f"{tenant} {name}")
                await pipeline.execute()
        except RedisError as error:
            log.warning("views.untouched", error=type(error).__name__)

    async def get(self, key: str, marks: Sequence[str], make: Make) -> bytes:
        """The view of that key, from the cache if it counts, else made.

        Args:
            key: What is shown and to whom: tenant, subject and roles belong into it.
            marks: Keys of the marks that it depends on, by ``mark``.
            make: Makes it; one that is not whole is given, and not kept.

        Raises:
            KourseError: It could not be made.
        """
        stored = f"{self._name}:view:{key}"
        try:
            held, *values = cast("list[bytes | None]", await self._cache.mget(stored, *marks))
        except RedisError:
            LOOKS.labels("uncached").inc()
            return await self._made(stored, None, make)
        made_at, of, body = _opened(held)
        now = b".".join(value or UNTOUCHED for value in values)
        age_s = time.time() - made_at
        if body is not None and of == now and age_s < self._lifetimes.fresh.total_seconds():
            LOOKS.labels("hit").inc()
            return body
        task = self._begin(stored, now, make)
        overtaken_s = self._lifetimes.overtaken.total_seconds()
        if body is not None and (of == now or age_s < overtaken_s):
            LOOKS.labels("stale").inc()
            return body
        LOOKS.labels("made").inc()
        return await asyncio.shield(task)

    async def _made(self, stored: str, marks: bytes | None, make: Make) -> bytes:
        return await asyncio.shield(self._begin(stored, marks, make))

    def _begin(self, stored: str, marks: bytes | None, make: Make) -> asyncio.Task[bytes]:
        """The making of a view, which those who ask meanwhile share if nothing changed since it began."""
        slot = f"{stored} {marks!r}"
        task = self._making.get(slot)
        if task is None:
            task = self._making[slot] = asyncio.create_task(self._make(stored, marks, make))
            task.add_done_callback(lambda done: self._end(slot, done))
        return task

    def _end(self, slot: str, task: asyncio.Task[bytes]) -> None:
        self._making.pop(slot, None)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, KourseError):
            log.error("views.failed", error=repr(error))

    async def _make(self, stored: str, marks: bytes | None, make: Make) -> bytes:
        # Marks were read before: what changes while the view is made leaves it under the old ones.
        began_at = time.time()
        view = await make()
        if marks is not None and view.is_whole:
            value = b"%.3f %s\n%s" % (began_at, marks, view.body)
            try:
                await self._cache.set(stored, value, px=self._lifetimes.kept)
            except RedisError as error:
                log.warning("views.unkept", error=type(error).__name__)
        return view.body


def _opened(held: bytes | None) -> tuple[float, bytes, bytes | None]:
    """When a stored view was begun, under which marks, and what it says."""
    if held is None:
        return 0.0, b"", None
    head, _, body = held.partition(b"\n")
    made_at, _, marks = head.partition(b" ")
    return float(made_at), marks, body
