"""Open streams of a process: how many there are, what wakes them, and when each ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

from prometheus_client import Gauge

from kourse.contracts.errors import TooManyStreams, Unauthenticated, Unavailable
from kourse.kit import clock
from kourse.kit.runtime import Runtime

RETRY_AFTER_S = 10.0
OPEN = Gauge("kourse_feed_streams", "Open streams of live feeds.")


class Beat:
    """Nothing is new, and the stream is alive."""


@dataclass(frozen=True)
class End:
    """The stream is over, for this reason in a word."""

    reason: str


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


class Hub:
    """The open streams of this process, and which are to be woken when something may be new.

    Attributes:
        count: Streams that are open.

    Args:
        most: Streams in all.
        most_each: Streams of one person.
    """

    def __init__(self, most: int, most_each: int) -> None:
        self._most, self._most_each = most, most_each
        self.count = 0
        self._of_person: dict[tuple[str, UUID], int] = {}
        self._wakes: dict[str, dict[Hashable, list[asyncio.Event]]] = {}

    def admit(self, tenant: str, user_id: UUID) -> None:
        """Returns when the person may open a stream.

        Raises:
            TooManyStreams: They have as many open here as they may.
            Unavailable: This process has.
        """
        if self._of_person.get((tenant, user_id), 0) >= self._most_each:
            raise TooManyStreams(
                f"You have {self._most_each} open already; close one first.",
                retry_after_s=RETRY_AFTER_S,
            )
        if self.count >= self._most:
            raise Unavailable("Too many feeds are streamed.", retry_after_s=RETRY_AFTER_S)

    @contextmanager
    def open(
        self, tenant: str, user_id: UUID, topics: Collection[Hashable]
    ) -> Iterator[asyncio.Event]:
        """A person's stream is open; yields what is set when there may be news of one of its topics."""
        wake = asyncio.Event()
        of_tenant = self._wakes.setdefault(tenant, {})
        for topic in topics:
            of_tenant.setdefault(topic, []).append(wake)
        self._counted(tenant, user_id, +1)
        try:
            yield wake
        finally:
            self._counted(tenant, user_id, -1)
            for topic in topics:
                of_tenant[topic].remove(wake)
                if not of_tenant[topic]:
                    del of_tenant[topic]

    def wake(self, tenant: str, topics: Collection[Hashable] | None) -> None:
        """The streams of these topics look, or all of the tenant for None."""
        of_tenant = self._wakes.get(tenant, {})
        for topic in of_tenant if topics is None else topics:
            for wake in of_tenant.get(topic, ()):
                wake.set()

    def wake_all(self) -> None:
        """Every stream looks."""
        for tenant in self._wakes:
            self.wake(tenant, None)

    def _counted(self, tenant: str, user_id: UUID, change: int) -> None:
        self.count += change
        OPEN.set(self.count)
        left = self._of_person.pop((tenant, user_id), 0) + change
        if left:
            self._of_person[tenant, user_id] = left


async def end_all(runtime: Runtime, hub: Hub) -> None:
    """Wakes every stream at the order to stop, so that each ends by itself."""
    await runtime.health.draining.wait()
    hub.wake_all()
    await asyncio.Event().wait()


async def reason_to_end(runtime: Runtime, reader: Reader, *, ask: bool) -> str | None:
    """Why the reader's stream ends now, in a word; with ``ask`` their log-in is looked at too."""
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


async def wait(wake: asyncio.Event, seconds: float) -> None:
    """Returns when woken, or after so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, seconds)):
            await wake.wait()
