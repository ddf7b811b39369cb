"""Secrets that programs show for access: how they look, so that scanners find those that leaked.

A secret is its kind's prefix, 256 random bits in base 62, and a checksum, with which a mistyped or made-up
one is told apart without asking a store.

Source:
    GitHub, "Behind GitHub's new authentication token formats" (2021): prefix, base 62, CRC-32.
"""

from __future__ import annotations

import re
import secrets
import string
import zlib
from enum import StrEnum

RANDOM_BITS = 256
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BODY_DIGITS = 43
"""Digits of base 62 that hold 256 bits."""
_CHECK_DIGITS = 6
"""Digits of base 62 that hold a CRC-32."""


class Kind(StrEnum):
    """Whose secret it is; the value is its prefix."""

    PERSONAL_TOKEN = "kourse_pat_"  # noqa: S105 - a prefix
    SERVICE_ACCOUNT = "kourse_sas_"


PATTERN = re.compile(rf"kourse_(?:pat|sas)_[0-9A-Za-z]{{{_BODY_DIGITS + _CHECK_DIGITS}}}")
"""What a secret scanner looks for."""


def make(kind: Kind) -> str:
    """A new secret that nobody can guess."""
    body = kind.value + _base62(secrets.randbits(RANDOM_BITS), _BODY_DIGITS)
    return body + _checksum(body)


def is_genuine(kind: Kind, secret: str) -> bool:
    """Whether the text looks like a secret of the kind, and its checksum is right."""
    if not secret.startswith(kind.value) or PATTERN.fullmatch(secret) is None:
        return False
    return _checksum(secret[:-_CHECK_DIGITS]) == secret[-_CHECK_DIGITS:]


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECK_DIGITS)


def _base62(number: int, digits: int) -> str:
    """The number with leading zeros."""
    text = ""
    for _ in range(digits):
        number, digit = divmod(number, len(_ALPHABET))
        text = _ALPHABET[digit] + text
    return text
