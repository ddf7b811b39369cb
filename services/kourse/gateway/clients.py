"""Where a request really comes from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

UNKNOWN = "unknown"


class Clients:
    """Tells clients' addresses, through trusted proxies where there are any.

    Args:
        trusted: Networks of proxies whose forwarding headers are believed.
    """

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        self._trusted: list[IPv4Network | IPv6Network] = [ip_network(entry) for entry in trusted]

    def address(self, peer: str | None, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """The client: the peer, or the last address that no trusted proxy wrote."""
        if not peer or not self._is_trusted(peer):
            return peer or UNKNOWN
        hops = [
            hop.strip().decode("latin-1")
            for name, value in headers
            if name == b"x-forwarded-for"
            for hop in value.split(b",")
        ]
        for hop in reversed(hops):
            if not self._is_trusted(hop):
                return hop if _is_address(hop) else peer
        return peer

    def scheme(self, peer: str | None, scheme: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """``https`` where the client or a trusted proxy spoke it."""
        if peer and self._is_trusted(peer):
            named = [value for name, value in headers if name == b"x-forwarded-proto"]
            return "https" if named == [b"https"] else scheme
        return scheme

    def _is_trusted(self, address: str) -> bool:
        if not self._trusted or not _is_address(address):
            return False
        parsed = ip_address(address)
        return any(parsed in network for network in self._trusted)


def limit_key(address: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 that an IPv6 line has."""
    if _is_address(address) and isinstance(parsed := ip_address(address), IPv6Address):
        return str(ip_network(f"{parsed}/64", strict=False))
    return address


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
