"""Webhooks without their edges: what is signed, where may be called, when to call again and when no more.

Source:
    Standard Webhooks 1.0.0, https://github.com/standard-webhooks/standard-webhooks
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from urllib.parse import urlsplit

SECRET_PREFIX = "whsec_"  # noqa: S105 -- how the specification marks secrets
SECRET_BYTES = 32
MOST_WEBHOOKS = 10
"""Endpoints of one person."""
LOG_LENGTH = 200
"""Settled deliveries that are kept for one endpoint."""
OVERLAP = timedelta(hours=24)
"""Time for which the secret before a rotation still signs too."""
FIRST_WAIT_S = 5.0
WAIT_FACTOR = 4.0
LONGEST_WAIT_S = 12 * 3600.0
LONGEST_RETRY_AFTER_S = 6 * 3600.0
"""Most of what an endpoint that asks to be left alone is believed."""
GIVE_UP_AFTER = timedelta(days=3)
"""Age at which a delivery that no attempt brought is given up."""
FAILING_AT_MOST = timedelta(days=3)
LEAST_FAILURES = 10
"""An endpoint is disabled when it has failed for so long and so often without a success."""
_NAT64 = ip_network("64:ff9b::/96")

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Disabled(StrEnum):
    """Why an endpoint is not called."""

    OWNER = "owner"
    FAILING = "failing"
    GONE = "gone"


def new_secret() -> bytes:
    """A secret that nobody can guess."""
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """The secret as its owner stores it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def signatures(keys: Iterable[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """Value of ``webhook-signature``: one ``v1`` signature for each key, separated by spaces.

    Args:
        keys: Secrets in use, the newest first.
        message_id: Value of ``webhook-id``.
        timestamp: Value of ``webhook-timestamp``, Unix seconds of this attempt.
        body: The bytes that are sent.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    digests = (hmac.digest(key, signed, hashlib.sha256) for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def is_allowed(address: Address, permitted: Sequence[Network] = ()) -> bool:
    """Whether an endpoint may be there: on the public Internet, or in a network that is permitted.

    IPv4 addresses within IPv6 ones (mapped, 6to4, Teredo, NAT64) are judged too.

    Args:
        address: Where the endpoint's name leads.
        permitted: Networks that the installation permits besides.
    """
    return all(
        any(one in network for network in permitted)
        or (one.is_global and not one.is_multicast and not one.is_reserved)
        for one in _judged(address)
    )


def _judged(address: Address) -> list[Address]:
    """The address, or those that it stands for."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address in _NAT64:
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    inner = [address.sixtofour, *(address.teredo or ())]
    return [address, *(one for one in inner if one is not None)]


def what_is_wrong(url: str, *, plain_http: bool) -> str | None:
    """Why no endpoint may have this address, in a sentence; None when it may.

    Args:
        url: The address.
        plain_http: Whether the installation takes addresses without TLS.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "It is not an address."
    if parts.scheme != "https" and not (plain_http and parts.scheme == "http"):
        return "It must begin with https://."
    if not host:
        return "It names no host."
    if parts.username is not None or parts.password is not None:
        return "It must hold no name or password."
    if parts.fragment or not url.isascii() or any(character.isspace() for character in url):
        return "It must be plain ASCII without spaces and without a fragment."
    return None


def wait_s(attempts: int, jitter: float, retry_after_s: float | None = None) -> float:
    """Seconds until the next attempt: exponential, between half and all of it, at most 12 h.

    Args:
        attempts: Attempts made, from 1.
        jitter: A random number in [0, 1).
        retry_after_s: What the endpoint asked for, or None.
    """
    whole = min(FIRST_WAIT_S * WAIT_FACTOR ** min(attempts - 1, 16), LONGEST_WAIT_S)
    asked = min(retry_after_s or 0.0, LONGEST_RETRY_AFTER_S)
    return max(whole * (1 + jitter) / 2, asked)


def is_given_up(failing_for: timedelta, failures: int) -> bool:
    """Whether an endpoint that has failed for so long, so often in a row, is disabled."""
    return failing_for >= FAILING_AT_MOST and failures >= LEAST_FAILURES
