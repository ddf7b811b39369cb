"""Time-based one-time passwords, as every authenticator application makes them.

Source:
    RFC 4226 (HOTP), RFC 6238 (TOTP); the address of the QR code: Google's "Key Uri Format".
"""

from __future__ import annotations

import hmac
from base64 import b32encode
from urllib.parse import quote, urlencode

STEP_S = 30
DIGITS = 6
SECRET_BYTES = 20
"""Length of a secret: that of SHA-1's output, as RFC 4226 section 4 advises."""
DRIFT_STEPS = 1
"""Steps by which the clocks of the person's device and ours may differ."""


def code_at(secret: bytes, step: int, *, digits: int = DIGITS) -> str:
    """The code of one time step (RFC 4226 section 5.3 with SHA-1).

    Args:
        secret: The shared secret.
        step: Whole steps of 30 s since 1970.
        digits: Length of the code.
    """
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}d}"


def step_at(unix_s: float) -> int:
    """The time step of an instant."""
    return int(unix_s) // STEP_S


def matching_step(secret: bytes, code: str, now_s: float, *, after: int) -> int | None:
    """The step that a code belongs to, or None when it is wrong, too old, too early or used before.

    Args:
        secret: The shared secret.
        code: As typed, without spaces.
        now_s: Unix seconds.
        after: The last step whose code was used; it and those before it are spent.
    """
    current = step_at(now_s)
    for step in range(max(current - DRIFT_STEPS, after + 1), current + DRIFT_STEPS + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()):
            return step
    return None


def spelled(secret: bytes) -> str:
    """The secret as people type it into an application: base32 without padding."""
    return b32encode(secret).decode().rstrip("=")


def address(secret: bytes, *, account: str, issuer: str) -> str:
    """The ``otpauth`` address that a QR code shows."""
    label = f"{quote(issuer)}:{quote(account)}"
    query = urlencode(
        {"secret": spelled(secret), "issuer": issuer, "digits": DIGITS, "period": STEP_S}
    )
    return f"otpauth://totp/{label}?{query}"
