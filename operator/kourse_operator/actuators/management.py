"""RabbitMQ's management API, asked only what AMQP cannot tell: whether a binding exists."""

from __future__ import annotations

from http import HTTPStatus
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
        self._vhost = quote(vhost, safe="")
        self._session: aiohttp.ClientSession | None = None

    async def has_binding(self, binding: Binding) -> bool:
        """Whether it exists; True when the API does not answer, as nothing is known then."""
        letter = "q" if binding.to == "queue" else "e"
        path = "/".join(["/api/bindings", self._vhost, "e", quote(binding.source, safe=""), letter])
        try:
            async with self._open().get(
                f"{self._root}{path}/{quote(binding.destination, safe='')}", timeout=TIMEOUT
            ) as response:
                if response.status != HTTPStatus.OK:
                    return response.status != HTTPStatus.NOT_FOUND
                found = await response.json()
        except (aiohttp.ClientError, TimeoutError):
            return True
        wanted = (binding.key, dict(binding.arguments))
        return any((item["routing_key"], item["arguments"]) == wanted for item in found)

    async def close(self) -> None:
        """Closes the session."""
        if self._session:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            headers = {"Authorization": self._auth.encode()}
            self._session = aiohttp.ClientSession(headers=headers)
        return self._session
