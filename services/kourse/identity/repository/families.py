"""Families of refresh tokens: one for each log-in, in the token store; its id is the session's.

``family:<sid>`` holds the state, ``refresh:<digest>`` leads from any token of the family to it, also
from spent ones, so that reuse is noticed as long as the family lives.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from redis.typing import EncodableT, FieldT

from kourse.identity.domain import tokens
from kourse.identity.domain.tokens import Session
from kourse.identity.repository.token_store import (
    TokenStore,
    ms,
    script,
    text,
)
from kourse.kit.auth.revocation import not_before_key, session_key
from kourse.kit.ids import new_id


class Outcome(StrEnum):
    """What became of a presented refresh token."""

    UNKNOWN = "unknown"
    ROTATED = "rotated"
    REPEATED = "repeated"
    STOLEN = "stolen"


@dataclass(frozen=True)
class Rotation:
    """The answer to a presented refresh token; ``token`` is empty unless it was good."""

    outcome: Outcome
    session_id: str
    token: str = ""


class Families:
    """Opens, continues and ends sessions.

    Args:
        store: The token store.
        idle: A family without a rotation for this long ends.
        lifetime: A family ends after this in any case.
        grace: How long the answer of a rotation can be had again while the successor is unused.
        access_lifetime: For how long a denied session's access tokens might still be good.
    """

    def __init__(
        self,
        store: TokenStore,
        *,
        idle: timedelta,
        lifetime: timedelta,
        grace: timedelta,
        access_lifetime: timedelta,
    ) -> None:
        self._store = store
        self._idle = idle
        self._lifetime = lifetime
        self._grace = grace
        self._deny_for = access_lifetime + timedelta(seconds=60)
        self._rotate = script(store, "rotate")

    async def open(self, user_id: UUID, tenant: str, client: str) -> tuple[Session, str]:
        """A new session and its first refresh token.

        Args:
            user_id: Whose session.
            tenant: For which tenant.
            client: What the client says of itself; a lost answer is given again to it only.
        """
        session = Session(str(new_id()), user_id, tenant)
        token = secrets.token_urlsafe(tokens.REFRESH_TOKEN_BYTES)
        digest = tokens.digest(token)
        seconds, micros = await self._store.time()
        ends = seconds * 1000 + micros // 1000 + ms(self._lifetime)
        state: dict[FieldT, EncodableT] = {
            "user": str(user_id),
            "tenant": tenant,
            "current": digest,
            "ends": ends,
            "binding": _binding(client),
        }
        async with self._store.pipeline(transaction=True) as pipe:
            pipe.hset(_family(session.id), mapping=state)
            pipe.pexpire(_family(session.id), min(ms(self._idle), ms(self._lifetime)))
            pipe.set(f"refresh:{digest}", session.id, pxat=ends)
            pipe.zremrangebyscore(_sessions(user_id), "-inf", ends - ms(self._lifetime))
            pipe.zadd(_sessions(user_id), {session.id: ends})
            pipe.pexpireat(_sessions(user_id), ends)
            await pipe.execute()
        return session, token

    async def find(self, token: str) -> Session | None:
        """The living session that a refresh token belongs to, spent or not; changes nothing."""
        sid = await self._store.get(f"refresh:{tokens.digest(token)}")
        if sid is None:
            return None
        user, tenant = await self._store.hmget(_family(text(sid)), ["user", "tenant"])
        if user is None or tenant is None:
            return None
        return Session(text(sid), UUID(text(user)), text(tenant))

    async def rotate(self, token: str, client: str) -> Rotation:
        """Exchanges a token for its successor; the family of a token used twice ends.

        The same token is exchanged once, whatever runs in parallel: within the grace, the same
        client gets the same successor again, until that one is used.
        """
        successor = secrets.token_urlsafe(tokens.REFRESH_TOKEN_BYTES)
        digest = tokens.digest(token)
        outcome, sid, sealed = await self._rotate(
            keys=[f"refresh:{digest}"],
            args=[
                digest,
                tokens.digest(successor),
                tokens.wrapped(successor, token),
                _binding(client),
                ms(self._grace),
                ms(self._idle),
                ms(self._deny_for),
                session_key(""),
            ],
        )
        good = text(sealed)
        return Rotation(
            Outcome(text(outcome)), text(sid), tokens.unwrapped(good, token) if good else ""
        )

    async def end(self, session_id: str) -> None:
        """The session is over: no refresh, and its access tokens are denied."""
        async with self._store.pipeline(transaction=True) as pipe:
            pipe.delete(_family(session_id))
            pipe.set(session_key(session_id), "1", px=ms(self._deny_for))
            await pipe.execute()

    async def end_all(self, user_id: UUID) -> None:
        """Every session of the user is over."""
        found = await self._store.zrange(_sessions(user_id), 0, -1)
        for session_id in found:
            await self.end(text(session_id))

    async def outdate(self, user_id: UUID, *, before: datetime) -> None:
        """Access tokens of a user issued before an instant are dead; refresh goes on."""
        moment = f"{before.timestamp():.3f}"
        await self._store.set(not_before_key(str(user_id)), moment, px=ms(self._deny_for))


def _family(session_id: str) -> str:
    return f"family:{session_id}"


def _sessions(user_id: UUID) -> str:
    return f"sessions:{user_id}"


def _binding(client: str) -> str:
    return hashlib.sha256(client.encode()).hexdigest()[:32]
