"""Wakes the relays of a service's outbox after a commit, at most once every few milliseconds.

Only a hint, so that an event leaves at once instead of at the relay's next look; a hint that is lost with
its process costs that second and nothing else.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from weakref import WeakKeyDictionary

from kourse.contracts.errors import Unavailable
from kourse.kit.db import Database

CHANNEL = "kourse_outbox"
"""Notification channel; the payload is the schema."""
PAUSE_S = 0.03
"""Least time between two notifications of a process: a busy relay looks again by itself."""

_wakers: WeakKeyDictionary[Database, _Waker] = WeakKeyDictionary()


def wake(database: Database) -> None:
    """The relays of this database's schema look at the outbox within some milliseconds."""
    waker = _wakers.get(database)
    if waker is None:
        waker = _wakers[database] = _Waker()
    waker.wake(database)


class _Waker:
    def __init__(self) -> None:
        self._due: asyncio.Handle | None = None
        self._last = float("-inf")

    def wake(self, database: Database) -> None:
        if self._due is None:
            loop = asyncio.get_running_loop()
            self._due = loop.call_at(self._last + PAUSE_S, self._go, database)

    def _go(self, database: Database) -> None:
        self._due, self._last = None, asyncio.get_running_loop().time()
        if not database.is_closed:
            database.spawn(_notify(database))


async def _notify(database: Database) -> None:
    with suppress(Unavailable):  # the relay looks by itself
        await database.notify(CHANNEL, database.schema)
