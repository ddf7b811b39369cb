"""Carries faults out on a running stack, and writes down what was done when."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

import aiohttp
from redis.asyncio import Redis
from redis.exceptions import RedisError

from hack.chaos.storm import Fault
from hack.stack.layout import Layout
from hack.stack.record import Phase, read_record

FLUSH_EVERY_S = 5.0
VICTIM_PATIENCE_S = 120.0
POLL_S = 0.05
LOSSES = frozenset({"kill", "restart"})
STOP_SIGNALS = {"postgres": signal.SIGINT}
"""What asks a process to stop where it is not SIGTERM."""


async def until(condition: Callable[[], bool], within_s: float) -> bool:
    """Whether the condition came true in time; returns when it does."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(POLL_S)
    return True


class NotSettled(Exception):
    """The stack did not come back by itself."""


@dataclass(frozen=True)
class Struck:
    """A fault that was carried out; times are seconds since the epoch."""

    fault: Fault
    begun: float
    ended: float

    def row(self) -> dict[str, Any]:
        """The fault for the report."""
        return {**asdict(self.fault), "begun": self.begun, "ended": self.ended}


class Striker:
    """Strikes one stack.

    Attributes:
        struck: What was done so far.
        flushes: How often the cache lost everything.
    """

    def __init__(self, layout: Layout, toxiproxy_url: str, cache_url: str) -> None:
        """Does nothing yet.

        Args:
            layout: Of the stack, whose record tells the process ids.
            toxiproxy_url: Toxiproxy's API.
            cache_url: The cache, by its own address.
        """
        self.struck: list[Struck] = []
        self.flushes = 0
        self._layout = layout
        self._toxiproxy = toxiproxy_url
        self._cache_url = cache_url
        self._numbers = count(1)
        self._frozen: set[int] = set()

    async def rage(self, faults: Iterator[Fault]) -> None:
        """Lets one fault after another begin, until cancelled; then nothing is broken any more.

        A process is only lost when the others have come back, however slow the machine: learners
        would otherwise wait for ever, and a storm on a busy machine would not be the same storm.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._flush_for_ever())
                for fault in faults:
                    await asyncio.sleep(fault.after_s)
                    if fault.kind in LOSSES:
                        await until(self._all_serve, VICTIM_PATIENCE_S)
                    group.create_task(self._strike(fault))
        finally:
            await asyncio.shield(self.mend())

    async def mend(self) -> None:
        """Thaws what is frozen and takes every toxic away."""
        for pid in list(self._frozen):
            self._thaw(pid)
        await self._tell("POST", "/reset")

    async def settle(self, within_s: float) -> None:
        """Returns when every process of the stack serves again.

        Raises:
            NotSettled: They do not in time.
        """
        if not await until(self._all_serve, within_s):
            raise NotSettled(f"the stack does not serve {within_s:.0f} s after the last fault")

    def _all_serve(self) -> bool:
        record = read_record(self._layout.record_file)
        return record is not None and record.settled

    async def _strike(self, fault: Fault) -> None:
        begun = time.time()
        try:
            await self._carry_out(fault)
        finally:  # a fault that the end of the storm cuts short has struck as well
            self.struck.append(Struck(fault, begun, time.time()))

    async def _carry_out(self, fault: Fault) -> None:
        match fault.kind:
            case "kill":
                await self._signal(fault.target, signal.SIGKILL)
            case "restart":
                number = STOP_SIGNALS.get(fault.target, signal.SIGTERM)
                await self._signal(fault.target, number)
            case "freeze":
                await self._freeze(fault)
            case "cut":
                await self._cut(fault)
            case _:
                await self._poison(fault)

    async def _signal(self, name: str, number: int) -> None:
        """Hits a process as soon as it serves, and returns when its successor does."""
        await until(lambda: self._serving(name) != 0, VICTIM_PATIENCE_S)
        if not (pid := self._serving(name)):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        await until(lambda: self._serving(name) not in {0, pid}, VICTIM_PATIENCE_S)

    def _serving(self, name: str) -> int:
        record = read_record(self._layout.record_file)
        entry = record.entries.get(name) if record else None
        return entry.pid if entry and entry.phase is Phase.READY else 0

    async def _freeze(self, fault: Fault) -> None:
        pid = self._serving(fault.target)
        if not pid:
            return
        os.kill(pid, signal.SIGSTOP)
        self._frozen.add(pid)
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            self._thaw(pid)

    def _thaw(self, pid: int) -> None:
        self._frozen.discard(pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    async def _cut(self, fault: Fault) -> None:
        await self._tell("POST", f"/proxies/{fault.target}", {"enabled": False})
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            await self._tell("POST", f"/proxies/{fault.target}", {"enabled": True})

    async def _poison(self, fault: Fault) -> None:
        toxic = f"{fault.kind}-{next(self._numbers)}"
        path = f"/proxies/{fault.target}/toxics"
        body = {
            "name": toxic,
            "type": fault.kind,
            "stream": "downstream",
            "toxicity": fault.share,
            "attributes": dict(fault.settings),
        }
        await self._tell("POST", path, body)
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            await self._tell("DELETE", f"{path}/{toxic}")

    async def _tell(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        async with (
            aiohttp.ClientSession(self._toxiproxy) as session,
            session.request(method, path, json=body) as answer,
        ):
            if answer.status != 404 or method != "DELETE":  # noqa: PLR2004 - already taken away
                answer.raise_for_status()

    async def _flush_for_ever(self) -> None:
        """Empties the cache again and again; while it is down there is nothing to empty."""
        async with Redis.from_url(self._cache_url, socket_timeout=2) as cache:
            while True:
                with contextlib.suppress(RedisError, OSError):
                    await cache.flushall()
                    self.flushes += 1
                await asyncio.sleep(FLUSH_EVERY_S)
