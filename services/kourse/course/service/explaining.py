"""Why a learner can or cannot see a lesson, by the decisions that reading it makes."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import KourseError, NotFound
from kourse.contracts.explanations import Explanation, Rule
from kourse.course.domain.study import LessonRef
from kourse.course.domain.way import Way
from kourse.course.repository import learning, outline, ways
from kourse.course.service import progress, study
from kourse.rules import bands
from kourse.rules.gates import missing


async def explain_lesson(tx: AsyncSession, learner_id: UUID, course: str, key: str) -> Explanation:
    """What that learner would be answered when they asked for the lesson now."""
    refusal: KourseError | None = None
    try:
        await study.open_lesson(tx, learner_id, course, key)
    except KourseError as error:
        refusal = error
    return Explanation(
        subject=f"lesson {key} of {course}",
        learner_id=learner_id,
        allowed=refusal is None,
        code=refusal.code if refusal else None,
        detail=refusal.detail if refusal else None,
        rules=await _rules(tx, learner_id, course, key),
    )


async def cohort_of(tx: AsyncSession, learner_id: UUID, course: str) -> str | None:
    """The cohort by which the learner studies the course, or None."""
    try:
        found = await outline.get_live(tx, course)
    except NotFound:
        return None
    enrolment = await learning.find_enrolment(tx, found.id, learner_id)
    return enrolment.cohort if enrolment else None


async def _rules(tx: AsyncSession, learner_id: UUID, name: str, key: str) -> list[Rule]:
    try:
        course = await outline.get_live(tx, name)
    except NotFound as error:
        return [Rule(rule="live", holds=False, sentence=error.detail)]
    rules = [Rule(rule="live", holds=True, sentence=f"version {course.version} is live")]
    found = await ways.find(tx, learner_id, name)
    if found is None:
        return [*rules, Rule(rule="enrolled", holds=False, sentence=f"not enrolled in {name}")]
    row = found.row
    by = f"with the cohort {row.cohort}" if row.cohort else "outside any cohort"
    active = row.status == "active"
    rules.append(
        Rule(rule="enrolled", holds=active, sentence=f"the enrolment, {by}, is {row.status}")
    )
    way = (await progress.overview_of(tx, found)).way
    lesson = way.content.by_key.get(key)
    text = f"it stands in the chapter {lesson.chapter}" if lesson else f"there is no lesson {key}"
    rules.append(Rule(rule="in-version", holds=lesson is not None, sentence=text))
    if not active or lesson is None:
        return rules
    return [*rules, *_gate(way, lesson), *_band(way, lesson)]


def _gate(way: Way, lesson: LessonRef) -> list[Rule]:
    gate = next((entry for entry in way.gates if entry.chapter == lesson.chapter), None)
    if gate is None:
        return [Rule(rule="gate", holds=True, sentence="its chapter has no gate")]
    if gate.chapter in way.made.visited.values():
        return [Rule(rule="gate", holds=True, sentence="its chapter was begun, and stays open")]
    rules = []
    for entry in gate.requires:
        lacks = missing([entry], way.standing)
        name = (
            entry.lesson
            or entry.chapter
            or entry.exam
            or entry.skill
            or "several, of which one will do,"
        )
        text = way.titles.sentence(lacks[0]) if lacks else f"what it asks of {name} is reached"
        rules.append(Rule(rule="gate", holds=not lacks, sentence=text))
    return rules


def _band(way: Way, lesson: LessonRef) -> list[Rule]:
    if lesson.is_main:
        return []
    if lesson.id in way.made.visited:
        return [Rule(rule="band", holds=True, sentence="it was begun, and stays open")]
    closed = way.band_of(lesson)
    band = bands.band_of_lesson(lesson.skills, way.made.mastery)
    text = closed or f"the learner's lowest skill of it is in the band {band}"
    return [Rule(rule="band", holds=closed is None, sentence=text)]
