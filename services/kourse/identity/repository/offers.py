"""Offered second factors that nobody has confirmed yet: sealed secrets in the token store."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from kourse.identity.repository.token_store import TokenStore, ms

LIFETIME = timedelta(minutes=10)
TRIES = 5


class FactorOffers:
    """At most one offer for each account."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store

    async def put(self, account_id: UUID, sealed: bytes) -> None:
        """The account is offered this secret; an earlier offer is void."""
        key = _key(account_id)
        async with self._store.pipeline(transaction=True) as pipe:
            pipe.delete(key)
            pipe.hset(key, mapping={"sealed": sealed.hex(), "tries": 0})
            pipe.pexpire(key, ms(LIFETIME))
            await pipe.execute()

    async def attempt(self, account_id: UUID) -> bytes | None:
        """The offered secret, one try counted; None without an offer or after too many."""
        key = _key(account_id)
        async with self._store.pipeline(transaction=True) as pipe:
            pipe.hget(key, "sealed")
            pipe.hincrby(key, "tries", 1)
            pipe.pexpire(key, ms(LIFETIME), lt=True)
            sealed, tries, _ = await pipe.execute()
        return bytes.fromhex(sealed.decode()) if sealed and int(tries) <= TRIES else None

    async def take(self, account_id: UUID) -> bool:
        """Whether something was offered, which nothing is any more; true for one of many callers."""
        return bool(await self._store.delete(_key(account_id)))


def _key(account_id: UUID) -> str:
    return f"factor-offer:{account_id}"
