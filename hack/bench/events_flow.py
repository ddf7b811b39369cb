"""From an outbox row to its effect through real processes: how many a second, and how late."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import UUID

import psycopg

from hack.bench.events_load import (
    Learners,
    WrongEffectsError,
    applied,
    unpublished,
    verify,
    write,
)
from hack.bench.events_rooms import CONSUMER, PRODUCER, Room

TICK_S = 0.01
"""Seconds between the commits of an open loop."""
PATIENCE_S = 120.0
GLANCE_S, REST_S = 0.02, 1.0
"""Least and most seconds between looks at the effects; each look costs what is measured a little."""


class Flow:
    """A relay and a consumer at work in one room."""

    def __init__(self, room: Room, effects: Path) -> None:
        self.room = room
        self.learners = Learners.some(2000)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._effects = effects

    @contextmanager
    def running(self, *, timed: bool = False) -> Iterator[None]:
        """Both ends run, each in its own process, until the end of the block."""
        shared = {
            "KOURSE_BENCH_BROKER_URL": self.room.broker_url,
            "KOURSE_BENCH_CACHE_URL": self.room.cache_url,
            "KOURSE_BENCH_TIMED": "1" if timed else "",
        }
        urls = {
            "relay": {"KOURSE_BENCH_WORKER_URL": self.room.urls[f"kourse_{PRODUCER}_worker"]},
            "consumer": {
                "KOURSE_BENCH_APP_URL": self.room.urls[f"kourse_{CONSUMER}"],
                "KOURSE_BENCH_WORKER_URL": self.room.urls[f"kourse_{CONSUMER}_worker"],
            },
        }
        with ExitStack() as stack:
            told = stack.enter_context(self._effects.open("wb"))
            for end, own in urls.items():
                process = subprocess.Popen(
                    [sys.executable, "-m", "hack.bench.events_ends", end],
                    env=os.environ | shared | own,
                    stdout=told,
                    stderr=sys.stderr
                    if os.environ.get("KOURSE_BENCH_LOGS")
                    else subprocess.DEVNULL,
                )
                self.processes[end] = process
                stack.callback(_end, process)
            yield

    def rate(self, count: int) -> float:
        """Events per second, from the commit of so many rows to the commit of the last effect."""
        rows = list(self.learners.rows(count))
        with self.room.admin() as connection:
            with connection.transaction():
                write(connection, rows)
            begun = time.perf_counter()
            self._await(connection)
            return count / (time.perf_counter() - begun)

    def delays(self, per_second: float, seconds: float) -> list[float]:
        """Seconds from commit to effect of each event, at a fixed rate whatever the effects do."""
        each, left = max(round(per_second * TICK_S), 1), int(seconds / TICK_S)
        ticks = [list(self.learners.rows(each)) for _ in range(left)]
        committed: dict[UUID, float] = {}
        offset = self._effects.stat().st_size
        with self.room.admin() as connection:
            begun = time.perf_counter()
            for number, rows in enumerate(ticks):
                time.sleep(max(begun + number * TICK_S - time.perf_counter(), 0))
                with connection.transaction():
                    write(connection, rows)
                    at = time.time()
                committed.update((row.event_id, at) for row in rows)
            self._await(connection)
        delays = [at - committed[id_] for at, id_ in self._told(offset)]
        if len(delays) != len(committed):
            raise WrongEffectsError(f"{len(delays)} effects were told of {len(committed)}")
        return delays

    def _told(self, offset: int) -> Iterator[tuple[float, UUID]]:
        with self._effects.open("rb") as told:
            told.seek(offset)
            for line in told:
                at, *ids = line.split()
                for id_ in ids:
                    yield float(at), UUID(id_.decode())

    def _await(self, connection: psycopg.Connection) -> None:
        begun = time.monotonic()
        missing = before = self.learners.events - applied(connection)
        while missing > 0:
            for end, process in self.processes.items():
                if process.poll() is not None:
                    raise WrongEffectsError(f"the {end} ended with {process.returncode}")
            passed = time.monotonic() - begun
            if passed > PATIENCE_S:
                raise WrongEffectsError("the effects do not come")
            expected = passed * missing / max(before - missing, 1)
            time.sleep(min(max(expected / 2, GLANCE_S), REST_S))
            missing = self.learners.events - applied(connection)
        while unpublished(connection):
            time.sleep(GLANCE_S)
        verify(connection, self.learners)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
