"""Requests at a fixed rate whatever the answers do, so that what waits is measured too (open loop)."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

import aiohttp

DEADLINE_S = 30.0
_REFUSED = 300
_NO_ANSWER = 0


@dataclass(frozen=True)
class Call:
    """One request: what is asked, by whom, with what."""

    method: str
    path: str
    token: str
    json: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Load:
    """What came of a load.

    Attributes:
        rate: Requests that were due each second.
        delays: Seconds from when each was due to the end of its answer.
        statuses: How often each status was answered; 0 stands for no answer.
    """

    rate: float
    delays: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def percentile(self, nth: int) -> float:
        """The nth percentile of the delays, in milliseconds."""
        return quantiles(self.delays, n=100)[nth - 1] * 1e3

    @property
    def refused(self) -> int:
        """Requests that were not answered with success."""
        return sum(n for status, n in self.statuses.items() if status not in range(200, _REFUSED))


async def at_rate(
    http: aiohttp.ClientSession, calls: Iterator[Call], rate: float, seconds: float
) -> Load:
    """Sends calls at this rate for so long, each when it is due.

    Args:
        http: The connection to the gateway.
        calls: As many as are due; the load ends with them if they are fewer.
        rate: Calls a second.
        seconds: How long.
    """
    load = Load(rate)
    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            call = next(calls, None)
            if call is None:
                break
            due = begun + number / rate
            await asyncio.sleep(due - time.perf_counter())
            group.create_task(_ask(http, call, due, load))
    return load


async def _ask(http: aiohttp.ClientSession, call: Call, due: float, load: Load) -> None:
    headers = {"Authorization": f"Bearer {call.token}", **call.headers}
    try:
        async with http.request(call.method, call.path, json=call.json, headers=headers) as answer:
            await answer.read()
            load.statuses[answer.status] += 1
    except (aiohttp.ClientError, TimeoutError):
        load.statuses[_NO_ANSWER] += 1
    load.delays.append(time.perf_counter() - due)
