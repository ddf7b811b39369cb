"""Keycloak over HTTP: what identity asks of it, and as whom.

Three clients of the realm share one secret: a service account that may manage users and see events,
one that asks whether a password is right, and one that asks whether a one-time code is. What the
latter two are given is thrown away: the platform's tokens are identity's own.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import aiohttp

from kourse.contracts.errors import Unavailable
from kourse.kit.telemetry import get_logger

ACCOUNTS = "kourse-accounts"
LOGIN = "kourse-login"
FACTOR = "kourse-second-factor"
CONNECTIONS = 16
RENEW_BEFORE_S = 30.0
RETRY_AFTER_S = 5.0
Query = Mapping[str, str] | Sequence[tuple[str, str]]
_UNAVAILABLE = "Log-in is not possible right now."
_CHALLENGED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED})
log = get_logger(__name__)


@dataclass(frozen=True)
class Realm:
    """Where a realm is and how to log in to it.

    Attributes:
        url: Keycloak's address, without the realm.
        name: The realm's name.
        secret: The secret of identity's clients.
        timeout_s: Seconds after which an answer counts as none.
    """

    url: str
    name: str
    secret: str
    timeout_s: float

    @property
    def issuer(self) -> str:
        """The ``iss`` of the realm's tokens."""
        return f"{self.url.rstrip('/')}/realms/{self.name}"

    @property
    def token_endpoint(self) -> str:
        """Where grants are exchanged for tokens."""
        return f"{self.issuer}/protocol/openid-connect/token"

    @property
    def admin(self) -> str:
        """Root of the realm's admin API."""
        return f"{self.url.rstrip('/')}/admin/realms/{self.name}"


@dataclass(frozen=True)
class Answer:
    """An answer of Keycloak: its status, its JSON (None without any) and where it points to."""

    status: int
    body: Any
    location: str

    @property
    def is_good(self) -> bool:
        """Whether it is a success."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


class Keycloak:
    """Calls a realm; every call raises ``Unavailable`` when it gives no answer of sense."""

    def __init__(self, realm: Realm) -> None:
        self.realm = realm
        self._session: aiohttp.ClientSession | None = None
        self._token = ("", 0.0)
        self._renewing = asyncio.Lock()

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def password_opens(self, email: str, password: str) -> bool:
        """Whether the password opens the user, who is neither disabled nor locked; counts failures."""
        return await self._is_granted(LOGIN, username=email, password=password)

    async def code_opens(self, email: str, code: str) -> bool:
        """Whether the one-time code is the user's of now and was not used; counts failures."""
        return await self._is_granted(FACTOR, username=email, totp=code)

    async def grant(self, client: str, **form: str) -> Answer:
        """The answer of the token endpoint to a grant of one of identity's clients."""
        data = {"client_id": client, "client_secret": self.realm.secret, **form}
        return await self._send("POST", self.realm.token_endpoint, data=data)

    async def keys(self) -> bytes:
        """The public keys of the realm, a JWKS document (RFC 7517)."""
        answer = await self._send("GET", f"{self.realm.issuer}/protocol/openid-connect/certs")
        if not answer.is_good:
            raise Unavailable(_UNAVAILABLE, retry_after_s=RETRY_AFTER_S)
        return json.dumps(answer.body).encode()

    async def ask(
        self, method: str, path: str, body: object = None, query: Query | None = None
    ) -> Answer:
        """The answer of the admin API to the service account, which may say "not found".

        Args:
            method: HTTP method.
            path: Below the realm, without a leading slash.
            body: Sent as JSON unless it is None.
            query: Query parameters.

        Raises:
            Unavailable: No answer, or a refusal that only another configuration would mend.
        """
        url = f"{self.realm.admin}/{path}"
        headers = {"authorization": f"Bearer {await self._own_token()}"}
        answer = await self._send(method, url, headers=headers, json=body, params=query)
        known = {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}
        if not answer.is_good and answer.status not in known:
            log.error("keycloak refused", method=method, path=path, status=answer.status)
            raise Unavailable(_UNAVAILABLE, retry_after_s=RETRY_AFTER_S)
        return answer

    async def _is_granted(self, client: str, **form: str) -> bool:
        answer = await self.grant(client, grant_type="password", **form)
        if answer.is_good:
            return True
        if answer.status in _CHALLENGED and (answer.body or {}).get("error") == "invalid_grant":
            return False
        log.error("keycloak refused a grant", client=client, status=answer.status)
        raise Unavailable(_UNAVAILABLE, retry_after_s=RETRY_AFTER_S)

    async def _own_token(self) -> str:
        async with self._renewing:
            token, renew_at = self._token
            if time.monotonic() >= renew_at:
                answer = await self.grant(ACCOUNTS, grant_type="client_credentials")
                if not answer.is_good:
                    log.error("keycloak gave no token", client=ACCOUNTS, status=answer.status)
                    raise Unavailable(_UNAVAILABLE, retry_after_s=RETRY_AFTER_S)
                token = str(answer.body["access_token"])
                renew_at = time.monotonic() + float(answer.body["expires_in"]) - RENEW_BEFORE_S
                self._token = (token, renew_at)
            return token

    async def _send(self, method: str, url: str, **more: Any) -> Answer:
        try:
            async with self._connected().request(
                method, url, allow_redirects=False, **more
            ) as response:
                text = await response.read()
                answer = Answer(response.status, _json(text), response.headers.get("location", ""))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("keycloak is not reached", error=type(error).__name__)
            raise Unavailable(_UNAVAILABLE, retry_after_s=RETRY_AFTER_S) from error
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.warning("keycloak failed", method=method, status=answer.status)
            raise Unavailable(_UNAVAILABLE, retry_after_s=RETRY_AFTER_S)
        return answer

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self.realm.timeout_s),
            )
        return self._session


def part(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe="")


def _json(text: bytes) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
