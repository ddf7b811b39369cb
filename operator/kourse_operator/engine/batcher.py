"""Joins single pieces of work into one call for each group, without making anyone wait for a timer.

While a group's call is under way further pieces gather; they go together when it is over. So a lone
piece goes at once, and a burst goes in batches as large as the back end's pace makes them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from kourse.contracts.errors import KourseError

G = TypeVar("G", bound=Hashable)
I = TypeVar("I")  # noqa: E741 -- item
O = TypeVar("O")  # noqa: E741 -- outcome

Waiter = tuple[I, "asyncio.Future[O]"]


class Batcher(Generic[G, I, O]):
    """Calls ``flush(group, items)`` with everything that gathered for the group."""

    def __init__(
        self, flush: Callable[[G, Sequence[I]], Awaitable[Sequence[O]]], *, size: int
    ) -> None:
        """``flush`` gives one outcome for each item, in order; never more than ``size`` items."""
        self._flush = flush
        self._size = size
        self._gathered: dict[G, list[tuple[I, asyncio.Future[O]]]] = {}
        self._running: dict[G, asyncio.Task[None]] = {}

    async def submit(self, group: G, item: I) -> O:
        """The outcome of this item.

        Raises:
            Exception: What ``flush`` raised. When it was not a known failure, the items of the
                batch are tried one by one, so that one of them cannot spoil the others.
        """
        waiter: asyncio.Future[O] = asyncio.get_running_loop().create_future()
        self._gathered.setdefault(group, []).append((item, waiter))
        if group not in self._running:
            self._running[group] = asyncio.create_task(self._drain(group))
        return await waiter

    async def close(self) -> None:
        """Every call under way is over."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _drain(self, group: G) -> None:
        try:
            await asyncio.sleep(0)  # whoever is ready in this turn of the loop joins
            while waiting := self._gathered.pop(group, None):
                batch, rest = waiting[: self._size], waiting[self._size :]
                if rest:
                    self._gathered[group] = rest
                await self._call(group, batch)
        finally:
            del self._running[group]

    async def _call(self, group: G, batch: list[tuple[I, asyncio.Future[O]]]) -> None:
        wanted = [(item, waiter) for item, waiter in batch if not waiter.done()]
        if not wanted:
            return
        try:
            outcomes = await self._flush(group, [item for item, _ in wanted])
            for (_, waiter), outcome in zip(wanted, outcomes, strict=True):
                _settle(waiter, outcome)
        except KourseError as error:
            for _, waiter in wanted:
                _fail(waiter, error)
        except Exception as error:  # noqa: BLE001 -- handed to whoever waits
            if len(wanted) == 1:
                _fail(wanted[0][1], error)
                return
            for entry in wanted:
                await self._call(group, [entry])


def _settle(waiter: asyncio.Future[O], outcome: O) -> None:
    if not waiter.done():
        waiter.set_result(outcome)


def _fail(waiter: asyncio.Future[O], error: Exception) -> None:
    if not waiter.done():
        waiter.set_exception(error)
