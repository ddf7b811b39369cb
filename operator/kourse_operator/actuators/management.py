"""RabbitMQ's management API, asked only what AMQP cannot tell: whether a binding exists."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote, urlsplit, urlunsplit

import aiohttp

from kourse_operator.plans.steps import Binding, Exchange, Queue, Wire

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

    async def surplus(self, wires: Sequence[Wire]) -> list[Binding]:
        """Bindings to the exchanges and queues among these that are there and not among these."""
        found: list[Binding] = []
        for wire in wires:
            if isinstance(wire, Exchange):
                found += await self._leading("exchange", wire.name)
            elif isinstance(wire, Queue):
                found += await self._leading("queue", wire.name)
        return [binding for binding in found if binding not in wires]

    async def _leading(self, to: Literal["exchange", "queue"], name: str) -> list[Binding]:
        """All that leads there, but for the default exchange, which leads to every queue."""
        suffix = "/destination" if to == "exchange" else ""
        path = f"{to}s/{quote(self._vhost, safe='')}/{quote(name, safe='')}/bindings{suffix}"
        return [
            Binding(item["source"], name, to, item["routing_key"], item["arguments"])
            for item in await self._ask(path) or ()
            if item["source"]
        ]

    async def _between(
        self, source: str, to: str, destination: str
    ) -> list[tuple[str, dict[str, Any]]] | None:
        """Keys and arguments that lead from one to the other, or None when nothing is known."""
        parts = (self._vhost, "e", source, to[0], destination)
        found = await self._ask("bindings/" + "/".join(quote(part, safe="") for part in parts))
        if found is None:
            return None
        return [(item["routing_key"], item["arguments"]) for item in found]

    async def _ask(self, path: str) -> list[dict[str, Any]] | None:
        """The list at this place, empty where there is no such thing, None when nothing is known."""
        try:
            async with self._open().get(f"{self._root}/api/{path}", timeout=TIMEOUT) as response:
                if response.status == HTTPStatus.NOT_FOUND:
                    return []
                if response.status != HTTPStatus.OK:
                    return None
                found: list[dict[str, Any]] = await response.json()
        except (aiohttp.ClientError, TimeoutError):
            return None
        return found

    async def close(self) -> None:
        """Closes the session."""
        if self._session:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            headers = {"Authorization": self._auth.encode()}
            self._session = aiohttp.ClientSession(headers=headers)
        return self._session
