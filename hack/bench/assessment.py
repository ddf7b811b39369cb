"""Exams through the gateway: answers saved at a rate, and a thousand attempts that all end at once.

On a whole local stack of its own with the load on the same cores. Everything is measured with a thousand
learners and again with a hundred thousand, each with twenty attempts before.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, LiteralString
from uuid import uuid4

import aiohttp
import psycopg
import uvloop

from hack.bench.examinees import DRAWN, SAVING, STORM, Examinees
from hack.bench.figures import Figure
from hack.bench.open_loop import Call, Load, at_rate
from hack.bench.school import School, say
from hack.smoke.target import Target
from hack.stack.endpoints import Endpoints
from hack.stack.lifecycle import stop
from hack.stack.sample import bring_up

SMALL = 1_000
LARGE = int(os.environ.get("KOURSE_BENCH_LEARNERS", "100000"))
"""Learners of the large school; fewer where there is no time for all."""
SAVERS = 300
"""Of the small school; as many, spread over all, of the large one."""
SAVES_PER_S, SAVE_MS = 150, 25
RATES = (200, 250, 300, 350, 400)
"""Tried one after another until one does not hold."""
LOAD_S, STEP_S = 12.0, 6.0
ROUNDS = 3
CROWD, SUBMITTED_WITHIN_S, GRADED_WITHIN_S = 1_000, 10.0, 20.0
STARTERS = 8
PATIENCE_S = 120.0
LOOK_S = 0.1
_STARTED = frozenset({200, 201})
_BUSY = frozenset({429, 502, 503, 504})
_GRADED = """
SELECT count(*) FROM assessment.score s JOIN assessment.attempt a ON a.id = s.attempt_id
JOIN assessment.exam e ON e.id = a.exam_id
WHERE e.name = %s AND a.state = 'GRADED' AND s.released_at IS NOT NULL AND a.started_at > %s
"""
_TOLD = """
SELECT count(DISTINCT payload ->> 'attempt_id') FROM assessment.outbox
WHERE type = 'assessment.exam.graded' AND payload ->> 'exam' = %s AND created_at > %s
"""
_SAVED = "SELECT count(*) FROM assessment.answer_revision WHERE saved_at > %s"

Question = dict[str, Any]


@dataclass
class Storm:
    """How a thousand attempts ended: answers to the submissions, seconds from the first, what was lost."""

    submissions: Load
    graded_s: float
    lost: int


@dataclass
class Size:
    """What was measured with so many learners."""

    saves: list[Load] = field(default_factory=list)
    storms: list[Storm] = field(default_factory=list)


def measure() -> list[Figure]:
    """Brings a stack of its own up, measures, and takes it down."""
    with tempfile.TemporaryDirectory(prefix="kourse-bench-") as folder:
        state = Path(folder)
        try:
            say("bringing the stack up")
            where = bring_up(state)
            school = School(where, Target.of_state(state))
            return uvloop.run(Bench(where, school, Examinees(school)).run())
        finally:
            stop(state)


class Bench:
    """The measurement, on one stack.

    Args:
        where: The stack.
        school: Its courses and learners.
        examinees: Its exams.
    """

    def __init__(self, where: Endpoints, school: School, examinees: Examinees) -> None:
        self._where = where
        self._school = school
        self._examinees = examinees
        self._seq = itertools.count(1)
        self._lost = 0

    async def run(self) -> list[Figure]:
        """The figures."""
        await asyncio.to_thread(self._school.open)
        await asyncio.to_thread(self._examinees.open)
        timeout = aiohttp.ClientTimeout(60)
        async with aiohttp.ClientSession(
            self._where.gateway_url, connector=aiohttp.TCPConnector(limit=0), timeout=timeout
        ) as http:
            small, large = Size(), Size()
            await self._measure(http, SMALL, small)
            highest = await self._highest(http)
            await self._measure(http, LARGE, large)
        return [
            *_of_saves(small, large, self._lost),
            Figure(
                f"highest rate of saves with p99 <= {SAVE_MS} ms",
                highest,
                "/s",
                SAVES_PER_S,
                "at least",
                f"of {SAVES_PER_S} and {RATES}, {STEP_S:.0f} s each",
            ),
            *_of_storms(small, large),
        ]

    async def _measure(self, http: aiohttp.ClientSession, learners: int, size: Size) -> None:
        await asyncio.to_thread(self._examinees.grow, learners)
        chosen = random.Random(learners)  # noqa: S311 - a sample
        savers = chosen.sample(range(1, learners + 1), SAVERS)
        crowd = chosen.sample(range(1, learners + 1), min(CROWD, learners))
        self._attempts = await self._start(http, SAVING, savers)
        await self._save(http, SAVES_PER_S, 2.0)  # warms what is compiled and cached up
        for _ in range(ROUNDS):
            size.saves.append(await self._save(http, SAVES_PER_S, LOAD_S))
            say(f"{learners} learners: save p99 {size.saves[-1].percentile(99):.1f} ms")
        size.storms.append(await self._storm(http, crowd))
        say(f"{learners} learners: {CROWD} attempts graded in {size.storms[-1].graded_s:.1f} s")

    async def _highest(self, http: aiohttp.ClientSession) -> int:
        """The highest rate at which saves hold their target; 0 for none."""
        held = 0
        for rate in (SAVES_PER_S, *RATES):
            load = await self._save(http, rate, STEP_S)
            say(f"{rate} saves a second: p99 {load.percentile(99):.1f} ms")
            if load.refused or load.percentile(99) > SAVE_MS:
                break
            held = rate
        return held

    async def _start(
        self, http: aiohttp.ClientSession, which: str, numbers: Sequence[int]
    ) -> dict[int, tuple[str, list[Question]]]:
        """By learner the id and the questions of the attempt that runs."""
        path = f"/v1/exams/{self._examinees.exam(which)}/attempts"
        tokens = dict(zip(numbers, self._school.tokens(numbers), strict=True))
        waiting, found = iter(numbers), {}

        async def start() -> None:
            for number in waiting:
                body = await _started(http, path, tokens[number])
                found[number] = (body["id"], body["questions"])

        await asyncio.gather(*(start() for _ in range(STARTERS)))
        return found

    async def _save(self, http: aiohttp.ClientSession, rate: float, seconds: float) -> Load:
        tokens = self._school.tokens(list(self._attempts))
        taking = list(zip(tokens, self._attempts.values(), strict=True))
        began = self._ask("SELECT clock_timestamp()")
        load = await at_rate(http, self._saves(taking), rate, seconds)
        kept = sum(count for status, count in load.statuses.items() if status in _STARTED)
        self._lost += max(0, kept - self._ask(_SAVED, began))
        return load

    def _saves(self, taking: Sequence[tuple[str, tuple[str, list[Question]]]]) -> Iterator[Call]:
        for place in itertools.count():
            for token, (attempt, questions) in taking:
                question = questions[place % len(questions)]
                body = {"seq": next(self._seq), "answer": _answer(question)}
                path = f"/v1/attempts/{attempt}/answers/{question['slot']}"
                yield Call("PUT", path, token, body)

    async def _storm(self, http: aiohttp.ClientSession, numbers: Sequence[int]) -> Storm:
        began = self._ask("SELECT clock_timestamp()")
        running = await self._start(http, STORM, numbers)
        await asyncio.to_thread(self._examinees.answer_all, STORM)
        calls = [
            Call(
                "POST",
                f"/v1/attempts/{running[number][0]}/submission",
                token,
                headers={"Idempotency-Key": str(uuid4())},
            )
            for number, token in zip(numbers, self._school.tokens(numbers), strict=True)
        ]
        first = time.perf_counter()
        rate = len(calls) / SUBMITTED_WITHIN_S
        load = await at_rate(http, iter(calls), rate, SUBMITTED_WITHIN_S)
        exam = self._examinees.exam(STORM)
        taken = len(calls) - load.refused
        while (graded := self._ask(_GRADED, exam, began)) < taken:
            if time.perf_counter() - first > PATIENCE_S:
                break
            await asyncio.sleep(LOOK_S)
        seconds = time.perf_counter() - first
        told = self._ask(_TOLD, exam, began)
        return Storm(load, seconds, max(0, taken - graded) + max(0, taken - told))

    def _ask(self, query: LiteralString, *values: object) -> Any:
        """The one value that the query finds."""
        with psycopg.connect(self._where.superuser_url, autocommit=True) as db:
            row = db.execute(query, values).fetchone()
        return row[0] if row else None


async def _started(http: aiohttp.ClientSession, path: str, token: str) -> dict[str, Any]:
    """The attempt, started as an app does, which comes again when it is told to."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}
    while True:
        async with http.post(path, headers=headers) as answer:
            body: dict[str, Any] = await answer.json()
            if answer.status in _STARTED:
                return body
            if answer.status not in _BUSY:
                raise RuntimeError(f"an attempt did not start: {answer.status} {body}")
            pause = float(answer.headers.get("Retry-After", "1"))
        await asyncio.sleep(pause)


