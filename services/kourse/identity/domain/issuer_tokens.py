"""What an outside issuer's tokens say, once it is certain that the issuer said it.

Source:
    OpenID Connect Core 1.0 section 3.1.3.7; OpenID Connect Back-Channel Logout 1.0 section 2.6.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LEEWAY_S = 30
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True)
class Parties:
    """Between whom a token must be.

    Attributes:
        issuer: The only issuer accepted, character by character.
        client: For whom it must be, and for nobody else.
    """

    issuer: str
    client: str


@dataclass(frozen=True)
class Proof:
    """Whom the issuer vouches for.

    Attributes:
        subject: Who it is, at the issuer.
        email: Their address there, as it is spelled there; empty when they have none.
        is_verified: Whether the issuer has seen that the address is theirs.
        display_name: What they are called there; may be empty.
        session: Their log-in at the issuer; may be empty.
    """

    subject: str
    email: str
    is_verified: bool
    display_name: str
    session: str


@dataclass(frozen=True)
class LogOut:
    """A log-in at the issuer is over; subject or session may be empty, but not both.

    Attributes:
        token_id: Of the token that says so; good once.
        expires_at: Unix seconds from which the token is not taken any more.
    """

    token_id: str
    subject: str
    session: str
    expires_at: float


def proof_of(claims: Mapping[str, Any], parties: Parties, *, nonce: str, now_s: float) -> Proof:
    """What an ID token says, whose signature was checked.

    Args:
        claims: Its payload.
        parties: Between whom it must be.
        nonce: That of the attempt.
        now_s: Unix seconds.

    Raises:
        ValueError: It is of another issuer, for another client or attempt, or not of now.
    """
    _ensure_between(claims, parties, now_s)
    if claims.get("typ", "ID") != "ID":
        raise ValueError("no ID token")
    if not hmac.compare_digest(_text(claims, "nonce").encode(), nonce.encode()):
        raise ValueError("another attempt")
    if not _text(claims, "sub"):
        raise ValueError("nobody's")
    return Proof(
        subject=_text(claims, "sub"),
        email=_text(claims, "email"),
        is_verified=claims.get("email_verified") is True,
        display_name=_text(claims, "name"),
        session=_text(claims, "sid"),
    )


def log_out_of(claims: Mapping[str, Any], parties: Parties, *, now_s: float) -> LogOut:
    """What a logout token says, whose signature was checked.

    Args:
        claims: Its payload.
        parties: Between whom it must be.
        now_s: Unix seconds.

    Raises:
        ValueError: It is none, of another issuer, for another client, or not of now.
    """
    expires_at = _ensure_between(claims, parties, now_s)
    events = claims.get("events")
    if not isinstance(events, Mapping) or not isinstance(events.get(LOGOUT_EVENT), Mapping):
        raise ValueError("no logout token")  # noqa: TRY004 -- a value from outside
    if "nonce" in claims:
        raise ValueError("an ID token in a logout token's clothes")
    told = LogOut(
        _text(claims, "jti"), _text(claims, "sub"), _text(claims, "sid"), expires_at + LEEWAY_S
    )
    if not told.token_id or not (told.subject or told.session):
        raise ValueError("nobody's")
    return told


def _ensure_between(claims: Mapping[str, Any], parties: Parties, now_s: float) -> float:
    """When it expires, in Unix seconds, if it is between these parties and of now."""
    if claims.get("iss") != parties.issuer:
        raise ValueError("another issuer")
    is_theirs = claims.get("aud") in (parties.client, [parties.client])
    if not is_theirs or claims.get("azp", parties.client) != parties.client:
        raise ValueError("another audience")
    issued, expires = _instant(claims, "iat"), _instant(claims, "exp")
    if expires + LEEWAY_S <= now_s or issued - LEEWAY_S > now_s:
        raise ValueError("not of now")
    return expires


def _instant(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"without {name}")
    return float(value)


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")  # noqa: TRY004 -- a value from outside
    return value
