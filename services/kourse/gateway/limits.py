"""Quotas that come back evenly (GCRA), exact across gateways while Redis answers.

While it does not, each gateway gives its share of the quota from its own memory: neither open nor
closed.

Source:
    ITU-T I.371, Generic Cell Rate Algorithm; the virtual scheduling form.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from kourse.kit.telemetry import get_logger

PAUSE_S = 1.0
"""Time without asking after Redis did not answer."""
MAX_LOCAL_KEYS = 10_000
log = get_logger(__name__)

_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local due = tonumber(redis.call('GET', KEYS[1])) or now
if due < now then due = now end
local after = due + interval
local wait = after - interval * burst - now
if wait > 0 then
  return {0, 0, math.ceil(wait), math.ceil(due - now)}
end
redis.call('SET', KEYS[1], string.format('%.3f', after), 'PX', math.ceil(after - now))
return {1, math.floor(-wait / interval + 0.001), 0, math.ceil(after - now)}
"""


@dataclass(frozen=True)
class Quota:
    """So many requests in so many seconds, all at once if need be.

    Attributes:
        name: How the quota is called in headers and keys.
        requests: Requests in a window.
        window_s: Seconds until a used-up quota is whole again.
    """

    name: str
    requests: int
    window_s: float


@dataclass(frozen=True)
class Decision:
    """Whether a request may pass, and what is left.

    Attributes:
        is_allowed: It may.
        remaining: Requests that may follow at once.
        retry_after_s: Seconds until the next may pass; 0 when it may now.
        reset_s: Seconds until the quota is whole again.
    """

    is_allowed: bool
    remaining: int
    retry_after_s: float
    reset_s: float


class Limiter:
    """Takes requests from one quota, by key.

    Args:
        quota: The quota of each key.
        store: Redis, or None for memory alone.
        replicas: Gateways that share the quota while Redis is down.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        quota: Quota,
        store: Redis | None,
        *,
        replicas: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.quota = quota
        self._clock = clock
        self._script = store.register_script(_TAKE) if store is not None else None
        self._silent_until = 0.0
        self._local = LocalBuckets(quota, max(1, quota.requests // replicas), clock)

    async def take(self, key: str) -> Decision:
        """Use one request of the key's quota, if there is one."""
        if self._script is None or self._clock() < self._silent_until:
            return self._local.take(key)
        interval_ms = self.quota.window_s * 1000 / self.quota.requests
        try:
            allowed, remaining, wait_ms, reset_ms = await self._script(
                keys=[f"gateway:{self.quota.name}:{key}"], args=[interval_ms, self.quota.requests]
            )
        except (RedisError, OSError, TimeoutError) as error:
            self._silent_until = self._clock() + PAUSE_S
            log.warning("quotas are kept locally", error=type(error).__name__)
            return self._local.take(key)
        return Decision(bool(allowed), int(remaining), wait_ms / 1000, reset_ms / 1000)


class LocalBuckets:
    """The same algorithm in memory, for at most 10,000 keys."""

    def __init__(self, quota: Quota, burst: int, clock: Callable[[], float]) -> None:
        self._interval_s = quota.window_s / burst
        self._burst = burst
        self._clock = clock
        self._due: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str) -> Decision:
        """Use one request of the key's share, if there is one."""
        now = self._clock()
        due = max(self._due.get(key, now), now)
        after = due + self._interval_s
        wait = after - self._interval_s * self._burst - now
        if wait > 1e-9:  # noqa: PLR2004 -- below what a float can tell
            return Decision(is_allowed=False, remaining=0, retry_after_s=wait, reset_s=due - now)
        self._due[key] = after
        self._due.move_to_end(key)
        if len(self._due) > MAX_LOCAL_KEYS:
            self._due.popitem(last=False)
        remaining = math.floor(-wait / self._interval_s + 0.001)
        return Decision(
            is_allowed=True, remaining=remaining, retry_after_s=0.0, reset_s=after - now
        )


class FailureLimiter:
    """Stops addresses from which too many refused requests came; all others cost nothing.

    Args:
        limiter: Takes one for each failure.
        clock: Monotonic seconds.
    """

    def __init__(self, limiter: Limiter, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limiter = limiter
        self._clock = clock
        self._blocked: OrderedDict[str, float] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """Seconds for which the address must wait; 0 when it need not."""
        until = self._blocked.get(key)
        if until is None:
            return 0.0
        left = until - self._clock()
        if left <= 0:
            del self._blocked[key]
            return 0.0
        return left

    async def note(self, key: str) -> None:
        """Count a failure from the address."""
        decision = await self._limiter.take(key)
        if decision.remaining > 0:
            return
        pause = (
            decision.retry_after_s or self._limiter.quota.window_s / self._limiter.quota.requests
        )
        self._blocked[key] = self._clock() + pause
        if len(self._blocked) > MAX_LOCAL_KEYS:
            self._blocked.popitem(last=False)


def limit_headers(quota: Quota, decision: Decision) -> dict[str, str]:
    """``RateLimit`` fields as in the draft of the IETF's httpapi group."""
    return {
        "ratelimit-policy": f'"{quota.name}";q={quota.requests};w={math.ceil(quota.window_s)}',
        "ratelimit": f'"{quota.name}";r={decision.remaining};t={math.ceil(decision.reset_s)}',
    }
