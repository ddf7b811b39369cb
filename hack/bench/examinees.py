"""A school's exams: declared as authors do, with learners and their twenty earlier attempts as rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg

from hack.bench.school import CATEGORY, School, say
from hack.smoke.person import Person, eventually

QUESTIONS, DRAWN = 200, 40
ATTEMPTS = 20
"""That each learner has made before, of one question each."""
BATCH = 5_000
"""Learners whose rows are written at a time."""
SAVING, STORM, EARLIER = "saving", "storm", "earlier"
"""The exams: one to save answers in, one that all submit at once, and the one of the earlier attempts."""
ACCEPTED = 409

_TRIED = """
CREATE TEMP TABLE tried ON COMMIT DROP AS
SELECT md5(%(course)s || '/earlier/' || n || '/' || k)::uuid AS attempt,
  md5(%(course)s || '/log/' || n || '/' || k)::uuid AS log, k AS number,
  md5('learner/' || n)::uuid AS learner, md5(%(course)s || '/enrolment/' || n)::uuid AS enrolment,
  now() - interval '30 days' AS at
FROM generate_series(%(first)s::int, %(last)s::int) AS n, generate_series(1, %(attempts)s::int) AS k
"""
_EARLIER: tuple[LiteralString, ...] = (
    """
INSERT INTO assessment.enrolment_replica (enrolment_id, tenant, learner_id, course, labels)
SELECT enrolment, %(tenant)s, learner, %(course)s, '{}' FROM tried WHERE number = 1
""",
    """
INSERT INTO assessment.attempt (id, tenant, exam_id, exam_version_id, learner_id, enrolment_id, course,
  number, seed, state, started_at, submitted_at, cause, run)
SELECT attempt, e.tenant, e.id, e.version_id, learner, enrolment, e.course,
  tried.number, '', 'GRADED', at, at, 'learner', 1
FROM assessment.exam e, tried WHERE e.id = %(exam)s
""",
    """
INSERT INTO assessment.attempt_item
  (attempt_id, slot, tenant, zone, question_id, question_version_id, points, layout)
SELECT attempt, 1, %(tenant)s, 'main', %(question)s, %(version)s, 1, %(layout)s::jsonb FROM tried
""",
    """
INSERT INTO assessment.answer (attempt_id, slot, tenant, seq, body, saved_at)
SELECT attempt, 1, %(tenant)s, 1, %(answer)s::jsonb, at FROM tried
""",
    """
INSERT INTO assessment.answer_revision (attempt_id, slot, tenant, seq, body, saved_at)
SELECT attempt, 1, %(tenant)s, 1, %(answer)s::jsonb, at FROM tried
""",
    """
INSERT INTO assessment.grading_run (attempt_id, run, tenant, grader, points, max_points, graded_at)
SELECT attempt, 1, %(tenant)s, 'bench', '1/1', 1, at FROM tried
""",
    """
INSERT INTO assessment.grading_item
  (attempt_id, run, slot, tenant, question_version_id, share, points)
SELECT attempt, 1, 1, %(tenant)s, %(version)s, '1/1', 1 FROM tried
""",
    """
INSERT INTO assessment.score (attempt_id, tenant, exam_id, learner_id, course, run, points, max_points,
  passed, graded_at, release_due_at, released_at)
SELECT attempt, %(tenant)s, %(exam)s, learner, %(course)s, 1, '1/1', 1, true, at, at, at FROM tried
""",
    """
INSERT INTO assessment.answer_log (id, tenant, learner_id, course, question_id, question_version_id,
  skills, source, source_id, slot, share, correct, at)
SELECT log, %(tenant)s, learner, %(course)s, %(question)s, %(version)s,
  ARRAY['reading'], 'exam', attempt, 1, '1/1', true, at FROM tried
