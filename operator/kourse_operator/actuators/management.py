"""RabbitMQ's management API, asked only what AMQP cannot tell: whether a binding exists."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import aiohttp

from kourse_operator.plans.steps import Binding

TIMEOUT = aiohttp.ClientTimeout(total=5)


class Management:
    """The API at one address, for one virtual host."""

    def __init__(self, url: str, *, vhost: str) -> None:
        """``url`` is ``http://user:password@host:port``; never log it."""
        parts = urlsplit(url)
        place = parts.hostname or ""
        self._root = urlunsplit((parts.scheme, f"{place}:{parts.port}", "", "", ""))
        self._auth = aiohttp.BasicAuth(parts.username or "", parts.password or "")
        self._vhost = vhost
        self._session: aiohttp.ClientSession | None = None

    async def lacks(self, bindings: Sequence[Binding]) -> list[Binding]:
        """Those that do not exist; none where the API does not answer, as nothing is known then."""
        pairs = {(item.source, item.to, item.destination) for item in bindings}
        there = {pair: await self._between(*pair) for pair in pairs}
        return [
            item
            for item in bindings
            if (found := there[item.source, item.to, item.destination]) is not None
            and (item.key, dict(item.arguments)) not in found
        ]

    async def _between(
        self, source: str, to: str, destination: str
    ) -> list[tuple[str, dict[str, Any]]] | None:
        """Keys and arguments that lead from one to the other, or None when nothing is known."""
        path = "/".join(
            quote(part, safe="") for part in (self._vhost, "e", source, to[0], destination)
        )
        try:
            async with self._open().get(
                f"{self._root}/api/bindings/{path}", timeout=TIMEOUT
            ) as response:
                if response.status == HTTPStatus.NOT_FOUND:
                    return []
                if response.status != HTTPStatus.OK:
                    return None
                found = await response.json()
        except (aiohttp.ClientError, TimeoutError):
            return None
        return [(item["routing_key"], item["arguments"]) for item in found]

    async def close(self) -> None:
        """Closes the session."""
        if self._session:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            headers = {"Authorization": self._auth.encode()}
            self._session = aiohttp.ClientSession(headers=headers)
        return self._session
