"""Headers from outside end here; what goes on is what the gateway itself can vouch for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from multidict import CIMultiDict

from kourse.kit.auth import Actor

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_NOT_OURS = re.compile(
    r"x-(?:user|tenant|role|auth|internal|forwarded|envoy|kourse)"
    r"|x-(?:original-url|rewrite-url|http-method-override|http-method|method-override|real-ip)\Z"
    r"|x-(?:client-ip|cluster-client-ip|request-id|b3-[a-z]+)\Z"
    r"|true-client-ip\Z|cf-connecting-ip\Z"
    r"|grpc-|forwarded\Z|baggage\Z|traceparent\Z|tracestate\Z|b3\Z"
)
"""Names by which inner servers are told who asks and how; a client must not use them."""
_ANSWER_ONLY = frozenset({"server", "date", "x-request-id", "x-powered-by", "via"})
SECURITY = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}
"""Added to every answer that does not say otherwise."""


def outgoing(
    headers: Iterable[tuple[bytes, bytes]],
    *,
    actor: Actor | None,
    address: str,
    scheme: str,
    host: str,
) -> CIMultiDict[str]:
    """Headers for a service: the client's own, cleaned, and what the gateway says about it.

    Services do not believe the latter either; they check the token again.

    Args:
        headers: Raw headers with lower-case names.
        actor: Who asks, where a token was checked.
        address: Network address of the client.
        scheme: ``http`` or ``https``, as the client spoke it.
        host: The host that the client named, with its port.
    """
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    dropped = _HOP_BY_HOP | named_in_connection(pairs)
    made: CIMultiDict[str] = CIMultiDict(
        (name, value) for name, value in pairs if not _is_dropped(name, dropped)
    )
    made["host"] = host
    made["x-forwarded-for"] = address
    made["x-forwarded-proto"] = scheme
    made["x-forwarded-host"] = host
    if actor is not None:
        made["x-user-id"] = str(actor.user_id)
        made["x-tenant-id"] = actor.tenant
    return made


def incoming(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers of a service's answer as the client gets them."""
    pairs = [(name.lower(), value) for name, value in headers.items()]
    dropped = (_HOP_BY_HOP - {"content-length"}) | _ANSWER_ONLY | named_in_connection(pairs)
    kept = [(name, value) for name, value in pairs if name not in dropped]
    names = {name for name, _ in kept}
    kept += [(name, value) for name, value in SECURITY.items() if name not in names]
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in kept]


def named_in_connection(pairs: Iterable[tuple[str, str]]) -> set[str]:
    """Names that ``Connection`` declares to be for one hop only."""
    return {
        token.strip().lower()
        for name, value in pairs
        if name == "connection"
        for token in value.split(",")
    } - {"close", "host", "authorization"}


def _is_dropped(name: str, dropped: Iterable[str]) -> bool:
    """An underscore may stand for a dash in some servers, so names with one never pass."""
    return name in dropped or "_" in name or _NOT_OURS.match(name) is not None
