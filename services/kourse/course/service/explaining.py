"""Why a learner can or cannot see a lesson, by the decisions that reading it makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import KourseError, NotFound, Unavailable
from kourse.contracts.explanations import Explanation, Rule
from kourse.course.domain.study import Gate, Titles
from kourse.course.repository import learning, outline
from kourse.course.service import mastery, progress, study
from kourse.kit.runtime import Runtime
from kourse.rules.gates import Standing, missing


async def explain_lesson(
    runtime: Runtime, tenant: str, learner_id: UUID, course: str, key: str
) -> Explanation:
    """What that learner would be answered when they asked for the lesson now.

    Raises:
        Unavailable: A gate asks for mastery and assessment does not answer.
    """
    refusal: KourseError | None = None
    try:
        await study.open_lesson(runtime, tenant, learner_id, course, key)
    except Unavailable:
        raise
    except KourseError as error:
        refusal = error
    async with runtime.database.transaction(tenant) as tx:
        rules, asks_mastery = await _rules(tx, learner_id, course, key, {})
    if asks_mastery:
        reached = await mastery.percents(runtime, tenant, learner_id, course)
        async with runtime.database.transaction(tenant) as tx:
            rules, _ = await _rules(tx, learner_id, course, key, reached)
    return Explanation(
        subject=f"lesson {key} of {course}",
        learner_id=learner_id,
        allowed=refusal is None,
        code=refusal.code if refusal else None,
        detail=refusal.detail if refusal else None,
        rules=rules,
    )


async def cohort_of(tx: AsyncSession, learner_id: UUID, course: str) -> str | None:
    """The cohort by which the learner studies the course, or None."""
    try:
        found = await outline.get_live(tx, course)
    except NotFound:
        return None
    enrolment = await learning.find_enrolment(tx, found.id, learner_id)
    return enrolment.cohort if enrolment else None


async def _rules(
    tx: AsyncSession, learner_id: UUID, name: str, key: str, reached: Mapping[str, float]
) -> tuple[list[Rule], bool]:
    """The rules, and whether the lesson's gate asks for mastery."""
    try:
        course = await outline.get_live(tx, name)
    except NotFound as error:
        return [Rule(rule="live", holds=False, sentence=error.detail)], False
    rules = [Rule(rule="live", holds=True, sentence=f"version {course.version} is live")]
    enrolment = await learning.find_enrolment(tx, course.id, learner_id)
    if enrolment is None:
        rules.append(Rule(rule="enrolled", holds=False, sentence=f"not enrolled in {name}"))
        return rules, False
    by = f"with the cohort {enrolment.cohort}" if enrolment.cohort else "outside any cohort"
    rules.append(
        Rule(
            rule="enrolled",
            holds=enrolment.status == "active",
            sentence=f"the enrolment, {by}, is {enrolment.status}",
        )
    )
    lesson = await outline.find_lesson(tx, course.id, course.version, key)
    text = f"it stands in the chapter {lesson.chapter}" if lesson else f"there is no lesson {key}"
    rules.append(Rule(rule="in-version", holds=lesson is not None, sentence=text))
    if not all(rule.holds for rule in rules) or lesson is None:
        return rules, False
    gates = await progress.gates_of(tx, course)
    gate = next((entry for entry in gates if entry.chapter == lesson.chapter), None)
    if gate is None:
        rules.append(Rule(rule="gate", holds=True, sentence="its chapter has no gate"))
        return rules, False
    return [*rules, *await _gate(tx, course, enrolment, gate, reached)], gate.asks_mastery


async def _gate(
    tx: AsyncSession,
    course: Row[Any],
    enrolment: Row[Any],
    gate: Gate,
    reached: Mapping[str, float],
) -> list[Rule]:
    if gate.chapter in await learning.visited_chapters(tx, enrolment.id):
        return [Rule(rule="gate", holds=True, sentence="its chapter was begun, and stays open")]
    lessons = await progress.lessons_of(tx, course)
    completed = await learning.completions(tx, enrolment.id)
    standing = await progress.standing_of(tx, enrolment, course.name, lessons, completed, reached)
    titles = await progress.titles_of(tx, course, lessons, (gate,))
    return [_requirement(entry, standing, titles) for entry in gate.requires]


def _requirement(entry: Any, standing: Standing, titles: Titles) -> Rule:
    lacks = missing([entry], standing)
    name = entry.lesson or entry.exam or entry.skill
    met = f"what it asks of {name} is reached"
    text = titles.sentence(lacks[0]) if lacks else met
    return Rule(rule="gate", holds=not lacks, sentence=text)
