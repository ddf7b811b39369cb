"""How a loop that runs beside the requests is asked to end, and how one waits until it has."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Lifetime:
    """The life of one loop.

    Attributes:
        stopping: Set once the loop shall finish what it has in hand and return.
    """

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self._over = asyncio.Event()
        self._over.set()

    @contextmanager
    def lived(self) -> Iterator[None]:
        """Wraps the loop's whole run."""
        self._over.clear()
        try:
            yield
        finally:
            self._over.set()

    async def end(self) -> None:
        """Asks the loop to end and returns when it has; at once when it does not run."""
        self.stopping.set()
        await self._over.wait()
