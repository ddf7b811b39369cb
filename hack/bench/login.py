"""Log-ins in a storm, what those notice of it who are in already, and a class that starts an exam.

On a whole local stack of its own, through the gateway, with the load on the same cores. What the hash pool
could do at most is measured beside it in turns: the same pool with the same parameters in a process that
does nothing else.
"""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import aiohttp
import uvloop

from hack.bench.figures import Figure
from hack.chaos.classroom import Classroom
from hack.chaos.learner import Learner
from hack.chaos.person import REQUEST_S, Person, Tally
from hack.chaos.postbox import Postbox
from hack.smoke.target import Target
from hack.stack.endpoints import Endpoints
from hack.stack.lifecycle import stop
from hack.stack.sample import bring_up

LEARNERS = 500
"""Accounts, all of them behind one address."""
AT_ONCE = 16
"""Log-ins under way at a time, of which most wait for the hash pool."""
ROUNDS = 5
STORM_S = 8.0
OTHERS_PER_S = 40
"""Requests of people who are logged in, at a fixed rate whatever the answers do."""
OK = 200


@dataclass
class Round:
    """One round: what the pool could do, what was done, and what others waited for in seconds."""

    ceiling: float
    log_ins: float
    idle: list[float] = field(default_factory=list)
    storm: list[float] = field(default_factory=list)


def measure() -> list[Figure]:
    """Brings a stack of its own up, measures, and takes it down."""
    with tempfile.TemporaryDirectory(prefix="kourse-bench-") as folder:
        state = Path(folder)
        try:
            _say("bringing the stack up")
            where = bring_up(state)
            return uvloop.run(_measure(where, Target.of_state(state)))
        finally:
            stop(state)


async def _measure(where: Endpoints, target: Target) -> list[Figure]:
    classroom = Classroom(target, LEARNERS)
    await asyncio.to_thread(classroom.open)
    async with _class(where, classroom) as learners:
        rounds = [await _round(learners) for _ in range(ROUNDS + 1)][1:]
        began = time.perf_counter()
        await asyncio.gather(*(_sit_down(one) for one in learners))
        started = time.perf_counter() - began
    return [_of_log_ins(rounds), _of_others(rounds), _of_class(started)]


@dataclass(frozen=True)
class _Seat:
    """A learner with the connection and the class they use."""

    person: Person
    learner: Learner
    http: aiohttp.ClientSession


@asynccontextmanager
async def _class(where: Endpoints, classroom: Classroom) -> AsyncIterator[list[_Seat]]:
    """Learners with accounts, logged in."""
    postbox, tally = Postbox(where.mail_url), Tally()
    cohorts = sorted(classroom.codes)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        where.gateway_url, connector=connector, timeout=aiohttp.ClientTimeout(REQUEST_S)
    ) as http:
        watch = asyncio.create_task(postbox.watch())
        seats = []
        for number in range(LEARNERS):
            email = f"bench-{secrets.token_hex(4)}@example.org"
            person = Person(http, tally, email, secrets.token_urlsafe(18))
            cohort = cohorts[number % len(cohorts)]
            seats.append(_Seat(person, Learner(person, classroom, cohort, postbox), http))
        room = asyncio.Semaphore(AT_ONCE)

        async def get_in(seat: _Seat) -> None:
            async with room:
                await seat.learner.get_in()

        try:
            _say(f"registering {LEARNERS} learners")
            await asyncio.gather(*map(get_in, seats))
            yield seats
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch


async def _round(seats: Sequence[_Seat]) -> Round:
    """The three measurements one after the other; half of the learners storm, the others are in."""
    ceiling = await asyncio.to_thread(_ceiling)
    storming, others = seats[: LEARNERS // 2], seats[LEARNERS // 2 :]
    idle = await _others(others, STORM_S)
    end = time.perf_counter() + STORM_S
    storm, counts = await asyncio.gather(
        _others(others, STORM_S),
        asyncio.gather(*(_log_in(storming[at::AT_ONCE], end) for at in range(AT_ONCE))),
    )
    found = Round(ceiling, sum(counts) / STORM_S, idle, storm)
    _say(
        f"log-ins {found.log_ins:.1f}/s of {ceiling:.1f}/s;"
        f" others' p99 {_p99(idle) * 1e3:.0f} ms idle, {_p99(storm) * 1e3:.0f} ms in the storm"
    )
    return found


async def _log_in(seats: Sequence[_Seat], end: float) -> int:
    """Log-ins that ended in time, one after the other."""
    done = 0
    while True:
        await seats[done % len(seats)].person.log_in()
        if time.perf_counter() > end:
            return done
        done += 1


async def _others(seats: Sequence[_Seat], seconds: float) -> list[float]:
    """Seconds from when each request was due to its answer."""
    delays: list[float] = []

    async def ask(seat: _Seat, due: float) -> None:
        await seat.person.do("GET", "/v1/profile")
        delays.append(time.perf_counter() - due)

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(seconds * OTHERS_PER_S)):
            due = begun + number / OTHERS_PER_S
            await asyncio.sleep(due - time.perf_counter())
            group.create_task(ask(seats[number % len(seats)], due))
    return delays


async def _sit_down(seat: _Seat) -> None:
    """Logs in, joins the class and starts the exam."""
    await seat.person.log_in()
    await seat.learner.join()
    await seat.learner.start_quiz()


def _ceiling() -> float:
    """Passwords that the pool checks in a second with nothing else to do."""
    ran = subprocess.run(
        [sys.executable, "-m", "hack.bench.login_ceiling"],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(ran.stdout)


def _of_log_ins(rounds: Sequence[Round]) -> Figure:
    done, could = [one.log_ins for one in rounds], [one.ceiling for one in rounds]
    return Figure(
        "log-ins / what the hash pool can do",
        median(one.log_ins / one.ceiling for one in rounds),
        "",
        0.85,
        "at least",
        f"log-ins {_range(done)}/s, hash pool {_range(could)}/s",
    )


def _of_others(rounds: Sequence[Round]) -> Figure:
    idle, storm = ([_p99(delays) * 1e3 for delays in each] for each in _delays(rounds))
    return Figure(
        "others' p99 in the storm / idle",
        median(high / low for low, high in zip(idle, storm, strict=True)),
        "",
        2.0,
        detail=f"idle {_range(idle)} ms, in the storm {_range(storm)} ms at {OTHERS_PER_S}/s",
    )


def _delays(rounds: Sequence[Round]) -> tuple[list[list[float]], list[list[float]]]:
    return [one.idle for one in rounds], [one.storm for one in rounds]


def _of_class(seconds: float) -> Figure:
    return Figure(
        f"{LEARNERS} learners behind one address log in, join and start", seconds, "s", 120
    )


def _p99(delays: Sequence[float]) -> float:
    return quantiles(delays, n=100)[-1]


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.1f} to {max(values):.1f}"


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)