def _answer(question: Question) -> dict[str, Any]:
    if question["type"] == "Numeric":
        return {"value": "4"}
    first = question["options"][0]["id"]
    return {"option": first} if question["type"] == "SingleChoice" else {"options": [first]}


def _of_saves(small: Size, large: Size, lost: int) -> list[Figure]:
    low, high = ([load.percentile(99) for load in size.saves] for size in (small, large))
    refused = sum(load.refused for size in (small, large) for load in size.saves)
    return [
        Figure(
            "saving an answer, p99",
            median(low),
            "ms",
            SAVE_MS,
            detail=f"{_range(low)} ms at {SAVES_PER_S}/s, {refused} refused or unanswered",
        ),
        _growth("saving an answer, p99", low, high),
        Figure("answers acknowledged and not kept", lost, "", 0),
    ]


def _of_storms(small: Size, large: Size) -> list[Figure]:
    low, high = ([one.graded_s for one in size.storms] for size in (small, large))
    storms = [*small.storms, *large.storms]
    refused = sum(one.submissions.refused for one in storms)
    slowest = max(one.submissions.percentile(99) for one in storms)
    return [
        Figure(
            f"{CROWD} attempts of {DRAWN} questions, submitted and graded",
            median(low),
            "s",
            GRADED_WITHIN_S,
            detail=f"from the first submission of {SUBMITTED_WITHIN_S:.0f} s; {refused} refused,"
            f" submission p99 {slowest:.0f} ms",
        ),
        _growth("attempts graded", low, high),
        Figure("attempts without a released score or event", sum(s.lost for s in storms), "", 0),
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
