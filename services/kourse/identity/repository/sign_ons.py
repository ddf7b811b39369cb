"""Single sign-ons in the token store: those under way, and the sessions that came of them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import orjson

from kourse.identity.domain import tokens
from kourse.identity.domain.sign_on import PATIENCE, Attempt
from kourse.identity.repository.token_store import TokenStore, ms, text


class SignOns:
    """Attempts, each good for one return, and whose log-in at the issuer a session is.

    Args:
        store: The token store.
        session_lifetime: For how long a session may go on.
    """

    def __init__(self, store: TokenStore, *, session_lifetime: timedelta) -> None:
        self._store = store
        self._session_lifetime = session_lifetime

    async def begin(self, state: str, attempt: Attempt) -> None:
        """The attempt waits for its state to come back."""
        content = orjson.dumps(asdict(attempt))
        await self._store.set(_attempt(state), content, px=ms(PATIENCE))

    async def take(self, state: str) -> Attempt | None:
        """The attempt of a state, once."""
        found = await self._store.getdel(_attempt(state))
        return None if found is None else Attempt(**orjson.loads(found))

    async def link(self, session_id: str, theirs: str) -> None:
        """The session came of this log-in at the issuer."""
        lifetime = ms(self._session_lifetime)
        async with self._store.pipeline(transaction=True) as pipe:
            pipe.set(_session(session_id), theirs, px=lifetime)
            pipe.sadd(_log_in(theirs), session_id)
            pipe.pexpire(_log_in(theirs), lifetime)
            await pipe.execute()

    async def unlink(self, session_id: str) -> str:
        """The log-in at the issuer that a session came of, once; empty without one."""
        found = await self._store.getdel(_session(session_id))
        return "" if found is None else text(found)

    async def came_of(self, theirs: str) -> list[str]:
        """The sessions that came of a log-in at the issuer, ended ones too."""
        return sorted(text(one) for one in await self._store.smembers(_log_in(theirs)))

    async def is_linked(self, session_id: str) -> bool:
        """Whether the session came of a log-in at the issuer that goes on as far as is known."""
        return bool(await self._store.exists(_session(session_id)))

    async def was_heard(self, token_id: str) -> bool:
        """Whether a logout token was followed before."""
        return bool(await self._store.exists(_heard(token_id)))

    async def hear(self, token_id: str, lifetime: timedelta) -> None:
        """A logout token was followed; that is known as long as the token is good."""
        await self._store.set(_heard(token_id), 1, px=max(ms(lifetime), 1))

    async def leave(self, theirs: str) -> None:
        """The log-in at the issuer is to be ended as soon as the issuer answers again."""
        await self._store.zadd(_LEFT, {theirs: await self._now_s()})

    async def left(self) -> list[str]:
        """Log-ins at the issuer that are to be ended, as far as they have not lapsed there."""
        begun = await self._now_s() - self._session_lifetime.total_seconds()
        await self._store.zremrangebyscore(_LEFT, "-inf", begun)
        return [text(one) for one in await self._store.zrange(_LEFT, 0, -1)]

    async def drop(self, theirs: str) -> None:
        """The log-in at the issuer is over."""
        await self._store.zrem(_LEFT, theirs)

    async def _now_s(self) -> float:
        seconds, _ = await self._store.time()
        return float(seconds)


_LEFT = "sign-on-left"


def _attempt(state: str) -> str:
    return f"sign-on:{tokens.digest(state)}"


def _session(session_id: str) -> str:
    return f"sign-on-session:{session_id}"


def _heard(token_id: str) -> str:
    return f"sign-on-heard:{tokens.digest(token_id)}"


def _log_in(theirs: str) -> str:
    return f"sign-on-log-in:{tokens.digest(theirs)}"
