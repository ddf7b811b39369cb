"""SQL of learners before courses: everything that decides on their way, in one statement.

What a published version holds never changes, so it is read once and kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.resources.course import Adaptivity, LessonPath
from kourse.course import tables as t
from kourse.course.domain.study import Chapter, Content, LessonRef, Skill
from kourse.course.domain.way import Footprint
from kourse.course.repository import outline
from kourse.course.repository.content import tenant
from kourse.rules.mastery import Band, Mastery, Thresholds

_FIND = """
WITH mine AS (
  SELECT DISTINCT ON (e.learner_id, e.course_id) e.*,
    CAST(e.xmin AS text) AS revision
  FROM course.enrolment AS e
  WHERE e.tenant = :tenant AND e.learner_id {learners} {of_course}
  ORDER BY e.learner_id, e.course_id, (e.status = 'active') DESC, e.id DESC
)
SELECT
  c.id, c.name, c.lifecycle, c.retired_at, c.policy -> 'completion' AS completion,
  v.number AS version, v.digest, v.title,
  mine.id AS enrolment_id, mine.learner_id, mine.cohort, mine.status, mine.active_at,
  mine.completed_at, clock_timestamp() AS now, mine.revision,
  (SELECT jsonb_object_agg(d.lesson_id, d.completed_at)
    FROM course.lesson_completion AS d WHERE d.enrolment_id = mine.id) AS completed,
  (SELECT jsonb_object_agg(b.lesson_id, b.chapter)
    FROM course.lesson_visit AS b WHERE b.enrolment_id = mine.id) AS visited,
  (SELECT jsonb_object_agg(best.exam, jsonb_build_array(best.percent, best.passed))
    FROM (
      SELECT s.exam, max(s.percent) AS percent, bool_or(s.passed) AS passed FROM course.score AS s
      WHERE s.tenant = :tenant AND s.learner_id = mine.learner_id AND s.course = c.name
      GROUP BY s.exam
    ) AS best) AS scores,
  (SELECT jsonb_object_agg(m.skill, jsonb_build_array(m.probability, m.answers, m.band))
    FROM course.mastery AS m
    WHERE m.tenant = :tenant AND m.learner_id = mine.learner_id AND m.course = c.name) AS mastery,
  (SELECT CAST(jsonb_agg(jsonb_build_array(g.chapter, g.requires) ORDER BY g.position) AS text)
    FROM course.gate AS g WHERE g.course_id = c.id) AS gates,
  (SELECT jsonb_object_agg(x.exam, x.title)
    FROM course.exam_replica AS x WHERE x.tenant = :tenant AND x.course = c.name) AS exams
FROM mine
JOIN course.course AS c ON c.id = mine.course_id
JOIN course.course_version AS v ON v.course_id = c.id AND v.number = c.live_version
ORDER BY mine.learner_id, mine.id DESC
"""
_OF_COURSE = (
    "AND e.course_id = (SELECT id FROM course.course WHERE tenant = :tenant AND name = :course)"
)
_LOCK = text(
    "SELECT e.id FROM course.enrolment AS e JOIN course.course AS c ON c.id = e.course_id"
    " WHERE c.tenant = :tenant AND c.name = :course AND e.learner_id = :learner"
    " ORDER BY e.id FOR UPDATE OF e"
)
_MOST_KEPT = 512
_kept: OrderedDict[tuple[UUID, int, str], Content] = OrderedDict()


@dataclass(frozen=True)
class Found:
    """A learner's enrolment in a live course and all that decides on their way.

    Attributes:
        row: The course (``id``, ``name``, ``lifecycle``, …), its live version and the enrolment, with
            the time of reading (``now``) and what tells the enrolment's states apart (``revision``).
        made: What the learner did and reached.
        exams: Titles of the course's exams, by name.
    """

    row: Row[Any]
    made: Footprint
    exams: Mapping[str, str]

    @property
    def gates(self) -> str:
        """The course's gates in their stored form."""
        stored: str = self.row.gates or "[]"
        return stored


