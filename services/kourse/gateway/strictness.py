"""What the gateway takes for a request: one reading of path, host and headers, or none.

Whatever two servers could read differently is refused here, so that what was allowed is what is
answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote_to_bytes

from kourse.contracts.errors import Malformed

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
MAX_HEADER_BYTES = 16_384
MAX_TARGET_BYTES = 8_192

_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_HIDDEN = re.compile(rb"%(?:2f|5c|25|0[0-9a-f]|1[0-9a-f]|7f)", re.IGNORECASE)
_NOT_VISIBLE = re.compile(rb"[^\x21-\x7e]")
_HOST = re.compile(r"(?P<name>[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?\Z")

RawHeaders = Iterable[tuple[bytes, bytes]]


def canonical_path(raw: bytes, query: bytes) -> str:
    """The one path that every server reads from the request's target.

    Raises:
        Malformed: It has hidden slashes, backslashes or controls, dot segments, empty segments,
            broken escapes, no UTF-8, or is too long.
    """
    if len(raw) + len(query) > MAX_TARGET_BYTES:
        raise Malformed("The address is too long.")
    unclear = (
        not raw.startswith(b"/")
        or b"\\" in raw
        or b"//" in raw
        or _NOT_VISIBLE.search(raw + query)
        or _BROKEN_ESCAPE.search(raw)
        or _HIDDEN.search(raw)
    )
    if unclear:
        raise Malformed("The path of the address is not in its plain form.")
    try:
        path = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise Malformed("The path of the address is not UTF-8.") from None
    if not {".", ".."}.isdisjoint(path.split("/")):
        raise Malformed("The path of the address has dot segments.")
    return path


def allowed_host(headers: RawHeaders, allowed: Sequence[str]) -> str:
    """The request's host without its port.

    Args:
        headers: Raw headers with lower-case names.
        allowed: Hosts, or ``*.domain`` for all subdomains.

    Raises:
        Malformed: There is not exactly one host, or it is not an allowed one.
    """
    named = [value.decode("latin-1").lower() for name, value in headers if name == b"host"]
    match = _HOST.match(named[0]) if len(named) == 1 else None
    if match is None or not any(_matches(match["name"], entry.lower()) for entry in allowed):
        raise Malformed("The Host header does not name this platform.")
    return match["name"]


def check_headers(headers: Sequence[tuple[bytes, bytes]], query: bytes) -> None:
    """Returns when the headers are few enough and say each thing once.

    Raises:
        Malformed: They are too many, there are two tokens, a token in the address, or several
            ranges.
    """
    if sum(len(name) + len(value) + 4 for name, value in headers) > MAX_HEADER_BYTES:
        raise Malformed("The headers are too large.")
    if sum(name == b"authorization" for name, _ in headers) > 1:
        raise Malformed("There must be one Authorization header.")
    if any(part.startswith(b"access_token=") for part in query.split(b"&")):
        raise Malformed("An access token never belongs into an address.")
    if any(name == b"range" and b"," in value for name, value in headers):
        raise Malformed("Ask for one range at a time.")


def _matches(host: str, entry: str) -> bool:
    if entry.startswith("*."):
        return host.endswith(entry[1:]) and len(host) > len(entry) - 1
    return host == entry
