"""What the tokens say, and how a rotated refresh token leads to its successor only for its holder."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from kourse.identity.domain.accounts import Standing

REFRESH_TOKEN_BYTES = 32
CODE_DIGITS = 6


@dataclass(frozen=True)
class Session:
    """A log-in: the family that all its refresh tokens belong to."""

    id: str
    user_id: UUID
    tenant: str


def service_claims(client: str, *, issuer: str, audience: str) -> dict[str, Any]:
    """Claims of a service's access token, but for its id and times."""
    return {"iss": issuer, "aud": audience, "sub": client, "client_id": client}


def person_claims(
    session: Session, standing: Standing, *, issuer: str, audience: str
) -> dict[str, Any]:
    """Claims of a person's access token, but for its id and times."""
    return {
        "iss": issuer,
        "aud": audience,
        "sub": str(session.user_id),
        "sid": session.id,
        "tenant": session.tenant,
        "roles": list(standing.roles),
        "scopes": list(standing.scopes),
    }


def program_claims(
    session: Session,
    standing: Standing,
    permissions: Iterable[str],
    *,
    issuer: str,
    audience: str,
    client: str | None = None,
) -> dict[str, Any]:
    """Claims of a token with which a program acts, for a person or as a service account.

    Args:
        session: Its subject and tenant; the id is the secret's that the program showed.
        standing: The roles behind it.
        permissions: All that the roles may allow here.
        issuer: As in every token.
        audience: As in every token for the platform.
        client: The service account; None where a person is behind the program.
    """
    claims = person_claims(session, standing, issuer=issuer, audience=audience)
    claims["permissions"] = sorted(permissions)
    return claims if client is None else claims | {"client_id": client}


def times(now: datetime, lifetime: timedelta) -> dict[str, float]:
    """``iat`` and ``exp`` in seconds since 1970.

    The issue time has milliseconds, so that tokens from before a change of roles are told apart from
    those that follow within the same second.
    """
    issued = round(now.timestamp(), 3)
    return {"iat": issued, "exp": int(issued + lifetime.total_seconds())}


def digest(token: str) -> str:
    """Under what a token is kept: SHA-256, as 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def wrapped(successor: str, predecessor: str) -> str:
    """A refresh token under a one-time pad that only the token before it yields.

    A lost answer can then be given again without the store ever holding a usable token.
    """
    return urlsafe_b64encode(_xor(_raw(successor), _pad(predecessor))).decode()


def unwrapped(sealed: str, predecessor: str) -> str:
    """The successor that ``wrapped`` put away."""
    plain = _xor(urlsafe_b64decode(sealed), _pad(predecessor))
    return urlsafe_b64encode(plain).decode().rstrip("=")


def code_digest(code: str, delivery_id: UUID, pepper: bytes) -> str:
    """Under what a short code is kept; without the pepper a million guesses would reveal it."""
    return hmac.new(pepper, f"{delivery_id}/{code}".encode(), hashlib.sha256).hexdigest()


def recovery_digest(code: str) -> str:
    """Under what a recovery code is kept, however its groups were typed; 80 random bits need no slow hash."""
    return digest("".join(filter(str.isalnum, code)).lower())


def _pad(token: str) -> bytes:
    return hashlib.sha256(b"kourse refresh successor/" + token.encode()).digest()


def _raw(token: str) -> bytes:
    return urlsafe_b64decode(token + "=" * (-len(token) % 4))


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
