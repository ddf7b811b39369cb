"""What Redis remembers of events that took effect: a cheap first look, and never the truth.

A mark is written after the commit alone, so believing it loses nothing; without it, the database finds the
duplicate. Redis may be down, slow or empty: after a failure it is left alone for a while. A restore of the
database changes the consumer's epoch, so that no mark of what the restore undid is believed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence
from typing import TypeVar
from uuid import UUID

import structlog
from prometheus_client import Counter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from kourse.kit.inbox.cursor import Arrival

log = structlog.get_logger(__name__)
T = TypeVar("T")

KEEP_S = 7 * 86_400
"""Seconds for which a mark is kept."""
PATIENCE_S = 0.03
"""Seconds that Redis has to answer."""
REST_S = 5.0
"""Seconds for which it is not asked after it did not."""
TRUST_S = 5.0
"""Seconds for which an epoch holds after it was read; who changes it waits that long."""
SKIPPED = Counter(
    "kourse_inbox_marks_failed_total", "Times that Redis did not answer in time.", ["consumer"]
)
_WRITE = "for _, key in ipairs(KEYS) do redis.call('SET', key, 'done', 'EX', ARGV[1]) end"


class Marks:
    """The marks of one consumer."""

    def __init__(self, redis: Redis | None, consumer: str) -> None:
        """Believes and writes nothing before ``trust``.

        Args:
            redis: Where they are; None for nowhere.
            consumer: Name of the consumer.
        """
        self._redis = redis
        self._write = redis.register_script(_WRITE) if redis else None
        self._consumer = consumer
        self._epoch: UUID | None = None
        self._trusted_until = 0.0
        self._resting_until = 0.0

    def trust(self, epoch: UUID) -> None:
        """This epoch, just read from the database, holds for ``TRUST_S``."""
        self._epoch = epoch
        self._trusted_until = time.monotonic() + TRUST_S

    async def unmarked(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Those that are not known to have taken effect; all of them when Redis does not answer."""
        if self._redis is None or not arrivals or not self._usable():
            return list(arrivals)
        keys = self._keys([arrival.delivery.id for arrival in arrivals])
        found = await self._within_bounds(self._redis.mget(keys))
        if found is None:
            return list(arrivals)
        return [arrival for arrival, mark in zip(arrivals, found, strict=True) if mark is None]

    async def remember(self, ids: Sequence[UUID]) -> None:
        """These took effect; a failure is nobody's trouble."""
        if self._write is not None and ids and self._usable():
            await self._within_bounds(self._write(keys=self._keys(ids), args=[KEEP_S]))

    def _usable(self) -> bool:
        now = time.monotonic()
        return self._resting_until <= now < self._trusted_until

    def _keys(self, ids: Sequence[UUID]) -> list[str]:
        prefix = f"idem:{self._epoch}:{self._consumer}:"
        return [f"{prefix}{id_}" for id_ in ids]

    async def _within_bounds(self, answer: Awaitable[T]) -> T | None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await answer
        except (RedisError, OSError, TimeoutError) as error:
            self._resting_until = time.monotonic() + REST_S
            SKIPPED.labels(self._consumer).inc()
            log.warning("inbox.marks_skipped", consumer=self._consumer, error=str(error))
            return None
