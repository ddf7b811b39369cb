"""What an access token says, once it is certain that identity said it.

A person's token (``aud`` is ``kourse``) carries ``iss sub aud exp iat jti sid tenant roles`` and, for
roles held at a course or cohort only, ``scopes``. A program's token is one of these that says more:
``permissions`` keeps it to those of the catalog, and a service account's names itself in ``client_id``
also. A service's token (``aud`` is the called service) carries ``iss sub aud exp iat jti client_id``,
where ``sub`` and ``client_id`` are the caller's name.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kourse.contracts.errors import Unauthenticated

USER_AUDIENCE = "kourse"
"""``aud`` of every person's token; services' tokens name the service that is called."""
LEEWAY_S = 30.0
"""Seconds by which two machines' clocks may differ."""

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_INVALID = "The access token is not valid."
_EXPIRED = "The access token has expired; log in again or refresh it."


@dataclass(frozen=True, slots=True)
class Claims:
    """The checked claims of one token.

    Attributes:
        subject: Id of the person or the service account, or the calling service's name.
        expires_at: Unix seconds.
        issued_at: Unix seconds, with fractions where identity gives them.
        session_id: The log-in or the secret it came from; "" in services' tokens.
        roles: Roles in the whole tenant.
        scopes: ``role@course:name`` or ``role@cohort:name``.
        client: The calling service or service account, or None for a person.
        permissions: Names beyond which the roles allow nothing; None where roles alone decide.
    """

    subject: str
    expires_at: float
    issued_at: float
    token_id: str
    tenant: str
    session_id: str
    roles: frozenset[str]
    scopes: tuple[str, ...]
    client: str | None
    permissions: frozenset[str] | None = None


def parse_claims(payload: bytes, *, issuer: str, audience: str, now: float) -> Claims:
    """The claims, when all that are needed are there and right.

    Args:
        payload: JSON text whose signature was verified.
        issuer: The only ``iss`` accepted, character by character.
        audience: The only ``aud`` accepted; a list is refused.
        now: Unix seconds.

    Raises:
        Unauthenticated: Something is missing, wrong, doubled or expired.
    """
    claims = unique_object(payload)
    if claims.get("iss") != issuer or claims.get("aud") != audience:
        raise Unauthenticated(_INVALID)
    expires_at, issued_at = _instant(claims, "exp"), _instant(claims, "iat")
    not_before = _instant(claims, "nbf") if "nbf" in claims else issued_at
    if max(issued_at, not_before) > now + LEEWAY_S:
        raise Unauthenticated(_INVALID)
    if now >= expires_at + LEEWAY_S:
        raise Unauthenticated(_EXPIRED)
    is_person = audience == USER_AUDIENCE
    return Claims(
        subject=_person(claims) if is_person else _text(claims, "sub"),
        expires_at=expires_at,
        issued_at=issued_at,
        token_id=_text(claims, "jti"),
        tenant=_tenant(claims) if is_person else "",
        session_id=_text(claims, "sid") if is_person else "",
        roles=frozenset(_texts(claims, "roles")) if is_person else frozenset(),
        scopes=_texts(claims, "scopes", required=False) if is_person else (),
        client=_client(claims) if not is_person or "client_id" in claims else None,
        permissions=_limit(claims) if is_person else None,
    )


def unique_object(text: bytes) -> dict[str, Any]:
    """The JSON object in ``text``.

    Raises:
        Unauthenticated: It is no JSON object, or a name in it is doubled.
    """
    try:
        value = json.loads(text, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError):
        raise Unauthenticated(_INVALID) from None
    if not isinstance(value, dict):
        raise Unauthenticated(_INVALID)
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is doubled")
    return found


def _instant(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unauthenticated(_INVALID)
    return float(value)


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 255:  # noqa: PLR2004 -- RFC 9068
        raise Unauthenticated(_INVALID)
    return value


def _texts(claims: Mapping[str, Any], name: str, *, required: bool = True) -> tuple[str, ...]:
    value = claims.get(name, None if required else [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Unauthenticated(_INVALID)
    return tuple(value)


def _limit(claims: Mapping[str, Any]) -> frozenset[str] | None:
    return frozenset(_texts(claims, "permissions")) if "permissions" in claims else None


def _person(claims: Mapping[str, Any]) -> str:
    try:
        return str(UUID(_text(claims, "sub")))
    except ValueError:
        raise Unauthenticated(_INVALID) from None


def _tenant(claims: Mapping[str, Any]) -> str:
    tenant = _text(claims, "tenant")
    if not _LABEL.match(tenant):
        raise Unauthenticated(_INVALID)
    return tenant


def _client(claims: Mapping[str, Any]) -> str:
    client = _text(claims, "client_id")
    if client != claims.get("sub"):
        raise Unauthenticated(_INVALID)
    return client
