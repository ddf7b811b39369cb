"""The keys that sign the platform's tokens, and the public half that everyone verifies with.

Keys rotate without an outage: a key is published before it signs, for longer than verifiers keep what they
fetched, and stays published while a token that it signed may be valid. Its file's name says from when on it
signs (``<Unix seconds>.pem``; any other name: from the beginning), so every replica changes over at the same
moment and nothing has to be told to a running process.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey
from prometheus_client import Gauge

from kourse.kit.auth.key_files import begins_at
from kourse.kit.ids import new_id

ALGORITHM = "ES256"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - the type's name, not a secret
REREAD_S = 30.0
SINCE = Gauge(
    "kourse_signing_key_begun_timestamp_seconds", "When the key that signs now began to, Unix time."
)
_PEPPER = b"kourse one-time codes/"


@dataclass(frozen=True)
class _Key:
    """A private key; its id is the JWK thumbprint (RFC 7638).

    Attributes:
        begins: Unix second from which on it signs.
        since: The same, or the time of its file where the file's name does not say it.
    """

    key: ECKey
    kid: str
    begins: int
    since: float


class SigningKeys:
    """The EC P-256 keys of a PEM file, or of all ``*.pem`` files in a directory.

    Args:
        path: The file or the directory; read again when half a minute has passed.
        now: Unix seconds.

    Raises:
        ValueError: There is no key, none that signs yet, or one that is no private EC P-256 key.
    """

    def __init__(self, path: Path, *, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now = now
        self._keys = _read(path)
        self._read_at = now()
        self._current()

    @property
    def kid(self) -> str:
        """Id of the key that signs now."""
        return self._current().kid

    def peppers(self) -> dict[str, bytes]:
        """A secret that follows from each published key, by its id, for digests of short codes."""
        return {
            one.kid: hashlib.sha256(_PEPPER + one.key.as_der(private=True)).digest()
            for one in self._fresh()
        }

    def sign(self, claims: dict[str, Any]) -> str:
        """A signed access token with an id of its own."""
        current = self._current()
        header = {"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": current.kid}
        return jwt.encode(header, {"jti": str(new_id()), **claims}, current.key, [ALGORITHM])

    def jwks(self) -> dict[str, Any]:
        """The public keys as a JWK set (RFC 7517): those that sign, will sign, or signed lately."""
        return {
            "keys": [
                {**one.key.as_dict(private=False), "kid": one.kid, "use": "sig", "alg": ALGORITHM}
                for one in self._fresh()
            ]
        }

    def _current(self) -> _Key:
        begun = [one for one in self._fresh() if one.begins <= self._now()]
        if not begun:
            raise ValueError(f"no key in {self._path} signs yet")
        SINCE.set(begun[-1].since)
        return begun[-1]

    def _fresh(self) -> list[_Key]:
        if self._now() - self._read_at >= REREAD_S:
            self._keys = _read(self._path)
            self._read_at = self._now()
        return self._keys


def _read(path: Path) -> list[_Key]:
    """The keys, in the order in which they sign."""
    files = sorted(path.glob("*.pem"), key=begins_at) if path.is_dir() else [path]
    if not files:
        raise ValueError(f"there is no signing key in {path}")
    return [_import(file) for file in files]


def _import(file: Path) -> _Key:
    key = ECKey.import_key(file.read_bytes())
    if not key.is_private or key.curve_name != "P-256":
        raise ValueError("the signing key must be a private EC P-256 key")
    begins = begins_at(file)
    return _Key(key, key.thumbprint(), begins, begins or file.stat().st_mtime)
