"""The audit trail: what sealing behind the acts costs them, beside chaining each act as it is written."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from uuid import uuid4

from hack.bench.events_rooms import Room, servers
from hack.bench.figures import Figure
from kourse.identity.service.caretaking import verify
from kourse.identity.service.trail import LocalTrail, append_in
from kourse.kit.audit.denials import Denials
from kourse.kit.audit.entries import Entry
from kourse.kit.audit.forwarding import Forwarder
from kourse.kit.audit.recording import record
from kourse.kit.db import Database
from kourse.kit.telemetry import configure_logs

TENANT = "bench"
WRITERS = 10
"""Acts at a time, all of one tenant."""
ROUND_S = 4.0
ROUNDS = 3
ACT_S = 0.005
"""What else an act's transaction waits for: a log-in asks Redis."""
LAG = (
    "SELECT percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM sealed_at - at)), count(*)"
    " FROM identity.audit_trail WHERE tenant = 'bench' AND source = 'identity'"
)
Act = Callable[[], Awaitable[None]]


def measure() -> list[Figure]:
    """Figures of the audit trail, on servers of its own."""
    configure_logs("bench", "WARNING")
    with tempfile.TemporaryDirectory() as state, servers(Path(state)) as started:
        return asyncio.run(_measure(started.room("bench_audit")))


async def _measure(room: Room) -> list[Figure]:
    own = Database(room.urls["kourse_identity"], "identity", pool_size=WRITERS + 2)
    worker = Database(room.urls["kourse_identity_worker"], "identity", pool_size=2)
    try:
        behind, chained = await _rates(own, worker)
        lag, sealed = _lag(room)
        began = time.perf_counter()
        followed = (await verify(own, TENANT)).count
        verified = followed / (time.perf_counter() - began)
    finally:
        await own.close()
        await worker.close()
    ratio = median(one / other for one, other in zip(behind, chained, strict=True))
    rates = (
        f"{median(behind):.0f}/s against {median(chained):.0f}/s, {WRITERS} at a time, one tenant"
    )
    return [
        Figure("acts, sealed behind : chained in place", ratio, "", 1.5, "at least", rates),
        Figure("99 of 100 acts sealed within", lag, "s", 5.0, detail=f"{sealed} acts"),
        Figure("entries verified", verified, "/s", 1000.0, "at least", f"{followed} entries"),
    ]


async def _rates(own: Database, worker: Database) -> tuple[list[float], list[float]]:
    """Acts per second, round by round: sealed behind the acts, and chained in their transaction."""
    trail = LocalTrail(own, "identity")
    forwarder = Forwarder("identity", trail, Denials("identity"), worker)
    sealing = asyncio.create_task(forwarder.run())
    behind, chained = [], []
    try:
        for _ in range(ROUNDS):
            behind.append(await _rate(lambda: _recorded(own)))
            await forwarder.forward()
            chained.append(await _rate(lambda: _chained(own)))
    finally:
        sealing.cancel()
        await asyncio.gather(sealing, return_exceptions=True)
    await forwarder.forward()
    return behind, chained


async def _rate(act: Act) -> float:
    """Acts per second of ``WRITERS`` at a time."""
    done = 0
    end = time.perf_counter() + ROUND_S

    async def write() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await act()
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(write() for _ in range(WRITERS)))
    return done / (time.perf_counter() - began)


async def _recorded(own: Database) -> None:
    async with own.transaction(TENANT) as tx:
        await record(tx, "bench.act", actor=uuid4())
        await asyncio.sleep(ACT_S)


async def _chained(own: Database) -> None:
    """The same act in a transaction that also holds its place in the chain until it is committed."""
    entry = Entry(uuid4(), TENANT, datetime.now(UTC), "bench", "bench.act")
    async with own.transaction(TENANT) as tx:
        await append_in(tx, "bench", [entry])
        await asyncio.sleep(ACT_S)


def _lag(room: Room) -> tuple[float, int]:
    with room.admin() as connection:
        row = connection.execute(LAG).fetchone()
    return (float(row[0]), int(row[1])) if row else (0.0, 0)