""",
)
_TABLES: LiteralString = (
    "assessment.enrolment_replica, assessment.attempt, assessment.attempt_item, assessment.answer,"
    " assessment.answer_revision, assessment.grading_run, assessment.grading_item, assessment.score,"
    " assessment.answer_log"
)
_ONE_QUESTION = """
SELECT e.id, q.id, q.version_id FROM assessment.exam e, assessment.question q
JOIN assessment.pool p ON p.id = q.pool_id WHERE e.name = %s AND p.name = %s AND q.type = 'SingleChoice'
LIMIT 1
"""
_ANSWER = """
INSERT INTO assessment.answer (attempt_id, slot, tenant, seq, body, saved_at)
SELECT i.attempt_id, i.slot, i.tenant, 1, CASE q.type
    WHEN 'SingleChoice' THEN jsonb_build_object('option', i.layout #>> '{options,0,1}')
    WHEN 'MultipleChoice' THEN
      jsonb_build_object('options', jsonb_build_array(i.layout #>> '{options,0,1}'))
    ELSE '{"value": "4"}' END, clock_timestamp()
FROM assessment.attempt_item i JOIN assessment.attempt a ON a.id = i.attempt_id
JOIN assessment.question q ON q.id = i.question_id WHERE a.exam_id = %s AND a.state = 'IN_PROGRESS'
ON CONFLICT (attempt_id, slot) DO NOTHING
"""


@dataclass
class Examinees:
    """Exams of a school's first course, and learners who have sat another one before.

    Args:
        school: The school, whose courses are published.
    """

    school: School
    learners: int = 0

    @property
    def course(self) -> str:
        """Name of the course."""
        return self.school.courses[0]

    def exam(self, which: str) -> str:
        """Name of one of the exams."""
        return f"{self.school.name}-{which}"

    def open(self) -> None:
        """A pool of 200 questions, two exams that draw 40 of them, and one of a single question."""
        with closing(self.school.teacher()) as teacher:
            _put(teacher, f"/v1/authoring/pools/{self.school.name}", _pool(self.course))
            for which, count in ((SAVING, DRAWN), (STORM, DRAWN), (EARLIER, 1)):
                spec = _exam(self.course, self.school.name, which, count)
                _put(teacher, f"/v1/authoring/exams/{self.exam(which)}", spec)

    def grow(self, learners: int) -> None:
        """So many learners are enrolled and have made twenty attempts each; tables are analysed."""
        values: dict[str, Any] = {
            "tenant": self.school.target.namespace,
            "course": self.course,
            "attempts": ATTEMPTS,
            "layout": '{"options": [["x", "a"], ["y", "b"]]}',
            "answer": '{"option": "a"}',
        }
        began = time.perf_counter()
        with psycopg.connect(self.school.where.superuser_url, autocommit=True) as db:
            db.execute("SET session_replication_role = replica")
            names = (self.exam(EARLIER), self.school.name)
            values["exam"], values["question"], values["version"] = _row(db, _ONE_QUESTION, names)
            for first in range(self.learners + 1, learners + 1, BATCH):
                span = {"first": first, "last": min(first + BATCH - 1, learners)}
                with db.transaction():
                    for statement in (_TRIED, *_EARLIER):
                        db.execute(statement, values | span)
                say(
                    f"{span['last']} learners have their attempts ({time.perf_counter() - began:.0f} s)"
                )
            db.execute(f"VACUUM ANALYZE {_TABLES}")
        self.learners = learners

    def answer_all(self, which: str) -> None:
        """Every question of every running attempt at the exam is answered."""
        with psycopg.connect(self.school.where.superuser_url, autocommit=True) as db:
            (id_,) = _row(db, "SELECT id FROM assessment.exam WHERE name = %s", (self.exam(which),))
            db.execute(_ANSWER, (id_,))


def _row(
    db: psycopg.Connection[tuple[Any, ...]], query: LiteralString, values: Sequence[object]
) -> tuple[Any, ...]:
    row = db.execute(query, values).fetchone()
    if row is None:
        raise LookupError("an exam of the bench is not there")
    return row


def _put(teacher: Person, path: str, spec: dict[str, Any]) -> None:
    """Declares it, once what it refers to is known."""

    def known() -> bool:
        found = teacher.call("PUT", path, json=spec, expect=(200, 201, ACCEPTED))
        return "code" not in found

    eventually(path, known)


def _pool(course: str) -> dict[str, Any]:
    return {
        "title": "Bench",
        "courseRef": course,
        "questions": [_question(number) for number in range(QUESTIONS)],
    }


def _question(number: int) -> dict[str, Any]:
    """Of four questions two have one right choice, one has several, one is a number."""
    shared = {
        "key": f"q-{number}",
        "prompt": f"Question {number}: what do these numbers say? " * 4,
        "explanation": "Because they do. " * 20,
        "skills": ["reading"],
    }
    options = [{"key": key, "text": f"Choice {key} of {number}"} for key in "abcd"]
    match number % 4:
        case 0 | 1:
            return {**shared, "type": "SingleChoice", "options": options, "correct": ["a"]}
        case 2:
            several = {"options": options, "correct": ["a", "b"], "partialCredit": "Proportional"}
            return {**shared, "type": "MultipleChoice", **several}
        case _:
            return {**shared, "type": "Numeric", "numeric": {"value": "4", "tolerance": "1"}}


def _exam(course: str, pool: str, title: str, count: int) -> dict[str, Any]:
    return {
        "title": title,
        "courseRef": course,
        "purpose": "Quiz",
        "category": CATEGORY,
        "passMark": 50,
        "zones": [{"key": "main", "title": "Main", "draws": [{"pools": [pool], "count": count}]}],
        "shuffle": "All",
        "timeLimitMinutes": 120,
        "attempts": {"maximum": ATTEMPTS},
        "release": {"scores": "AtGrading", "answers": "AtGrading"},
    }
