"""Learning through the gateway: course pages, completed lessons and a class that joins, at two sizes.

On a whole local stack of its own with the load on the same cores. Everything is measured with a thousand
learners and again with a hundred thousand, each with 200 rows of progress.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, LiteralString

import aiohttp
import psycopg
import uvloop

from hack.bench.figures import Figure
from hack.bench.open_loop import Call, Load, at_rate
from hack.bench.school import DONE, School, lesson_key, say
from hack.bench.settling import settled
from hack.smoke.target import Target
from hack.stack.endpoints import Endpoints
from hack.stack.lifecycle import stop
from hack.stack.sample import bring_up

SMALL, LARGE = 1_000, 100_000
READERS = 900
"""Of the small school; as many, spread over all, of the large one."""
PAGES_PER_S, COMPLETIONS_PER_S = 200, 150
LOAD_S = 12.0
ROUNDS = 3
CLASS, SEATS = 500, 490
CLASS_NUMBERS = 1_000_000
"""Accounts of classes begin here, so they are nobody who studies."""
LESSONS_EACH = 2
"""That many each reader completes in a round at most."""
OK = 200
_BUSY = frozenset({429, 502, 503, 504})
_TOLD = """
SELECT count(*) FROM course.outbox WHERE type = 'course.lesson.completed' AND created_at > %s
"""
_DONE = """
SELECT count(*) FROM course.lesson_completion WHERE completed_at > %s
"""
_MEMBERS = """
SELECT count(*) FROM profile.membership m JOIN profile.cohort c ON c.id = m.cohort_id WHERE c.name = %s
"""


@dataclass
class Class:
    """How a class joined: in how many seconds, and with what answers."""

    seconds: float
    statuses: Counter[int]


@dataclass
class Size:
    """What was measured with so many learners."""

    learners: int
    pages: list[Load] = field(default_factory=list)
    completions: list[Load] = field(default_factory=list)
    classes: list[Class] = field(default_factory=list)


def measure() -> list[Figure]:
    """Brings a stack of its own up, measures, and takes it down."""
    with tempfile.TemporaryDirectory(prefix="kourse-bench-") as folder:
        state = Path(folder)
        try:
            say("bringing the stack up")
            where = bring_up(state)
            return uvloop.run(Bench(where, School(where, Target.of_state(state))).run())
        finally:
            stop(state)


class Bench:
    """The measurement, on one stack.

    Args:
        where: The stack.
        school: Its courses and learners.
    """

    def __init__(self, where: Endpoints, school: School) -> None:
        self._where = where
        self._school = school
        self._course = school.courses[0]
        self._lost = 0
        self._oversold = 0

    async def run(self) -> list[Figure]:
        """The figures."""
        await asyncio.to_thread(self._school.open)
        timeout = aiohttp.ClientTimeout(30)
        async with aiohttp.ClientSession(
            self._where.gateway_url, connector=aiohttp.TCPConnector(limit=0), timeout=timeout
        ) as http:
            sizes = [await self._measure(http, learners) for learners in (SMALL, LARGE)]
        return [
            *_of_pages(sizes),
            *_of_completions(sizes, self._lost),
            *_of_classes(sizes, self._oversold),
        ]

    async def _measure(self, http: aiohttp.ClientSession, learners: int) -> Size:
        await asyncio.to_thread(self._school.grow, learners)
        numbers = random.Random(learners).sample(range(1, learners + 1), READERS)  # noqa: S311 - a sample
        size = Size(learners)
        for number in range(ROUNDS):
            await settled(self._where)
            size.pages.append(await self._pages(http, numbers))
            first = DONE + number * LESSONS_EACH
            size.completions.append(await self._completions(http, numbers, first))
            after = await settled(self._where)
            name = f"{self._school.name}-{learners}-{number}"
            who = learners * CLASS_NUMBERS + number * CLASS
            size.classes.append(await self._class(http, name, who))
            say(
                f"{learners} learners: page p95 {size.pages[-1].percentile(95):.1f} ms,"
                f" completion p99 {size.completions[-1].percentile(99):.1f} ms,"
                f" class {size.classes[-1].seconds:.1f} s; every effect of the completions {after:.0f} s later"
            )
        return size

    async def _pages(self, http: aiohttp.ClientSession, numbers: Sequence[int]) -> Load:
        tokens = itertools.cycle(self._school.tokens(numbers))
        path = f"/v1/courses/{self._course}/progress"
        return await at_rate(
            http, (Call("GET", path, token) for token in tokens), PAGES_PER_S, LOAD_S
        )

    async def _completions(
        self, http: aiohttp.ClientSession, numbers: Sequence[int], first: int
    ) -> Load:
        tokens = self._school.tokens(numbers)
        lessons = f"/v1/courses/{self._course}/lessons"
        calls = (
            Call("POST", f"{lessons}/{lesson_key(number)}/completion", token)
            for number in itertools.count(first)
            for token in tokens
        )
        began = self._ask("SELECT clock_timestamp()")
        load = await at_rate(http, calls, COMPLETIONS_PER_S, LOAD_S)
        for query in (_DONE, _TOLD):
            # One whose answer came too late may be noted all the same.
            self._lost += max(0, load.statuses[OK] - self._ask(query, began))
        return load

    async def _class(self, http: aiohttp.ClientSession, name: str, first: int) -> Class:
        code = await asyncio.to_thread(self._school.cohort, name, SEATS)
        tokens = self._school.tokens(range(first, first + CLASS))
        began = time.perf_counter()
        statuses = await asyncio.gather(*(_join(http, token, code) for token in tokens))
        seconds = time.perf_counter() - began
        self._oversold += abs(self._ask(_MEMBERS, name) - SEATS)
        return Class(seconds, Counter(statuses))

    def _ask(self, query: LiteralString, *values: object) -> Any:
        """The one value that the query finds."""
        with psycopg.connect(self._where.superuser_url, autocommit=True) as db:
            row = db.execute(query, values).fetchone()
        return row[0] if row else None


async def _join(http: aiohttp.ClientSession, token: str, code: str) -> int:
    """Joins as an app does, which comes again when it is told to; the last status."""
    headers = {"Authorization": f"Bearer {token}"}
    while True:
        async with http.post("/v1/cohorts/join", json={"code": code}, headers=headers) as answer:
            await answer.read()
            if answer.status not in _BUSY:
                return answer.status
            pause = float(answer.headers.get("Retry-After", "1"))
        await asyncio.sleep(pause)


def _of_pages(sizes: Sequence[Size]) -> list[Figure]:
    small, large = ([load.percentile(95) for load in size.pages] for size in sizes)
    refused = sum(load.refused for size in sizes for load in size.pages)
    return [
        Figure(
            "course page of 60 lessons, p95",
            median(small),
            "ms",
            25,
            detail=f"{_range(small)} ms at {PAGES_PER_S}/s, {refused} refused or unanswered",
        ),
        _growth("course page, p95", small, large),
    ]


def _of_completions(sizes: Sequence[Size], lost: int) -> list[Figure]:
    small, large = ([load.percentile(99) for load in size.completions] for size in sizes)
    refused = sum(load.refused for size in sizes for load in size.completions)
    return [
        Figure(
            "lesson completion, p99",
            median(small),
            "ms",
            50,
            detail=f"{_range(small)} ms at {COMPLETIONS_PER_S}/s, {refused} refused or unanswered",
        ),
        _growth("lesson completion, p99", small, large),
        Figure("completions without progress or event", lost, "", 0),
    ]


def _of_classes(sizes: Sequence[Size], oversold: int) -> list[Figure]:
    small, large = ([one.seconds for one in size.classes] for size in sizes)
    answers = sum((one.statuses for size in sizes for one in size.classes), Counter[int]())
    return [
        Figure(
            f"class of {CLASS} joins by code",
            median(small),
            "s",
            30,
            detail=f"{_range(small)} s for {SEATS} seats; answers {dict(answers)}",
        ),
        _growth("class joins", small, large),
        Figure("seats oversold or left", oversold, "", 0),
    ]


def _growth(what: str, small: Sequence[float], large: Sequence[float]) -> Figure:
    return Figure(
        f"{what}: {LARGE} learners / {SMALL}",
        median(large) / median(small),
        "",
        1.5,
        detail=f"{_range(large)} against {_range(small)}",
    )


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.1f} to {max(values):.1f}"
