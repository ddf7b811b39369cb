"""Secrets that must be read again, encrypted at rest under a key that the database does not hold."""

from __future__ import annotations

import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kourse.contracts.errors import Unavailable

NONCE_BYTES = 12
LEAST_KEY_BYTES = 32
RETRY_AFTER_S = 60


class Vault:
    """AES-256-GCM under a key derived (RFC 5869) from a file's bytes.

    Args:
        material: At least 32 bytes that nobody can guess, for example a PEM key; None makes a vault
            that refuses everything.
        purpose: Whose secrets these are; the same material gives each purpose a key of its own.

    Raises:
        ValueError: The material is too short.
    """

    def __init__(self, material: bytes | None, purpose: str) -> None:
        if material is not None and len(material) < LEAST_KEY_BYTES:
            raise ValueError(f"the data key needs at least {LEAST_KEY_BYTES} bytes")
        info = f"kourse {purpose} vault".encode()
        derived = material and HKDF(SHA256(), 32, None, info).derive(material)
        self._cipher = AESGCM(derived) if derived else None

    @classmethod
    def load(cls, path: Path | None, purpose: str) -> Vault:
        """The vault whose key follows from a file."""
        return cls(None if path is None else path.read_bytes(), purpose)

    def seal(self, plain: bytes, *, bound_to: str) -> bytes:
        """The secret, readable only with the key and only for what it is bound to.

        Raises:
            Unavailable: The installation has no data key.
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._require().encrypt(nonce, plain, bound_to.encode())

    def open(self, sealed: bytes, *, bound_to: str) -> bytes:
        """The secret that ``seal`` put away.

        Raises:
            Unavailable: There is no data key, or it is not the one that sealed this.
        """
        nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return self._require().decrypt(nonce, body, bound_to.encode())
        except InvalidTag:
            raise Unavailable(
                "What is sealed cannot be read right now.", retry_after_s=RETRY_AFTER_S
            ) from None

    def _require(self) -> AESGCM:
        if self._cipher is None:
            raise Unavailable(
                "There is no data key here to seal secrets.", retry_after_s=RETRY_AFTER_S
            )
        return self._cipher
