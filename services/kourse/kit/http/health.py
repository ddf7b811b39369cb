"""Whether a service is up, what it still lacks, and whether it is on its way out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from kourse.kit.telemetry.metrics import COMPONENT_UP

PROBE_TIMEOUT_S = 1.0
FRESH_S = 1.0
"""Time for which a probe's result is used again, so that probes cost nothing."""


@dataclass(frozen=True)
class State:
    """What is known of one component.

    Attributes:
        works: Whether it does its work.
        reason: Why not, in a few words without secrets.
        required: Whether the service is of no use without it.
    """

    works: bool
    reason: str = ""
    required: bool = True


class Degraded(Exception):
    """A component works, but not as it should; the message is shown, so it holds no secret."""


@dataclass
class _Probe:
    check: Callable[[], Awaitable[object]]
    required: bool
    at: float = float("-inf")
    state: State = field(default_factory=lambda: State(works=False, reason="not asked yet"))


class Health:
    """Collects the state of back ends, which are asked, and of tasks, which report.

    Attributes:
        is_started: Whether requests are served.
        draining: Set from the order to stop on, so that what would go on for long ends by itself.

    Args:
        service: Name for the metric.
        clock: Monotonic seconds.
    """

    def __init__(self, service: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.is_started = False
        self.draining = asyncio.Event()
        self._service = service
        self._clock = clock
        self._probes: dict[str, _Probe] = {}
        self._reported: dict[str, State] = {}

    def watch(
        self, component: str, check: Callable[[], Awaitable[object]], *, required: bool = True
    ) -> None:
        """Ask ``check`` whenever the state is wanted; it raises where the component fails."""
        self._probes[component] = _Probe(check, required)

    def report(
        self, component: str, *, works: bool, reason: str = "", required: bool = False
    ) -> None:
        """Say how a task does."""
        self._reported[component] = State(works, reason, required)
        COMPONENT_UP.labels(self._service, component).set(works)

    async def components(self) -> dict[str, State]:
        """State of every component, at most a second old."""
        await asyncio.gather(*(self._ask(name, probe) for name, probe in self._probes.items()))
        asked = {name: probe.state for name, probe in self._probes.items()}
        return asked | self._reported

    async def is_ready(self) -> tuple[bool, dict[str, State]]:
        """Whether requests can be served, and the states that this follows from."""
        states = await self.components()
        lacking = any(state.required and not state.works for state in states.values())
        return self.is_started and not self.draining.is_set() and not lacking, states

    async def _ask(self, name: str, probe: _Probe) -> None:
        if self._clock() - probe.at < FRESH_S:
            return
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                await probe.check()
            probe.state = State(works=True, required=probe.required)
        except TimeoutError:
            probe.state = State(works=False, reason="no answer in time", required=probe.required)
        except Degraded as error:
            probe.state = State(works=False, reason=str(error), required=probe.required)
        except Exception as error:  # noqa: BLE001 -- whatever is wrong, it does not work
            probe.state = State(works=False, reason=type(error).__name__, required=probe.required)
        probe.at = self._clock()
        COMPONENT_UP.labels(self._service, name).set(probe.state.works)
