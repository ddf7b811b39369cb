"""Single sign-on by the authorization code flow, as data: what leaves, and what has to come back.

Source:
    OpenID Connect Core 1.0 section 3.1; RFC 7636 (PKCE); RFC 9700 section 2.1.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

SECRET_BYTES = 32
PATIENCE = timedelta(minutes=10)
"""How long a person may take at the issuer."""


@dataclass(frozen=True)
class Attempt:
    """A sign-on that has begun, as it is kept until the person comes back.

    Attributes:
        tenant: In which tenant they want in.
        verifier: The secret behind the code challenge.
        nonce: What the ID token must repeat.
        browser: Secret of the browser that began; another one must not end it.
    """

    tenant: str
    verifier: str
    nonce: str
    browser: str

    @classmethod
    def begin(cls, tenant: str) -> Attempt:
        """A new one with secrets of its own."""
        return cls(tenant, *(secrets.token_urlsafe(SECRET_BYTES) for _ in range(3)))


def question(attempt: Attempt, *, state: str, client: str, redirect_uri: str) -> str:
    """The query with which a browser asks the issuer for a code."""
    return urlencode(
        {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": redirect_uri,
            "scope": "openid email profile",
            "state": state,
            "nonce": attempt.nonce,
            "code_challenge": challenge(attempt.verifier),
            "code_challenge_method": "S256",
        }
    )


def challenge(verifier: str) -> str:
    """The S256 code challenge (RFC 7636 section 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
