"""Tokens that were valid and are no more: ended log-ins, and all tokens before a change."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from redis.asyncio import Redis
from redis.exceptions import ConnectionError, RedisError  # noqa: A004 - Redis' own

from kourse.contracts.errors import Unauthenticated
from kourse.kit.auth.claims import Claims
from kourse.kit.telemetry import get_logger

PAUSE_S = 1.0
"""Time without asking after the token store did not answer, so that its loss slows nothing."""
_REVOKED = "This log-in has ended; log in again."
log = get_logger(__name__)


def session_key(session_id: str) -> str:
    """Redis key that exists while tokens of this log-in must be refused."""
    return f"deny:sid:{session_id}"


def not_before_key(user_id: str) -> str:
    """Redis key with the Unix time before which this person's tokens are dead."""
    return f"nbf:user:{user_id}"


class DenyList:
    """Reads what identity writes to the token store.

    Args:
        store: The token store, or None where a process has none.
        clock: Monotonic seconds.
    """

    def __init__(self, store: Redis | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._silent_until = 0.0

    async def check(self, claims: Claims) -> bool:
        """Whether the list could be asked; False leaves the decision to the caller.

        Raises:
            Unauthenticated: The token was revoked.
        """
        if self._store is None or self._clock() < self._silent_until:
            return False
        keys = (session_key(claims.session_id), not_before_key(claims.subject))
        try:
            denied, not_before = await _ask(self._store, keys)
        except (RedisError, OSError, TimeoutError) as error:
            self._silent_until = self._clock() + PAUSE_S
            log.warning("the deny list cannot be asked", error=type(error).__name__)
            return False
        if denied is not None or claims.issued_at < float(not_before or 0):
            raise Unauthenticated(_REVOKED)
        return True


async def _ask(store: Redis, keys: tuple[str, str]) -> Sequence[bytes | str | None]:
    """The values; asked again where a connection had died while it rested, as all do in a restart."""
    try:
        return await store.mget(*keys)
    except ConnectionError:
        return await store.mget(*keys)
