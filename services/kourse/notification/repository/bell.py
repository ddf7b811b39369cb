"""Wakes this process's loops once a transaction of it has committed something for them.

Only a hint: a loop looks by itself too, for what another process left or what has become due.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.kit.db import Database, after_commit

_listening: WeakKeyDictionary[Database, WeakSet[Bell]] = WeakKeyDictionary()


class Bell:
    """Hears of commits from its making on."""

    def __init__(self, database: Database) -> None:
        """Listens to the transactions of this pool."""
        self._rung = asyncio.Event()
        _listening.setdefault(database, WeakSet()).add(self)

    async def wait(self, at_most_s: float) -> None:
        """Returns once it has rung since the last wait, and after so many seconds in any case."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._rung.wait()
        self._rung.clear()

    def ring(self) -> None:
        """Whoever waits goes on."""
        self._rung.set()


def ring_after(tx: AsyncSession) -> None:
    """Once this transaction is committed, those who listen are woken."""
    after_commit(tx, _ring)


def _ring(database: Database) -> None:
    for bell in _listening.get(database, ()):
        bell.ring()
