"""What several partitions have in hand goes into the database together, like a group commit.

A transaction costs about the same for one event as for a few hundred. While one runs, hands gather, and the
next takes all of them: with little traffic no partition waits for the transactions of the others, with much
there are fewer and larger ones. Small ones that follow each other closely keep a distance, as Kafka's
``linger.ms`` does it: what a busy consumer saves so it has left when a peak comes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from kourse.kit.handling import is_retriable
from kourse.kit.inbox.cursor import Arrival

AT_ONCE = 2
"""Lots of one consumer in the database at a time; more would only make the lots smaller."""

LINGER_S = 0.01
"""Least seconds between the beginnings of lots that are not half full; the first one waits for nothing."""

Act = Callable[[list[Arrival]], Awaitable[None]]


@dataclass(frozen=True, slots=True, eq=False)
class _Hand:
    arrivals: Sequence[Arrival]
    taken: asyncio.Future[None]

    def end(self, error: Exception | None = None) -> None:
        if self.taken.done():
            return  # whoever waited was cancelled
        if error is None:
            self.taken.set_result(None)
        else:
            self.taken.set_exception(error)


class Gathering:
    """Takes the hands of a consumer's partitions together."""

    def __init__(self, act: Act, *, most: int) -> None:
        """Takes nothing yet.

        Args:
            act: Takes all events of a lot, or raises and has to be called again for each of them.
            most: Events in a lot, unless one hand alone has more.
        """
        self._act = act
        self._most = most
        self._waiting: deque[_Hand] = deque()
        self._runners: set[asyncio.Task[None]] = set()

    async def take(self, arrivals: Sequence[Arrival]) -> None:
        """Returns when these events have been taken, with others or alone.

        Raises:
            Exception: What ``act`` raised for these events alone, or for their lot when a back end failed.
        """
        hand = _Hand(arrivals, asyncio.get_running_loop().create_future())
        self._waiting.append(hand)
        if len(self._runners) < AT_ONCE:
            runner = asyncio.create_task(self._run())
            self._runners.add(runner)
            runner.add_done_callback(self._runners.discard)
        await hand.taken

    async def _run(self) -> None:
        while lot := self._next_lot():
            rested = asyncio.get_running_loop().time() + LINGER_S
            await self._take(lot)
            if 2 * sum(len(hand.arrivals) for hand in lot) < self._most:
                await asyncio.sleep(rested - asyncio.get_running_loop().time())

    def _next_lot(self) -> list[_Hand]:
        lot: list[_Hand] = []
        size = 0
        while self._waiting and (not lot or size + len(self._waiting[0].arrivals) <= self._most):
            lot.append(self._waiting.popleft())
            size += len(lot[-1].arrivals)
        return lot

    async def _take(self, lot: Sequence[_Hand]) -> None:
        """One partition's bad event costs the others of its lot one more transaction, and no order."""
        try:
            await self._act([arrival for hand in lot for arrival in hand.arrivals])
        except Exception as error:  # noqa: BLE001 - handed on to those who wait
            if len(lot) == 1 or is_retriable(error):
                for hand in lot:
                    hand.end(error)
                return
            for hand in lot:
                await self._take([hand])
        else:
            for hand in lot:
                hand.end()
