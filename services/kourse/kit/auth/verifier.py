"""Checks access tokens: one algorithm, one type, one issuer, keys from one place."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from joserfc.jwk import ECKey

from kourse.kit.auth.claims import Claims, parse_claims
from kourse.kit.auth.keys import KeyCache
from kourse.kit.auth.signatures import SignedTokens

ALGORITHM = "ES256"
TOKEN_TYPE = "at+jwt"  # noqa: S105 -- the media type of RFC 9068
CACHE_S = 60.0
"""Longest time for which a verified token is not verified again."""
CACHE_SIZE = 4096


class Verifier:
    """Verifies tokens of one issuer.

    Args:
        issuer: The only ``iss`` accepted.
        keys: Identity's public keys.
        now: Unix seconds.
    """

    def __init__(
        self, issuer: str, keys: KeyCache[ECKey], *, now: Callable[[], float] = time.time
    ) -> None:
        self._issuer = issuer
        self._tokens = SignedTokens(keys, algorithm=ALGORITHM, types=frozenset({TOKEN_TYPE}))
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
        if known := self._recall(token, audience):
            return known
        payload = await self._tokens.payload(token)
        claims = parse_claims(payload, issuer=self._issuer, audience=audience, now=self._now())
        self._remember(token, audience, claims)
        return claims

    async def ready(self) -> None:
        """Returns when tokens can be verified; else raises Unavailable."""
        await self._tokens.ready()

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
