"""The work queue: each key at most once waiting, at most once in hand, never forgotten.

A key added while a worker has it comes round once more, so the newest state is always seen. Like
client-go's work queue, with delays: a key may be due later, and an earlier need wins.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

from kourse_operator import metrics
from kourse_operator.resource import Key


class QueueClosed(Exception):
    """Nobody shall begin anything any more."""


class WorkQueue:
    """Keys to reconcile, in the order in which they became due."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """``clock`` gives seconds that only grow."""
        self._clock = clock
        self._waiting: OrderedDict[Key, float] = OrderedDict()
        self._later: dict[Key, tuple[float, asyncio.TimerHandle]] = {}
        self._in_hand: dict[Key, float] = {}
        self._again: dict[Key, float] = {}
        self._arrival = asyncio.Event()
        self._is_closed = False

    def add(self, key: Key, delay_s: float = 0.0) -> None:
        """The key becomes due after that time, or earlier if it already was to be."""
        if key in self._in_hand:
            due = self._clock() + delay_s
            self._again[key] = min(due, self._again.get(key, due))
        elif key not in self._waiting:
            self._schedule(key, delay_s)

    def forget(self, key: Key) -> None:
        """The key is not due any more; what is in hand goes on to its end."""
        self._again.pop(key, None)
        if self._waiting.pop(key, None) is not None:
            metrics.QUEUE_DEPTH.labels(key.kind).dec()
        if entry := self._later.pop(key, None):
            entry[1].cancel()

    async def get(self) -> Key:
        """The key that has been due longest; it is in hand until ``done``.

        Raises:
            QueueClosed: Nobody shall begin anything any more.
        """
        while not self._waiting or self._is_closed:
            if self._is_closed:
                raise QueueClosed
            self._arrival.clear()
            await self._arrival.wait()
        key, since = self._waiting.popitem(last=False)
        now = self._clock()
        self._in_hand[key] = now
        metrics.QUEUE_SECONDS.labels(key.kind).observe(now - since)
        metrics.QUEUE_DEPTH.labels(key.kind).dec()
        return key

    def done(self, key: Key) -> None:
        """The key is out of hand; it comes round again if it was added meanwhile."""
        now = self._clock()
        metrics.WORK_SECONDS.labels(key.kind).observe(now - self._in_hand.pop(key))
        if key in self._again:
            self._schedule(key, max(0.0, self._again.pop(key) - now))

    def close(self) -> None:
        """Whoever asks for a key, now or later, is told to stop."""
        self._is_closed = True
        self._arrival.set()

    def oldest_s(self) -> float:
        """Seconds that the first key has waited for a worker, 0 when none waits."""
        return self._clock() - next(iter(self._waiting.values())) if self._waiting else 0.0

    def measure_work(self) -> None:
        """Brings the gauges of work in hand up to date."""
        metrics.QUEUE_OLDEST_SECONDS.set(self.oldest_s())
        now = self._clock()
        ages: dict[str, list[float]] = {}
        for key, since in self._in_hand.items():
            ages.setdefault(key.kind, []).append(now - since)
        for gauge in (metrics.UNFINISHED_SECONDS, metrics.LONGEST_RUNNING_SECONDS):
            gauge.clear()
        for kind, spans in ages.items():
            metrics.UNFINISHED_SECONDS.labels(kind).set(sum(spans))
            metrics.LONGEST_RUNNING_SECONDS.labels(kind).set(max(spans))

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, key: Key) -> bool:
        return key in self._waiting or key in self._later or key in self._again

    def _schedule(self, key: Key, delay_s: float) -> None:
        due = self._clock() + delay_s
        if key in self._later:
            if self._later[key][0] <= due:
                return
            self._later.pop(key)[1].cancel()
        if delay_s <= 0:
            self._arrive(key)
        else:
            timer = asyncio.get_running_loop().call_later(delay_s, self._arrive, key)
            self._later[key] = (due, timer)

    def _arrive(self, key: Key) -> None:
        self._later.pop(key, None)
        self._waiting[key] = self._clock()
        metrics.QUEUE_ADDS.labels(key.kind).inc()
        metrics.QUEUE_DEPTH.labels(key.kind).inc()
        self._arrival.set()
