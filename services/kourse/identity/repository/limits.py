"""Counters that bound how often something may be asked for, in the token store."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from kourse.identity.repository.token_store import TokenStore, ms


class Limits:
    """Fixed windows by purpose and asker; askers are kept as digests."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store

    async def allows(self, purpose: str, asker: str, *, most: int, period: timedelta) -> bool:
        """Whether this is among the first ``most`` in the period; it is counted in any case."""
        key = f"limit:{purpose}:{hashlib.sha256(asker.encode()).hexdigest()}"
        async with self._store.pipeline(transaction=True) as pipe:
            pipe.incr(key)
            pipe.pexpire(key, ms(period), nx=True)
            count, _ = await pipe.execute()
        return int(count) <= most
