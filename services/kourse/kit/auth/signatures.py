"""Checks signatures: one algorithm and type, canonical spelling, keys from one place."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Generic

from joserfc import jws
from joserfc.errors import JoseError

from kourse.contracts.errors import Malformed, Unauthenticated
from kourse.kit.auth.claims import unique_object
from kourse.kit.auth.keys import KEY_ID, Key, KeyCache

MAX_TOKEN_BYTES = 8192
_INVALID = "The token is not valid."
_HEADER_NAMES = frozenset(
    {"alg", "typ", "kid", "cty", "jku", "x5u", "jwk", "x5c", "x5t", "x5t#S256"}
)
"""Known header names; those that carry or locate a key are ignored, and unknown ones refused."""


class SignedTokens(Generic[Key]):
    """Opens tokens (JWS, RFC 7515, compact form) that one issuer signed.

    Args:
        keys: The issuer's public keys.
        algorithm: The only ``alg`` accepted.
        types: The ``typ`` accepted.
    """

    def __init__(self, keys: KeyCache[Key], *, algorithm: str, types: frozenset[str]) -> None:
        self._keys = keys
        self._algorithm = algorithm
        self._types = types

    async def payload(self, token: str) -> bytes:
        """What was signed.

        Raises:
            Malformed: It is longer than 8 KiB.
            Unauthenticated: It is no such token, or somebody else's.
            Unavailable: No public keys are known.
        """
        if len(token) > MAX_TOKEN_BYTES:
            raise Malformed("The token is too long.")
        header = self._checked_header(token)
        key = await self._keys.find(header["kid"])
        if key is None:
            raise Unauthenticated(_INVALID)
        try:
            return jws.deserialize_compact(token, key, algorithms=[self._algorithm]).payload
        except (JoseError, ValueError):
            raise Unauthenticated(_INVALID) from None

    async def ready(self) -> None:
        """Returns when tokens can be checked; else raises Unavailable."""
        await self._keys.ready()

    def _checked_header(self, token: str) -> dict[str, Any]:
        """The token's header, when its form, algorithm, type and key id are as they must be."""
        parts = token.split(".")
        if len(parts) != 3:  # noqa: PLR2004 -- header, payload, signature; five would be a JWE
            raise Unauthenticated(_INVALID)
        decoded = [_decode(part) for part in parts]
        header = unique_object(decoded[0])
        key_id = header.get("kid")
        if (
            header.get("alg") != self._algorithm
            or header.get("typ") not in self._types
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
