"""Families of refresh tokens: one for each log-in, in the token store; its id is the session's.

``family:<sid>`` holds the state, ``refresh:<digest>`` leads from any token of the family to it, also
from spent ones, so that reuse is noticed as long as the family lives.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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

MOST_CLIENT_CHARACTERS = 200


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


@dataclass(frozen=True)
class OpenSession:
    """A session that goes on.

    Attributes:
        client: What the client said of itself at log-in.
        used_at: Last log-in or refresh.
    """

    id: str
    tenant: str
    client: str
    opened_at: datetime
    used_at: datetime
    ends_at: datetime


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
            "client": client[:MOST_CLIENT_CHARACTERS],
            "opened": ends - ms(self._lifetime),
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
        return None if sid is None else await self.find_open(text(sid))

    async def find_open(self, session_id: str) -> Session | None:
        """The living session with this id."""
        user, tenant = await self._store.hmget(_family(session_id), ["user", "tenant"])
        if user is None or tenant is None:
            return None
        return Session(session_id, UUID(text(user)), text(tenant))

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

    async def end_all(self, user_id: UUID, *, but: str = "") -> None:
        """Every session of the user is over, except perhaps one."""
        for session_id in await self._ids(user_id):
            if session_id != but:
                await self.end(session_id)

    async def list_open(self, user_id: UUID) -> list[OpenSession]:
        """The user's sessions that a refresh would continue, newest first."""
        found = []
        for session_id in await self._ids(user_id):
            state = await self._store.hgetall(_family(session_id))
            if state:
                found.append(
                    _open_session(session_id, {text(k): text(v) for k, v in state.items()})
                )
        return sorted(found, key=lambda one: one.opened_at, reverse=True)

    async def owner(self, session_id: str) -> UUID | None:
        """Whose living session this is."""
        user = await self._store.hget(_family(session_id), "user")
        return None if user is None else UUID(text(user))

    async def _ids(self, user_id: UUID) -> list[str]:
        return [text(one) for one in await self._store.zrange(_sessions(user_id), 0, -1)]

    async def outdate(self, user_id: UUID, *, before: datetime) -> None:
        """Access tokens of a user issued before an instant are dead; refresh goes on."""
        moment = f"{before.timestamp():.3f}"
        await self._store.set(not_before_key(str(user_id)), moment, px=ms(self._deny_for))


def _open_session(session_id: str, state: Mapping[str, str]) -> OpenSession:
    opened = state.get("opened", "0")
    return OpenSession(
        id=session_id,
        tenant=state["tenant"],
        client=state.get("client", ""),
        opened_at=_moment(opened),
        used_at=_moment(state.get("rotated", opened)),
        ends_at=_moment(state["ends"]),
    )


def _moment(unix_ms: str) -> datetime:
    return datetime.fromtimestamp(float(unix_ms) / 1000, UTC)


def _family(session_id: str) -> str:
    return f"family:{session_id}"


def _sessions(user_id: UUID) -> str:
    return f"sessions:{user_id}"


def _binding(client: str) -> str:
    return hashlib.sha256(client.encode()).hexdigest()[:32]
