"""How long an object waits after it failed: exponential for each key, with jitter."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
_MAX_DOUBLINGS = 40


class Backoff(Generic[K]):
    """Counts the failures of each key in a row."""

    def __init__(
        self, first_s: float, longest_s: float, draw: Callable[[], float] = random.random
    ) -> None:
        """Waits lie between ``first_s`` and ``longest_s``; ``draw`` gives jitter in [0, 1)."""
        self._first_s = first_s
        self._longest_s = longest_s
        self._draw = draw
        self._failures: dict[K, int] = {}

    def failed(self, key: K) -> float:
        """Seconds to wait after one more failure: from half of the doubled wait up to all of it."""
        doublings = self._failures.get(key, 0)
        self._failures[key] = min(doublings + 1, _MAX_DOUBLINGS)
        ceiling = min(self._longest_s, 2 * self._first_s * 2.0**doublings)
        return ceiling * (1 + self._draw()) / 2

    def succeeded(self, key: K) -> None:
        """The next failure of this key is a first one again."""
        self._failures.pop(key, None)

    def failures(self, key: K) -> int:
        """How often this key failed in a row."""
        return self._failures.get(key, 0)
