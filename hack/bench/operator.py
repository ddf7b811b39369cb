"""The operator beside a Go operator of the same work, on the same servers, judged by the same checker.

The peer (``hack/tools/bench-operator``) is written as an expert would: controller-runtime, no client
limit, as many workers as ours, its rows in one round trip, its channels reused.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic

from hack.bench.figures import Figure
from hack.bench.operator_check import check
from hack.bench.operator_load import Api
from hack.bench.operator_rig import Rig, Running
from hack.stack.lifecycle import stop
from hack.stack.pki import Pki

ROUNDS = 3
MANY, FEW, MOST = 1000, 100, 10_000
LIMIT_S = 900.0
RESYNC_S = 5
_RECONCILES = "controller_runtime_reconcile_total"
Start = Callable[[str], AbstractContextManager[Running]]


@dataclass(frozen=True)
class Round:
    """One run over new courses.

    Attributes:
        seconds: From the first course declared until all are ready.
        cpu_ms: CPU of the operator for each course.
        peak_mib: The most memory it held.
        writes: Updates of courses that the API server counted, for each course.
        events: Events posted, for each course.
    """

    seconds: float
    cpu_ms: float
    peak_mib: float
    writes: float
    events: float


class Trial:
    """Runs over courses in namespaces of their own."""

    def __init__(self, rig: Rig, api: Api) -> None:
        """``api`` is open."""
        self._rig = rig
        self._api = api

    async def create(self, start: Start, namespace: str, count: int) -> Round:
        """Declares new courses to a running operator and waits until all are as they should be.

        Raises:
            RuntimeError: Something that the operator calls ready is not.
        """
        await self._api.make_namespace(namespace)
        with start(namespace) as operator:
            made = await self._declare(operator, namespace, count)
        await check(self._rig, self._api, namespace, count)
        print(
            f"  {namespace}: {count} courses in {made.seconds:.1f} s, {made.cpu_ms:.1f} ms CPU each,"
            f" {made.peak_mib:.0f} MiB",
            flush=True,
        )
        return made

    async def _declare(self, operator: Running, namespace: str, count: int) -> Round:
        names = _names(count)
        writes, events = await self._api.writes()
        cpu_s, begun = operator.cpu_s(), monotonic()
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(operator.until_dead())
            group.create_task(self._api.create(namespace, names))
            await self._api.until_ready(namespace, count, limit_s=LIMIT_S)
            watching.cancel()
        seconds = monotonic() - begun
        used = operator.cpu_s() - cpu_s
        written, told = await self._api.writes()
        return Round(
            seconds=seconds,
            cpu_ms=used / count * 1000,
            peak_mib=operator.peak_mib(),
            writes=(written - writes) / count,
            events=(told - events) / count,
        )

    async def update(self, namespace: str, count: int) -> tuple[float, float]:
        """Updates and Events for each course when all of them get a new title."""
        with self._rig.ours(namespace) as operator:
            before = await self._api.writes()
            done = operator.metric(_RECONCILES)
            await self._api.retitle(namespace, _names(count))
            await self._settled(operator, done + count)
            await self._api.until_ready(namespace, count, limit_s=LIMIT_S)
            after = await self._api.writes()
        return (after[0] - before[0]) / count - 1, (after[1] - before[1]) / count

    async def look_again(self, namespace: str, count: int) -> int:
        """Updates in all, when the operator starts anew and then looks at every course once more."""
        before, _ = await self._api.writes()
        with self._rig.ours(namespace, RESYNC_INTERVAL=f"PT{RESYNC_S}S") as operator:
            await self._settled(operator, count)
        after, _ = await self._api.writes()
        return after - before

    async def _settled(self, operator: Running, reconciles: float) -> None:
        deadline = monotonic() + LIMIT_S
        while operator.metric(_RECONCILES) < reconciles:
            if monotonic() > deadline:
                raise TimeoutError("the operator did not get round to every course")
            await asyncio.sleep(0.5)


def _names(count: int) -> list[str]:
    return [f"course-{number:05d}" for number in range(count)]


def measure() -> list[Figure]:
    """Brings servers of its own up, lets both operators work on them, and takes them down."""
    with tempfile.TemporaryDirectory(prefix="kourse-bench-") as folder:
        state = Path(folder)
        try:
            return asyncio.run(_measure(Rig(state)))
        finally:
            stop(state)


async def _measure(rig: Rig) -> list[Figure]:
    async with Api(f"https://{rig.site.address('kubernetes')}", Pki(rig.pki)) as api:
        trial = Trial(rig, api)
        pairs = [
            (
                await trial.create(rig.peer, f"peer-{number}", MANY),
                await trial.create(rig.ours, f"ours-{number}", MANY),
            )
            for number in range(ROUNDS)
        ]
        few = await trial.create(rig.ours, "ours-few", FEW)
        most = await trial.create(rig.ours, "ours-most", MOST)
        updates, events = await trial.update("ours-0", MANY)
        idle = await trial.look_again("ours-0", MANY)
    return [
        *_beside(pairs),
        *_growth(few, median(ours.seconds for _, ours in pairs), most),
        Figure("updates for each new course", max(ours.writes for _, ours in pairs), "", 2),
        Figure("updates for each changed course", updates, "", 1),
        Figure("updates for a restart and a resync", idle, "", 0),
        Figure("Events for each change", max(events, *(ours.events for _, ours in pairs)), "", 1),
    ]


def _beside(pairs: list[tuple[Round, Round]]) -> list[Figure]:
    time = median(ours.seconds / peer.seconds for peer, ours in pairs)
    cpu = median(ours.cpu_ms / peer.cpu_ms for peer, ours in pairs)
    return [
        Figure(f"time until {MANY} courses are ready, to Go's", time, "", 1.5),
        Figure("CPU for each course, to Go's", cpu, "", 4),
    ]


def _growth(few: Round, many_s: float, most: Round) -> list[Figure]:
    each = [few.seconds / FEW, many_s / MANY, most.seconds / MOST]
    print("seconds for each course: " + ", ".join(f"{value:.4f}" for value in each))
    return [
        Figure(f"time for each of {MOST}, to that for each of {MANY}", each[2] / each[1], "", 1.2),
        Figure(f"time for each of {MANY}, to that for each of {FEW}", each[1] / each[0], "", 1.2),
        Figure(f"most memory held with {MOST} courses", most.peak_mib, "MiB", 400),
    ]
