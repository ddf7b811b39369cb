"""One-time tokens of mailed links in the token store: digests, at most one alive for each subject.

A token is its subject's id and 256 random bits, so that it finds its record without an index.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from kourse.identity.domain import tokens
from kourse.identity.repository.token_store import TokenStore, ms, text

RANDOM_BYTES = 32
_ID_BYTES = 16


class Purpose(StrEnum):
    """What a token is good for; a token of one purpose opens nothing else."""

    RESET_PASSWORD = "reset-password"  # noqa: S105 - a purpose's name
    INVITATION = "invitation"


@dataclass(frozen=True)
class Holder:
    """Whom a token is about: an account or an invitation, and the tenant it was issued in."""

    subject: UUID
    tenant: str


class OneTimeTokens:
    """Issues tokens, and says whose they are while they live."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store

    async def issue(self, purpose: Purpose, subject: UUID, tenant: str, lifetime: timedelta) -> str:
        """A new token for the subject; an earlier one of the same purpose is dead."""
        raw = subject.bytes + secrets.token_bytes(RANDOM_BYTES)
        token = urlsafe_b64encode(raw).decode()
        key = _key(purpose, subject)
        async with self._store.pipeline(transaction=True) as pipe:
            pipe.hset(key, mapping={"digest": tokens.digest(token), "tenant": tenant})
            pipe.pexpire(key, ms(lifetime))
            await pipe.execute()
        return token

    async def peek(self, purpose: Purpose, token: str) -> Holder | None:
        """Whose live token this is; it stays good."""
        subject = _subject(token)
        if subject is None:
            return None
        digest, tenant = await self._store.hmget(_key(purpose, subject), ["digest", "tenant"])
        if digest is None or tenant is None:
            return None
        is_live = hmac.compare_digest(text(digest), tokens.digest(token))
        return Holder(subject, text(tenant)) if is_live else None

    async def drop(self, purpose: Purpose, subject: UUID) -> None:
        """No token of the subject is good for this any more."""
        await self._store.delete(_key(purpose, subject))


def _key(purpose: Purpose, subject: UUID) -> str:
    return f"link:{purpose.value}:{subject}"


def _subject(token: str) -> UUID | None:
    try:
        raw = urlsafe_b64decode(token.encode())
    except (Error, ValueError):
        return None
    return UUID(bytes=raw[:_ID_BYTES]) if len(raw) == _ID_BYTES + RANDOM_BYTES else None
