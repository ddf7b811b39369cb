"""A circuit breaker: a service that fails or crawls is left alone for a while.

Source:
    resilience4j, CircuitBreaker, count-based sliding window: thresholds are reached, not exceeded,
    and are judged only from the minimum number of calls on.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Circuit(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True)
class BreakerRules:
    """When to open, and for how long.

    Attributes:
        window: Last calls that are judged.
        minimum: Calls before anything is judged.
        failure_rate: Share of failures, 0 to 1, that opens.
        slow_rate: Share of slow calls, 0 to 1, that opens.
        slow_s: Seconds from which a call is slow.
        open_s: Seconds without calls.
        trials: Calls that decide afterwards.
    """

    window: int = 20
    minimum: int = 10
    failure_rate: float = 0.5
    slow_rate: float = 0.8
    slow_s: float = 2.0
    open_s: float = 5.0
    trials: int = 3


class Breaker:
    """The circuit to one service.

    Args:
        rules: When to open.
        clock: Monotonic seconds.
    """

    def __init__(
        self, rules: BreakerRules | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rules = rules or BreakerRules()
        self._clock = clock
        self._calls: deque[tuple[bool, bool]] = deque(maxlen=self._rules.window)
        self._state = Circuit.CLOSED
        self._changed_at = float("-inf")
        self._trials_begun = 0

    @property
    def state(self) -> Circuit:
        """The circuit now."""
        if self._state is Circuit.OPEN and self._clock() - self._changed_at >= self._rules.open_s:
            self._begin(Circuit.HALF_OPEN)
        return self._state

    def admit(self) -> float:
        """0 when a call may be made, which must then be recorded; else seconds to wait."""
        match self.state:
            case Circuit.CLOSED:
                return 0.0
            case Circuit.OPEN:
                return max(self._rules.open_s - (self._clock() - self._changed_at), 0.001)
            case Circuit.HALF_OPEN:
                if self._trials_begun >= self._rules.trials:
                    return 1.0
                self._trials_begun += 1
                return 0.0

    def record(self, *, failed: bool, seconds: float) -> None:
        """How an admitted call went; one from before the circuit last changed tells nothing any more."""
        if self._clock() - seconds < self._changed_at:
            return
        self._calls.append((failed, seconds >= self._rules.slow_s))
        if self._state is Circuit.HALF_OPEN:
            if len(self._calls) >= self._rules.trials:
                self._begin(Circuit.OPEN if self._is_bad() else Circuit.CLOSED)
            return
        is_judged = self._state is Circuit.CLOSED and len(self._calls) >= self._rules.minimum
        if is_judged and self._is_bad():
            self._begin(Circuit.OPEN)

    def forget(self) -> None:
        """An admitted call ended without telling anything, as when its client left."""
        if self._state is Circuit.HALF_OPEN:
            self._trials_begun -= 1

    def _is_bad(self) -> bool:
        calls = len(self._calls)
        failures = sum(failed for failed, _ in self._calls)
        slow = sum(was_slow for _, was_slow in self._calls)
        rules = self._rules
        return failures >= rules.failure_rate * calls or slow >= rules.slow_rate * calls

    def _begin(self, state: Circuit) -> None:
        self._state = state
        self._calls.clear()
        self._trials_begun = 0
        self._changed_at = self._clock()
