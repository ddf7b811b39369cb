"""Checks access tokens: one algorithm, one type, one issuer, keys from one place."""

from __future__ import annotations

import base64
import binascii
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from kourse.contracts.errors import Malformed, Unauthenticated
from kourse.kit.auth.claims import Claims, parse_claims, unique_object
from kourse.kit.auth.keys import KEY_ID, KeyCache

ALGORITHM = "ES256"
TOKEN_TYPE = "at+jwt"  # noqa: S105 -- the media type of RFC 9068
MAX_TOKEN_BYTES = 8192
CACHE_S = 60.0
"""Longest time for which a verified token is not verified again."""
CACHE_SIZE = 4096

_INVALID = "The access token is not valid."
_HEADER_NAMES = frozenset(
    {"alg", "typ", "kid", "cty", "jku", "x5u", "jwk", "x5c", "x5t", "x5t#S256"}
)
"""Known header names; those that carry or locate a key are ignored, and unknown ones refused."""


class Verifier:
    """Verifies tokens of one issuer.

    Args:
        issuer: The only ``iss`` accepted.
        keys: Identity's public keys.
        now: Unix seconds.
    """

    def __init__(
        self, issuer: str, keys: KeyCache, *, now: Callable[[], float] = time.time
    ) -> None:
        self._issuer = issuer
        self._keys = keys
        self._now = now
        self._verified: OrderedDict[tuple[str, str], tuple[float, Claims]] = OrderedDict()

    async def verify(self, token: str, audience: str) -> Claims:
        """The token's claims.

        Args:
            token: Compact form, without the scheme's name.
            audience: ``USER_AUDIENCE`` or this service's name.

        Raises:
            Malformed: It is longer than 8 KiB.
            Unauthenticated: It is not valid here and now.
            Unavailable: No public keys are known.
        """
        if len(token) > MAX_TOKEN_BYTES:
            raise Malformed("The access token is too long.")
        if known := self._recall(token, audience):
            return known
        claims = parse_claims(
            await self._payload(token), issuer=self._issuer, audience=audience, now=self._now()
        )
        self._remember(token, audience, claims)
        return claims

    async def ready(self) -> None:
        """Returns when tokens can be verified; else raises Unavailable."""
        await self._keys.ready()

    async def _payload(self, token: str) -> bytes:
        header = _checked_header(token)
        key = await self._keys.find(header["kid"])
        if key is None:
            raise Unauthenticated(_INVALID)
        try:
            return jws.deserialize_compact(token, key, algorithms=[ALGORITHM]).payload
        except (JoseError, ValueError):
            raise Unauthenticated(_INVALID) from None

    def _recall(self, token: str, audience: str) -> Claims | None:
        until, claims = self._verified.get((token, audience), (0.0, None))
        if claims is None or self._now() >= until:
            return None
        self._verified.move_to_end((token, audience))
        return claims

    def _remember(self, token: str, audience: str, claims: Claims) -> None:
        until = min(self._now() + CACHE_S, claims.expires_at)
        self._verified[token, audience] = (until, claims)
        if len(self._verified) > CACHE_SIZE:
            self._verified.popitem(last=False)


def _checked_header(token: str) -> dict[str, Any]:
    """The token's header, when its form, algorithm, type and key id are as they must be."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 -- header, payload, signature; five would be a JWE
        raise Unauthenticated(_INVALID)
    decoded = [_decode(part) for part in parts]
    header = unique_object(decoded[0])
    key_id = header.get("kid")
    if (
        header.get("alg") != ALGORITHM
        or header.get("typ") != TOKEN_TYPE
        or not isinstance(key_id, str)
        or KEY_ID.match(key_id) is None
        or not header.keys() <= _HEADER_NAMES
    ):
        raise Unauthenticated(_INVALID)
    return header


def _decode(part: str) -> bytes:
    """The part's bytes; only the one canonical spelling is accepted, so a token has one form."""
    try:
        decoded = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Unauthenticated(_INVALID) from None
    if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() != part:
        raise Unauthenticated(_INVALID)
    return decoded
