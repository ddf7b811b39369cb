"""Dashboards through the gateway: a learner's overview kept and made, a teacher's matrix, at two sizes.

On a whole local stack of its own with the load on the same cores. Everything is measured with a thousand
learners and again with a hundred thousand in one course; a cohort of 500 of them is looked at by teachers.
A view is kept when its learner asked before, and made when somebody asks for the first time.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import aiohttp
import psycopg
import uvloop

from hack.bench.dashboard_reads import compare
from hack.bench.figures import Figure
from hack.bench.open_loop import Call, Load, at_rate
from hack.bench.school import School, say
from hack.smoke.target import Target
from hack.stack.endpoints import Endpoints
from hack.stack.lifecycle import stop
from hack.stack.sample import bring_up

SMALL, LARGE = 1_000, 100_000
KEPT_READERS = 50
PER_S, LOAD_S = 50, 8.0
MATRICES_PER_S = 4
CLASS, SKILLS = 500, 60
DONE = 20
"""Lessons that each learner has completed."""
ROUNDS = 3
OVERVIEW = "/v1/dashboard"

_ENROL = """
INSERT INTO course.enrolment (id, tenant, learner_id, course_id, run, status)
SELECT md5('enrolment/' || n)::uuid, c.tenant, md5('learner/' || n)::uuid, c.id, '-', 'active'
FROM course.course c CROSS JOIN generate_series(%(first)s::int, %(last)s::int) n WHERE c.name = %(course)s
"""
_PROGRESS = """
INSERT INTO course.lesson_completion (enrolment_id, lesson_id, tenant, version, completed_at)
SELECT md5('enrolment/' || n)::uuid, l.id, c.tenant, l.version, now() - interval '1 day'
FROM course.course c JOIN course.lesson l ON l.course_id = c.id AND l.version = c.live_version
CROSS JOIN generate_series(%(first)s::int, %(last)s::int) n WHERE c.name = %(course)s AND l.position < %(done)s
"""
_COURSE = """
UPDATE dashboard.course SET skills = (
  SELECT jsonb_agg(jsonb_build_array('skill-' || k, 'Skill ' || k) ORDER BY k)
  FROM generate_series(1, %(skills)s::int) k)
WHERE course = %(course)s
"""
_STUDY = """
INSERT INTO dashboard.study
  (tenant, enrolment_id, learner_id, course_id, course, cohort, completed, began_at)
SELECT c.tenant, md5('enrolment/' || n)::uuid, md5('learner/' || n)::uuid, c.course_id, c.course,
  'class-' || ((n - 1) / %(class)s::int), %(done)s, now() - interval '1 day'
FROM dashboard.course c CROSS JOIN generate_series(%(first)s::int, %(last)s::int) n WHERE c.course = %(course)s
"""
_STANDING = """
INSERT INTO dashboard.standing (tenant, course, learner_id, active_at, skills, mastery)
SELECT c.tenant, c.course, md5('learner/' || n)::uuid, now(), s.skills, 0.7
FROM dashboard.course c CROSS JOIN generate_series(%(first)s::int, %(last)s::int) n CROSS JOIN (
  SELECT jsonb_object_agg('skill-' || k, jsonb_build_array(0.7123, 5, 'main')) AS skills
  FROM generate_series(1, %(skills)s::int) k) s
