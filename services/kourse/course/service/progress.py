"""How far learners are: counted by the live version's lessons, so progress survives new versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound, Unavailable
from kourse.contracts.events import EnrolmentCompleted
from kourse.course.domain.study import (
    Gate,
    LessonRef,
    Titles,
    gate_of,
    is_completed,
    locked,
    next_lesson,
)
from kourse.course.repository import learning, outline
from kourse.course.service import mastery
from kourse.kit import outbox
from kourse.kit.auth import Actor
from kourse.kit.runtime import Runtime
from kourse.kit.telemetry import get_logger
from kourse.rules.gates import Asked, Missing, Standing

log = get_logger(__name__)


@dataclass(frozen=True)
class Overview:
    """A learner in a course.

    Attributes:
        course: The course with its live version.
        enrolment: The enrolment that counts.
        chapters: The chapters, in order.
        lessons: The lessons, in order of study.
        completed: When each was completed, by lesson id; also of lessons that are gone.
        locked: What is missing for each locked chapter.
        titles: Names for sentences.
    """

    course: Row[Any]
    enrolment: Row[Any]
    chapters: tuple[Row[Any], ...]
    lessons: tuple[LessonRef, ...]
    completed: Mapping[UUID, datetime]
    locked: Mapping[str, tuple[Missing, ...]]
    titles: Titles

    @property
    def done(self) -> int:
        """Lessons of the live version that are completed."""
        return sum(lesson.id in self.completed for lesson in self.lessons)

    @property
    def next(self) -> LessonRef | None:
        """The lesson to study now; None when all that is open is done."""
        return next_lesson(self.lessons, self.completed.keys(), self.locked.keys())


async def lessons_of(tx: AsyncSession, course: Row[Any]) -> tuple[LessonRef, ...]:
    """The live version's lessons, in order of study."""
    rows = await outline.list_lessons(tx, course.id, course.version)
    return tuple(
        LessonRef(row.id, row.key, row.title, row.chapter, row.minutes, tuple(row.skills))
        for row in rows
    )


async def gates_of(tx: AsyncSession, course: Row[Any]) -> tuple[Gate, ...]:
    """The course's gates."""
    rows = await outline.list_gates(tx, course.id)
    return tuple(gate_of(row.chapter, row.requires) for row in rows)


async def standing_of(
    tx: AsyncSession,
    enrolment: Row[Any],
    course: str,
    lessons: tuple[LessonRef, ...],
    completed: Mapping[UUID, datetime],
    reached: Mapping[str, float],
) -> Standing:
    """What the learner has reached, by released scores only."""
    return Standing(
        lessons=frozenset(lesson.key for lesson in lessons if lesson.id in completed),
        exams=await learning.best_scores(tx, enrolment.learner_id, course),
        skills=reached,
    )


async def titles_of(
    tx: AsyncSession, course: Row[Any], lessons: tuple[LessonRef, ...], gates: tuple[Gate, ...]
) -> Titles:
    """What the things that gates ask for are called."""
    if not gates:
        return Titles({}, {}, {})
    exams = [entry.exam for gate in gates for entry in gate.requires if entry.exam is not None]
    skills = await outline.list_skills(tx, course.id, course.version)
    return Titles(
        lessons={lesson.key: lesson.title for lesson in lessons},
        skills={skill.key: skill.title for skill in skills},
        exams=await outline.exam_titles(tx, exams),
    )


async def overview(
    tx: AsyncSession, learner_id: UUID, name: str, reached: Mapping[str, float]
) -> Overview:
    """A learner's standing in a course.

    Args:
        tx: The transaction.
        learner_id: The learner.
        name: The course.
        reached: Probability of mastery by skill, in percent, as far as gates ask for it.

    Raises:
        NotFound: There is no such course, or the learner was never enrolled in it.
    """
    course = await outline.get_live(tx, name)
    enrolment = await learning.find_enrolment(tx, course.id, learner_id)
    if enrolment is None:
        raise NotFound(f"You are not enrolled in {name!r}.")
    lessons = await lessons_of(tx, course)
    gates = await gates_of(tx, course)
    completed = await learning.completions(tx, enrolment.id)
    standing = await standing_of(tx, enrolment, name, lessons, completed, reached)
    begun = await learning.visited_chapters(tx, enrolment.id) if gates else frozenset()
    return Overview(
        course=course,
        enrolment=enrolment,
        chapters=tuple(await outline.list_chapters(tx, course.id, course.version)),
        lessons=lessons,
        completed=completed,
        locked=locked(gates, standing, begun),
        titles=await titles_of(tx, course, lessons, gates),
    )


async def read(runtime: Runtime, actor: Actor, name: str) -> Overview:
    """A learner's standing in a course, mastery included where a gate asks for it.

    While assessment does not answer, such a gate is shown as it stands without mastery.

    Raises:
        NotFound: There is no such course, or the learner was never enrolled in it.
    """
    async with runtime.database.transaction(actor.tenant) as tx:
        found = await overview(tx, actor.user_id, name, {})
    lacks = (lack for missing in found.locked.values() for lack in missing)
    if not any(lack.asked is Asked.SKILL for lack in lacks):
        return found
    try:
        reached = await mastery.percents(runtime, actor.tenant, actor.user_id, name)
    except Unavailable as error:
        log.warning("progress.without_mastery", reason=error.detail)
        return found
    async with runtime.database.transaction(actor.tenant) as tx:
        return await overview(tx, actor.user_id, name, reached)


async def list_overviews(tx: AsyncSession, learner_id: UUID) -> list[Overview]:
    """A learner's standing in every course in which they are actively enrolled, newest first.

    Gates that ask for mastery count as closed here, unless the chapter was begun: the answer must not
    wait for a sibling.
    """
    names = dict.fromkeys(
        row.course
        for row in await learning.list_enrolments(tx, learner_id, None, MOST_COURSES)
        if row.status == "active"
    )
    found = []
    for name in names:
        try:
            found.append(await overview(tx, learner_id, name, {}))
        except NotFound:
            # The cohort came before the first version that learners may see.
            continue
    return found


MOST_COURSES = 50
"""Enrolments looked at for a learner's list; more than anybody studies at a time."""


async def settle(tx: AsyncSession, learner_id: UUID, name: str) -> bool:
    """Notes whether the course now counts as completed, and says so."""
    try:
        found = await overview(tx, learner_id, name, {})
    except NotFound:
        return False
    rule = found.course.policy.get("completion", {})
    passed = await learning.passed_exams(tx, learner_id, name)
    completed = is_completed(found.done, len(found.lessons), rule, passed)
    if completed != (found.enrolment.completed_at is not None):
        await learning.set_completed(tx, found.enrolment.id, completed=completed)
        if completed:
            await outbox.emit(tx, _completion(found))
    return completed


def _completion(found: Overview) -> EnrolmentCompleted:
    return EnrolmentCompleted(
        enrolment_id=found.enrolment.id,
        learner_id=found.enrolment.learner_id,
        course_id=found.course.id,
        course=found.course.name,
        cohort=found.enrolment.cohort,
    )
