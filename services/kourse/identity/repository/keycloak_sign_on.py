"""Keycloak's end of single sign-on: where browsers go, what a code is worth, who was logged out."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from kourse.contracts.errors import Malformed, Unauthenticated
from kourse.identity.domain.issuer_tokens import LogOut, Parties, Proof, log_out_of, proof_of
from kourse.identity.domain.sign_on import Attempt, question
from kourse.identity.errors import LogOutRejected, SignOnRejected
from kourse.identity.repository.keycloak import Keycloak, part
from kourse.kit.auth import KeyCache, SignedTokens, rsa_keys
from kourse.kit.auth.claims import unique_object
from kourse.kit.telemetry import get_logger

BROWSER = "kourse-browser"
ALGORITHM = "RS256"
ID_TOKEN_TYPES = frozenset({"JWT"})
LOGOUT_TOKEN_TYPES = frozenset({"JWT", "logout+jwt"})
_REFUSALS = (Unauthenticated, Malformed, ValueError)
log = get_logger(__name__)


class KeycloakSignOn:
    """Sends browsers to the realm and takes codes back.

    Args:
        keycloak: The realm.
        redirect_uri: Where it sends browsers back to; one of those that the client has there.

    Attributes:
        issuer: The ``iss`` of its tokens.
        home: Scheme and host of where it sends browsers back to.
    """

    def __init__(self, keycloak: Keycloak, redirect_uri: str) -> None:
        self._keycloak = keycloak
        self._redirect_uri = redirect_uri
        self.home = urlsplit(redirect_uri)._replace(path="", query="").geturl()
        self.issuer = keycloak.realm.issuer
        self._parties = Parties(self.issuer, BROWSER)
        keys = KeyCache(keycloak.keys, rsa_keys)
        self._id_tokens = SignedTokens(keys, algorithm=ALGORITHM, types=ID_TOKEN_TYPES)
        self._logout_tokens = SignedTokens(keys, algorithm=ALGORITHM, types=LOGOUT_TOKEN_TYPES)

    async def address(self, attempt: Attempt, state: str) -> str:
        """Where a browser begins to log in.

        Raises:
            Unavailable: Keycloak gives no answer; the browser would get none either.
        """
        await self._keycloak.keys()
        query = question(attempt, state=state, client=BROWSER, redirect_uri=self._redirect_uri)
        return f"{self.issuer}/protocol/openid-connect/auth?{query}"

    async def redeem(self, attempt: Attempt, code: str) -> Proof:
        """Who logged in.

        Raises:
            SignOnRejected: The code is not good, or not for this attempt.
            Unavailable: Keycloak gives no answer.
        """
        answer = await self._keycloak.grant(
            BROWSER,
            grant_type="authorization_code",
            code=code,
            redirect_uri=self._redirect_uri,
            code_verifier=attempt.verifier,
        )
        if answer.status != HTTPStatus.OK:
            raise SignOnRejected
        try:
            claims = await _claims(self._id_tokens, str((answer.body or {}).get("id_token")))
            return proof_of(claims, self._parties, nonce=attempt.nonce, now_s=time.time())
        except _REFUSALS as error:
            log.warning("an ID token was refused", reason=str(error))
            raise SignOnRejected from None

    async def logged_out(self, token: str) -> LogOut:
        """Whose log-in a logout token says is over.

        Raises:
            LogOutRejected: It is none, or not the realm's for this client and of now.
            Unavailable: The realm's keys are not known.
        """
        try:
            claims = await _claims(self._logout_tokens, token)
            return log_out_of(claims, self._parties, now_s=time.time())
        except _REFUSALS as error:
            log.warning("a logout token was refused", reason=str(error))
            raise LogOutRejected from None

    async def end_session(self, session: str) -> bool:
        """The log-in at Keycloak is over; says whether Keycloak knew it until now.

        Raises:
            Unavailable: No answer.
        """
        answer = await self._keycloak.ask("DELETE", f"sessions/{part(session)}")
        return answer.is_good


async def _claims(tokens: SignedTokens[Any], token: str) -> dict[str, Any]:
    return unique_object(await tokens.payload(token))
