"""Calls of webhooks over HTTP: only where calls may go, and however the receiver behaves."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from ssl import SSLContext
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from kourse.notification.domain import webhooks
from kourse.notification.domain.webhooks import Network
from kourse.notification.errors import AddressForbidden, CallFailed
from kourse.notification.service.ports import Answer

MOST_READ_BYTES = 65_536
"""What of an answer is waited for; the rest does not matter to anybody."""
_FORBIDDEN = "address-forbidden"


class HttpCaller:
    """Posts to endpoints of people.

    Each call looks its name up anew, judges every address found, and connects to one of those and no
    other; redirects are answers like others. Connections and cookies are not kept.

    Args:
        timeout_s: Seconds for a whole call.
        permitted: Networks outside of the public Internet where calls may go.
        ssl: What certificates are believed; by default those that the machine believes.
    """

    def __init__(
        self, *, timeout_s: float, permitted: Sequence[Network], ssl: SSLContext | None = None
    ) -> None:
        self._timeout_s = timeout_s
        self._permitted = permitted
        self._ssl = ssl

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The endpoint's answer, once all of it that counts has come.

        Raises:
            AddressForbidden: Its name leads to where nothing may be called.
            CallFailed: There was no whole answer in time; whether it has the message is not known.
        """
        target = URL(url)
        self._judge_literal(target.host or "")
        try:
            async with asyncio.timeout(self._timeout_s), self._session() as session:
                return await _post(session, target, headers, body)
        except TimeoutError:
            raise CallFailed("too-slow") from None
        except aiohttp.ClientConnectorCertificateError:
            raise CallFailed("certificate") from None
        except (aiohttp.ClientConnectorSSLError, aiohttp.ClientConnectorDNSError) as error:
            raise _reason(error) from None
        except aiohttp.InvalidURL:
            raise CallFailed("invalid-address") from None
        except aiohttp.ClientConnectorError:
            raise CallFailed("unreachable") from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise CallFailed("broken-off") from None

    def _session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=_Resolver(self._permitted),
            use_dns_cache=False,
            force_close=True,
            ssl=self._ssl or True,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            max_line_size=8190,
            max_field_size=8190,
        )

    def _judge_literal(self, host: str) -> None:
        try:
            address = ip_address(host)
        except ValueError:
            return  # a name, which the resolver judges
        if not webhooks.is_allowed(address, self._permitted):
            raise AddressForbidden(_FORBIDDEN)


async def look_up(host: str, port: int, *, family: int) -> list[tuple[Any, ...]]:
    """What the machine's resolver says of a name, as ``getaddrinfo`` does."""
    loop = asyncio.get_running_loop()
    return list(await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family))


class _Resolver(AbstractResolver):
    """Looks names up; refuses those that lead anywhere where nothing may be called."""

    def __init__(self, permitted: Sequence[Network]) -> None:
        self._permitted = permitted

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await look_up(host, port, family=family)
        addresses = [str(one[4][0]) for one in found]
        for address in addresses:
            if not webhooks.is_allowed(ip_address(address), self._permitted):
                raise AddressForbidden(_FORBIDDEN)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=one[0],
                proto=one[2],
                flags=socket.AI_NUMERICHOST,
            )
            for address, one in zip(addresses, found, strict=True)
        ]

    async def close(self) -> None:
        """Nothing is kept."""


async def _post(
    session: aiohttp.ClientSession, url: URL, headers: Mapping[str, str], body: bytes
) -> Answer:
    call = session.post(url, data=body, headers=headers, allow_redirects=False)
    async with call as response:
        left = MOST_READ_BYTES
        while left > 0 and (part := await response.content.read(left)):
            left -= len(part)
        return Answer(response.status, _retry_after(response.headers.get("Retry-After", "")))


def _retry_after(value: str) -> float | None:
    """Seconds; dates are not understood, as clocks differ."""
    return float(value) if value.isascii() and value.isdigit() and len(value) < 7 else None  # noqa: PLR2004


def _reason(error: aiohttp.ClientConnectorError) -> CallFailed:
    is_name = isinstance(error, aiohttp.ClientConnectorDNSError)
    return CallFailed("unknown-host" if is_name else "tls")