WHERE c.course = %(course)s
"""
_NAMES = """
INSERT INTO profile.profile (tenant, user_id, display_name, locale)
SELECT c.tenant, md5('learner/' || n)::uuid, 'Learner ' || n, 'en'
FROM dashboard.course c CROSS JOIN generate_series(%(first)s::int, %(last)s::int) n WHERE c.course = %(course)s
"""


@dataclass
class Size:
    """What was measured with so many learners."""

    learners: int
    kept: list[Load] = field(default_factory=list)
    made: list[Load] = field(default_factory=list)
    matrix: list[Load] = field(default_factory=list)


def measure() -> list[Figure]:
    """Brings a stack of its own up, measures, and takes it down."""
    with tempfile.TemporaryDirectory(prefix="kourse-bench-") as folder:
        state = Path(folder)
        try:
            say("bringing the stack up")
            where = bring_up(state)
            bench = Bench(where, School(where, Target.of_state(state)))
            return uvloop.run(bench.run())
        finally:
            stop(state)


class Bench:
    """The measurement, on one stack.

    Args:
        where: The stack.
        school: Its courses and people.
    """

    def __init__(self, where: Endpoints, school: School) -> None:
        self._where, self._school = where, school
        self._course = school.courses[0]
        self._asked = 0
        self._teachers = itertools.count(10_000_000)

    async def run(self) -> list[Figure]:
        """The figures."""
        await asyncio.to_thread(self._school.open)
        await asyncio.to_thread(self._until_published)
        timeout = aiohttp.ClientTimeout(30)
        async with aiohttp.ClientSession(
            self._where.gateway_url, connector=aiohttp.TCPConnector(limit=0), timeout=timeout
        ) as http:
            sizes = []
            first = 1
            for learners in (SMALL, LARGE):
                await asyncio.to_thread(self._grow, first, learners)
                first = learners + 1
                sizes.append(await self._measure(http, learners))
        say("cached reads beside a raw route")
        (token,) = self._school.tokens([1])
        reads = await compare(self._where.state_dir, token)
        return [*_figures(sizes), reads]

    def _until_published(self) -> None:
        """Returns once the dashboard knows the course."""
        query = "SELECT count(*) FROM dashboard.course WHERE course = %s"
        deadline = time.monotonic() + 60
        with psycopg.connect(self._where.superuser_url, autocommit=True) as db:
            while db.execute(query, [self._course]).fetchone() == (0,):
                if time.monotonic() > deadline:
                    raise TimeoutError("the dashboard never heard of the course")
                time.sleep(0.1)

    def _grow(self, first: int, last: int) -> None:
        """Learners of these numbers study the course, in classes of 500."""
        values = {
            "course": self._course,
            "last": last,
            "done": DONE,
            "class": CLASS,
            "skills": SKILLS,
        }
        with psycopg.connect(self._where.superuser_url, autocommit=True) as db:
            # A superuser's rows are taken without asking each foreign key again.
            db.execute("SET session_replication_role = replica")
            for statement in (_COURSE, _ENROL, _PROGRESS, _STUDY, _STANDING, _NAMES):
                db.execute(statement, {**values, "first": first})
            db.execute("VACUUM ANALYZE course.enrolment, course.lesson_completion")
            db.execute("VACUUM ANALYZE dashboard.study, dashboard.standing, profile.profile")
        say(f"{last} learners study")

    async def _measure(self, http: aiohttp.ClientSession, learners: int) -> Size:
        size = Size(learners)
        step = learners // KEPT_READERS
        readers = [number * step + 1 for number in range(KEPT_READERS)]
        for _ in range(ROUNDS):
            tokens = self._school.tokens(readers)
            await at_rate(http, iter(_overviews(tokens)), PER_S, 2.0)
            size.kept.append(
                await at_rate(http, itertools.cycle(_overviews(tokens)), PER_S, LOAD_S)
            )
            size.made.append(await self._new_readers(http, learners))
            size.matrix.append(await self._matrices(http, learners))
            say(
                f"{learners} learners, p95: kept {size.kept[-1].percentile(95):.1f} ms, made"
                f" {size.made[-1].percentile(95):.1f} ms, matrix {size.matrix[-1].percentile(95):.1f} ms"
            )
        return size

    async def _new_readers(self, http: aiohttp.ClientSession, learners: int) -> Load:
        """Each call is the first that somebody makes."""
        count = int(PER_S * LOAD_S) * 3 // 4 if learners == SMALL else int(PER_S * LOAD_S)
        numbers = [1 + (self._asked + n) * 7919 % learners for n in range(count)]
        self._asked += count
        return await at_rate(http, iter(_overviews(self._school.tokens(numbers))), PER_S, LOAD_S)

    async def _matrices(self, http: aiohttp.ClientSession, learners: int) -> Load:
        """Each call is a teacher's first, of one class of those there are."""
        count = int(MATRICES_PER_S * LOAD_S)
        tokens = self._school.tokens(list(itertools.islice(self._teachers, count)), "teacher")
        of_class = f"/v1/dashboard/courses/{self._course}/mastery?limit={CLASS}&cohort=class-"
        calls = (
            Call("GET", f"{of_class}{number % (learners // CLASS)}", token)
            for number, token in enumerate(tokens)
        )
        return await at_rate(http, calls, MATRICES_PER_S, LOAD_S)


def _overviews(tokens: Iterable[str]) -> list[Call]:
    return [Call("GET", OVERVIEW, token) for token in tokens]


def _figures(sizes: Sequence[Size]) -> list[Figure]:
    small, large = sizes
    return [
        *_both("overview, kept, p95", small.kept, large.kept, 10, f"{PER_S}/s"),
        *_both("overview, made from six answers, p95", small.made, large.made, 80, f"{PER_S}/s"),
        *_both(
            f"matrix of {CLASS} by {SKILLS}, made, p95",
            small.matrix,
            large.matrix,
            150,
            f"{MATRICES_PER_S}/s",
        ),
    ]


def _both(
    what: str, small: Sequence[Load], large: Sequence[Load], target_ms: float, rate: str
) -> list[Figure]:
    few, many = ([load.percentile(95) for load in loads] for loads in (small, large))
    refused = sum(load.refused for load in (*small, *large))
    return [
        Figure(
            what,
            median(few),
            "ms",
            target_ms,
            detail=f"{_range(few)} ms at {rate}, {refused} refused or unanswered",
        ),
        Figure(
            f"{what}: {LARGE} learners / {SMALL}",
            median(many) / median(few),
            "",
            1.5,
            detail=f"{_range(many)} against {_range(few)} ms",
        ),
    ]


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.1f} to {max(values):.1f}"
