"""The keys that sign the platform's tokens, and the public half that everyone verifies with."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from kourse.kit.ids import new_id

ALGORITHM = "ES256"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - the type's name, not a secret


class SigningKeys:
    """One EC P-256 key; its id is the JWK thumbprint (RFC 7638), so it follows from the key.

    Args:
        pem: Private key in PEM form.

    Raises:
        ValueError: It is no private EC P-256 key.
    """

    def __init__(self, pem: bytes) -> None:
        key = ECKey.import_key(pem)
        if not key.is_private or key.curve_name != "P-256":
            raise ValueError("the signing key must be a private EC P-256 key")
        self._key = key
        self.kid = key.thumbprint()
        self.pepper = hashlib.sha256(b"kourse one-time codes/" + key.as_der(private=True)).digest()

    @classmethod
    def load(cls, path: Path) -> SigningKeys:
        """The key in a file."""
        return cls(path.read_bytes())

    def sign(self, claims: dict[str, Any]) -> str:
        """A signed access token with an id of its own."""
        header = {"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": self.kid}
        return jwt.encode(header, {"jti": str(new_id()), **claims}, self._key, [ALGORITHM])

    def jwks(self) -> dict[str, Any]:
        """The public keys as a JWK set (RFC 7517)."""
        public = self._key.as_dict(private=False)
        return {"keys": [{**public, "kid": self.kid, "use": "sig", "alg": ALGORITHM}]}
