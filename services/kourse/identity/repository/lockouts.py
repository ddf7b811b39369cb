"""Temporary lockout, kept in the token store under a digest of the address.

Addresses without an account are counted like any other, so that being locked tells nobody whether
there is an account.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Literal

from kourse.identity.domain.lockout import LockoutPolicy
from kourse.identity.repository.token_store import TokenStore, ms, script

SLOT = timedelta(seconds=15)
"""After this a slot whose holder died is free again."""

_TOLD_S = 86_400
"""For how long a told lock is remembered; longer than any lasts."""

Ending = Literal["right", "wrong", "dropped"]


class Lockouts:
    """Counts failures of addresses and bounds the checks that run at a time."""

    def __init__(self, store: TokenStore, policy: LockoutPolicy) -> None:
        self._store = store
        self._policy = policy
        self._reserve = script(store, "reserve")
        self._settle = script(store, "settle")

    async def reserve(self, email: str) -> str | None:
        """A slot for one check of a password, or None while log-in is refused."""
        slot = secrets.token_hex(8)
        policy = self._policy
        given = await self._reserve(
            keys=_keys(email),
            args=[slot, ms(SLOT), policy.failure_factor, ms(policy.max_delta)],
        )
        return slot if given else None

    async def settle(self, email: str, slot: str, ending: Ending) -> timedelta:
        """Gives a slot back; returns for how long this failure locks the address, often zero."""
        policy = self._policy
        wait = await self._settle(
            keys=_keys(email),
            args=[
                slot,
                ending,
                policy.failure_factor,
                ms(policy.wait_increment),
                ms(policy.max_wait),
                ms(policy.max_delta),
                ms(policy.quick_check),
                ms(policy.min_quick_wait),
            ],
        )
        return timedelta(milliseconds=int(wait))

    async def announce(self, email: str, until: datetime) -> bool:
        """Whether a lock that another store put on the address is told of for the first time."""
        key = f"locked:{_keys(email)[0]}:{int(until.timestamp())}"
        return bool(await self._store.set(key, 1, nx=True, ex=_TOLD_S))

    async def forget(self, email: str) -> None:
        """No failure of the address is counted, and it is not locked."""
        await self._store.delete(_keys(email)[0])

    async def standing(self, email: str) -> tuple[int, datetime | None]:
        """Failures in a row, and the end of the lock in force or None."""
        count, until = await self._store.hmget(_keys(email)[0], ["count", "until"])
        seconds, micros = await self._store.time()
        ends_ms = int(float(until or 0))
        is_locked = ends_ms > seconds * 1000 + micros // 1000
        return int(count or 0), datetime.fromtimestamp(ends_ms / 1000, UTC) if is_locked else None


def _keys(email: str) -> list[str]:
    key = hashlib.sha256(email.encode()).hexdigest()
    return [f"lockout:{key}", f"checking:{key}"]
