"""Tokens by which this service shows siblings who calls."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import aiohttp

from kourse.contracts.errors import Unavailable
from kourse.kit.telemetry import get_logger, inject

TIMEOUT_S = 2.0
RENEW_BEFORE_S = 45.0
"""Time before expiry at which a token is replaced; more than the leeway of 30 s."""
_UNAVAILABLE = "Siblings cannot be called right now."
log = get_logger(__name__)


class ServiceTokens:
    """Asks identity by client credentials and keeps what it gets, one token per audience.

    The request is ``POST /v1/auth/token`` with HTTP Basic authentication and the form fields
    ``grant_type=client_credentials`` and ``audience``; the answer is that of RFC 6749 5.1.

    Args:
        identity_url: Internal HTTP address of identity.
        client: This service's name.
        secret: This service's client secret.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        identity_url: str,
        client: str,
        secret: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = f"{identity_url.rstrip('/')}/v1/auth/token"
        self._client = client
        self._secret = secret
        self._clock = clock
        self._tokens: dict[str, tuple[float, str]] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def token(self, audience: str) -> str:
        """A token that is valid for at least some seconds at the named service.

        Raises:
            Unavailable: Identity cannot be reached or does not give one.
        """
        async with self._locks[audience]:
            renew_at, token = self._tokens.get(audience, (0.0, ""))
            if not token or self._clock() >= renew_at:
                token, lifetime_s = await self._request(audience)
                renew_at = self._clock() + max(lifetime_s - RENEW_BEFORE_S, lifetime_s / 2)
                self._tokens[audience] = (renew_at, token)
            return token

    async def _request(self, audience: str) -> tuple[str, float]:
        try:
            answer = await self._post(audience)
            return str(answer["access_token"]), float(answer["expires_in"])
        except (
            aiohttp.ClientError,
            TimeoutError,
            OSError,
            KeyError,
            ValueError,
            TypeError,
        ) as error:
            log.warning(
                "identity gave no service token", audience=audience, error=type(error).__name__
            )
            raise Unavailable(_UNAVAILABLE, retry_after_s=2) from error

    async def _post(self, audience: str) -> Any:
        headers: dict[str, str] = {
            "authorization": aiohttp.encode_basic_auth(self._client, self._secret)
        }
        inject(headers)
        form = {"grant_type": "client_credentials", "audience": audience}
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.post(self._url, data=form, allow_redirects=False) as response,
        ):
            if response.status != 200:  # noqa: PLR2004 -- OK
                raise ValueError(f"identity answered {response.status}")
            return await response.json()