@cache
def _find(*, one: bool, of_course: bool) -> TextClause:
    # One learner is asked for by equality: planned for an array of unknown length, the statement would look
    # so much dearer than with its values that PostgreSQL would plan it anew each time.
    learners = "= :learner" if one else "= ANY(:learners)"
    course = _OF_COURSE if of_course else ""
    return text(_FIND.replace("{learners}", learners).replace("{of_course}", course))


async def find(tx: AsyncSession, learner_id: UUID, course: str) -> Found | None:
    """The learner in the course by the enrolment that counts now, or None without one.

    That is the newest active one, else the newest.
    """
    found = await find_many(tx, [learner_id], course)
    return found[0] if found else None


async def find_many(
    tx: AsyncSession, learner_ids: Collection[UUID], course: str | None = None
) -> list[Found]:
    """The same for many learners and for every course, or one; by learner, the newest enrolment first."""
    values: dict[str, Any] = {"tenant": tenant(tx)}
    match list(learner_ids):
        case [learner_id]:
            values["learner"] = learner_id
        case several:
            values["learners"] = several
    if course is not None:
        values["course"] = course
    one, of_course = "learner" in values, course is not None
    rows = await tx.execute(_find(one=one, of_course=of_course), values)
    return [Found(row, _footprint(row), row.exams or {}) for row in rows]


async def lock(tx: AsyncSession, learner_id: UUID, course: str) -> None:
    """What the learner does in the course comes one by one until the commit."""
    await tx.execute(_LOCK, {"tenant": tenant(tx), "course": course, "learner": learner_id})


async def content_of(tx: AsyncSession, course_id: UUID, version: int, digest: str) -> Content:
    """The version without its texts; the digest tells versions of courses made anew apart."""
    key = (course_id, version, digest)
    if key not in _kept:
        _kept[key] = await _read_content(tx, course_id, version)
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    _kept.move_to_end(key)
    return _kept[key]


async def _read_content(tx: AsyncSession, course_id: UUID, version: int) -> Content:
    limits = await _adaptivity(tx, course_id, version)
    return Content(
        chapters=tuple(
            Chapter(row.key, row.title, row.summary)
            for row in await outline.list_chapters(tx, course_id, version)
        ),
        lessons=tuple(
            LessonRef(
                row.id,
                row.key,
                row.title,
                row.chapter,
                row.minutes,
                tuple(row.skills),
                LessonPath(row.path),
            )
            for row in await outline.list_lessons(tx, course_id, version)
        ),
        skills={
            row.key: Skill(row.key, row.title, tuple(row.prerequisites), _thresholds(row, limits))
            for row in await outline.list_skills(tx, course_id, version)
        },
    )


async def _adaptivity(tx: AsyncSession, course_id: UUID, version: int) -> Adaptivity:
    v = t.course_version.c
    query = select(v.content["adaptivity"]).where(v.course_id == course_id, v.number == version)
    return Adaptivity.model_validate((await tx.execute(query)).scalar_one() or {})


def _thresholds(row: Row[Any], limits: Adaptivity) -> Thresholds:
    below, upon = row.remediation_below, row.challenge_from
    return Thresholds(
        (limits.remediation_below if below is None else below) / 100,
        (limits.challenge_from if upon is None else upon) / 100,
    )


def _footprint(row: Row[Any]) -> Footprint:
    scores: Mapping[str, tuple[float, bool]] = row.scores or {}
    return Footprint(
        completed={
            UUID(lesson): datetime.fromisoformat(at) for lesson, at in (row.completed or {}).items()
        },
        visited={UUID(lesson): chapter for lesson, chapter in (row.visited or {}).items()},
        exams={exam: percent for exam, (percent, _) in scores.items()},
        passed=frozenset(exam for exam, (_, passed) in scores.items() if passed),
        mastery={
            skill: Mastery(probability, answers, Band(band))
            for skill, (probability, answers, band) in (row.mastery or {}).items()
        },
    )
