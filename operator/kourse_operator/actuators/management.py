"""RabbitMQ's management API, asked only what AMQP cannot tell: whether a binding exists."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from time import monotonic
from typing import Any, Literal
from urllib.parse import quote, urlsplit, urlunsplit

import aiohttp

from kourse.contracts import names
from kourse_operator.plans.steps import Binding, Exchange, Queue, Wire

TIMEOUT = aiohttp.ClientTimeout(total=5)
KEPT_S = 30.0
"""How long a list of the graders' bindings is good enough to see that one is there."""

Pair = tuple[str, str, str]
"""From an exchange, to a queue or an exchange, of that name."""
Listed = frozenset[tuple[str, str]]
"""Key and arguments, as JSON, of the bindings of a pair."""


@dataclass
class _Shared:
    """The last list of a pair that many objects share."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    found: Listed | None = None
    asked_at: float = float("-inf")


class Management:
    """The API at one address, for one virtual host."""

    def __init__(self, url: str, *, vhost: str) -> None:
        """``url`` is ``http://user:password@host:port``; never log it."""
        parts = urlsplit(url)
        place = parts.hostname or ""
        self._root = urlunsplit((parts.scheme, f"{place}:{parts.port}", "", "", ""))
        self._auth = aiohttp.encode_basic_auth(parts.username or "", parts.password or "")
        self._vhost = vhost
        self._session: aiohttp.ClientSession | None = None
        self._shared: dict[Pair, _Shared] = {}

    async def lacks(self, bindings: Sequence[Binding]) -> list[Binding]:
        """Those that do not exist; none where the API does not answer, as nothing is known then."""
        pairs: dict[Pair, list[Binding]] = {}
        for item in bindings:
            pairs.setdefault((item.source, item.to, item.destination), []).append(item)
        return [item for pair, wanted in pairs.items() for item in await self._lacks(pair, wanted)]

    async def _lacks(self, pair: Pair, wanted: Sequence[Binding]) -> list[Binding]:
        """Those of a pair that do not exist.

        All exams bind the graders' queues, so a sweep lists these bindings once and not once for each
        exam. A list of a moment ago may prove that a binding is there, never that it is not.
        """
        if pair[2] not in names.GRADING_QUEUES:
            return _absent(wanted, await self._between(*pair))
        shared = self._shared.setdefault(pair, _Shared())
        entered = monotonic()
        async with shared.lock:
            was_waited_for = shared.asked_at >= entered
            is_recent = entered - shared.asked_at < KEPT_S
            proves = shared.found is not None and not _absent(wanted, shared.found)
            if not (was_waited_for or (is_recent and proves)):
                shared.asked_at = monotonic()
                shared.found = await self._between(*pair)
            return _absent(wanted, shared.found)

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

    async def _between(self, source: str, to: str, destination: str) -> Listed | None:
        """Keys and arguments that lead from one to the other, or None when nothing is known."""
        parts = (self._vhost, "e", source, to[0], destination)
        found = await self._ask("bindings/" + "/".join(quote(part, safe="") for part in parts))
        if found is None:
            return None
        return frozenset(_mark(item["routing_key"], item["arguments"]) for item in found)

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
            headers = {"Authorization": self._auth}
            self._session = aiohttp.ClientSession(headers=headers)
        return self._session


def _absent(wanted: Sequence[Binding], found: Listed | None) -> list[Binding]:
    """Those that are not among what was found; none where nothing is known."""
    if found is None:
        return []
    return [item for item in wanted if _mark(item.key, item.arguments) not in found]


def _mark(key: str, arguments: Mapping[str, Any]) -> tuple[str, str]:
    return key, json.dumps(arguments, sort_keys=True)
