"""A school of any size: courses that are published as teachers do, learners and their progress as rows."""

from __future__ import annotations

import hashlib
import secrets
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from hack.smoke.person import Person
from hack.smoke.target import Target
from hack.stack.endpoints import Endpoints
from kourse.identity.service.signing import SigningKeys

CHAPTERS = 6
LESSONS = 10
"""In each chapter."""
DONE = 40
"""Lessons that each learner has completed in each course."""
COURSES = 5
"""So everybody has 200 rows of progress."""
TOKEN_S = 300
CATEGORY = "work"
"""The one grade category of the courses."""
_SKILL = "reading"
_PEOPLE = "kourse bench"

_ENROL = """
INSERT INTO course.enrolment (id, tenant, learner_id, course_id, run, status)
SELECT md5('enrolment/' || c.id || '/' || n)::uuid, c.tenant, md5('learner/' || n)::uuid, c.id, '-', 'active'
FROM course.course c CROSS JOIN generate_series(%(first)s::int, %(last)s::int) AS n WHERE c.name = ANY(%(courses)s)
ORDER BY n
"""
_PROGRESS = """
INSERT INTO course.lesson_completion (enrolment_id, lesson_id, tenant, version, completed_at)
SELECT e.id, l.id, e.tenant, l.version, now() - interval '1 day'
FROM course.course c
JOIN course.enrolment e ON e.course_id = c.id AND e.learner_id = ANY(
  SELECT md5('learner/' || n)::uuid FROM generate_series(%(first)s::int, %(last)s::int) n)
JOIN course.lesson l ON l.course_id = c.id AND l.version = c.live_version
WHERE c.name = ANY(%(courses)s) AND l.position < %(done)s
"""


@dataclass
class School:
    """Courses of sixty lessons behind gates, and people who study them.

    Args:
        where: The stack.
        target: Its teacher.
    """

    where: Endpoints
    target: Target
    name: str = field(default_factory=lambda: f"bench-{secrets.token_hex(3)}")
    learners: int = 0

    @property
    def courses(self) -> tuple[str, ...]:
        """Names of the courses."""
        return tuple(f"{self.name}-{number}" for number in range(COURSES))

    def open(self) -> None:
        """The courses are published."""
        with closing(self.teacher()) as teacher:
            for course in self.courses:
                teacher.call("PUT", f"/v1/authoring/courses/{course}", json=_course(course))
            for course in self.courses:
                teacher.get(f"/v1/courses/{course}")

    def grow(self, learners: int) -> None:
        """So many learners have 200 rows of progress each; their tables are analysed."""
        span = {"first": self.learners + 1, "last": learners}
        values = {**span, "courses": list(self.courses), "done": DONE}
        with psycopg.connect(self.where.superuser_url, autocommit=True) as db:
            # A superuser's rows are taken without asking each foreign key again.
            db.execute("SET session_replication_role = replica")
            began = time.perf_counter()
            db.execute(_ENROL, values)
            for first in range(span["first"], learners + 1, 10_000):
                last = min(first + 9_999, learners)
                db.execute(_PROGRESS, {**values, "first": first, "last": last})
                say(f"{last} learners have their progress ({time.perf_counter() - began:.0f} s)")
            db.execute("VACUUM ANALYZE course.enrolment, course.lesson_completion")
        self.learners = learners

    def tokens(self, numbers: Sequence[int], role: str = "learner") -> list[str]:
        """Access tokens of people by their number, from the platform's own key; all hold one role."""
        keys = SigningKeys(self._signing_key())
        now = time.time()
        shared = {
            "iss": self.target.url,
            "aud": "kourse",
            "iat": now,
            "exp": int(now) + TOKEN_S,
            "tenant": self.target.namespace,
            "roles": [role],
        }
        return [
            keys.sign({**shared, "sub": str(learner_id(number)), "sid": f"{_PEOPLE} {number}"})
            for number in numbers
        ]

    def cohort(self, name: str, seats: int) -> str:
        """A cohort with so many seats is open; its join code."""
        spec = {
            "title": "Bench",
            "courses": [self.courses[0]],
            "run": {"starts": "2026-01-01", "ends": "2099-12-31", "timeZone": "UTC"},
            "seats": seats,
            "join": {"policy": "Code"},
        }
        with closing(self.teacher()) as teacher:
            teacher.call("PUT", f"/v1/authoring/cohorts/{name}", json=spec)
            found: str = teacher.get(f"/v1/cohorts/{name}/code")["code"]
        return found

    def teacher(self) -> Person:
        """The target's teacher, logged in; close them."""
        teacher = Person(self.target.url, self.target.teacher_email, self.target.teacher_password)
        teacher.log_in()
        return teacher

    def _signing_key(self) -> Path:
        lines = (self.where.state_dir / "env.d" / "identity.env").read_text().splitlines()
        values = dict(line.split("=", 1) for line in lines if "=" in line)
        return Path(values["KOURSE_IDENTITY_SIGNING_KEY_FILE"].strip("'\""))


def learner_id(number: int) -> UUID:
    """Account id of the learner of this number, as the rows have it."""
    return UUID(hashlib.md5(f"learner/{number}".encode(), usedforsecurity=False).hexdigest())


def lesson_key(number: int) -> str:
    """Key of the lesson at this place of a course, from 0."""
    return f"lesson-{number + 1}"


def _course(name: str) -> dict[str, Any]:
    chapters = [
        {
            "key": f"chapter-{chapter + 1}",
            "title": f"Chapter {chapter + 1}",
            "lessons": [_lesson(chapter * LESSONS + number) for number in range(LESSONS)],
        }
        for chapter in range(CHAPTERS)
    ]
    gates: list[dict[str, Any]] = [
        {
            "chapter": f"chapter-{chapter + 1}",
            "requires": [{"lesson": lesson_key(chapter * LESSONS - 1)}],
        }
        for chapter in range(1, CHAPTERS)
    ]
    gates[-1]["requires"].append({"skill": _SKILL, "minPercent": 80})
    return {
        "title": f"Course {name}",
        "summary": "Sixty lessons behind five gates.",
        "level": "Beginner",
        "language": "en",
        "visibility": "Listed",
        "enrolment": "Open",
        "timeZone": "UTC",
        "skills": [{"key": _SKILL, "title": "Read"}],
        "gradeCategories": [{"key": CATEGORY, "title": "Work", "weight": 100}],
        "chapters": chapters,
        "gates": gates,
    }


def _lesson(number: int) -> dict[str, Any]:
    return {
        "key": lesson_key(number),
        "title": f"Lesson {number + 1}",
        "minutes": 10,
        "skills": [_SKILL],
        "text": "What there is to read. " * 40,
    }


def say(text: str) -> None:
    """Progress, for whoever waits."""
    print(f"  {text}", file=sys.stderr, flush=True)
