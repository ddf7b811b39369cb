"""Mastery of a course's skills, folded from the answer log.

The fold is stored with what it rests on; when a course changes a skill's parameters or its bands, readers
fold again until the next answer stores the new state.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import Course
from kourse.assessment.repository import learning, replicas
from kourse.assessment.repository.learning import Fold
from kourse.assessment.service.access import get_membership
from kourse.rules.mastery import Mastery, folded_mastery


@dataclass(frozen=True, slots=True)
class SkillMastery:
    """How well a learner knows one skill of a course."""

    course: str
    skill: str
    title: str
    state: Mastery


async def refold(
    tx: AsyncSession, learner_id: UUID, course: Course, skills: Collection[str]
) -> dict[str, Mastery]:
    """The learner's mastery of these skills, folded again from the log and stored.

    Skills that the course does not have are left out. Folds of one learner and course come one by one.
    """
    known = [skill for skill in skills if skill in course.skills]
    if not known:
        return {}
    await learning.lock_learner(tx, learner_id, course.name)
    states = await _folded(tx, learner_id, course, known)
    folds = {skill: Fold(state, course.basis(skill)) for skill, state in states.items()}
    await learning.save_mastery(tx, learner_id, course.name, folds)
    return states


async def course_mastery(tx: AsyncSession, learner_id: UUID, course: str) -> list[SkillMastery]:
    """The learner's mastery of every skill of a course, in the course's order.

    Raises:
        NotEnrolled: The learner is not enrolled in it, as far as is known here.
    """
    known, _ = await get_membership(tx, learner_id, course)
    return await _list(tx, learner_id, [known])


async def list_mastery(
    tx: AsyncSession, learner_id: UUID, course: str | None
) -> list[SkillMastery]:
    """The same for siblings: of one course or of all the learner is enrolled in; nothing is refused."""
    enrolled = {enrolment.course for enrolment in await replicas.list_enrolments(tx, learner_id)}
    wanted = enrolled if course is None else enrolled & {course}
    return await _list(tx, learner_id, await replicas.list_courses(tx, wanted))


async def _list(
    tx: AsyncSession, learner_id: UUID, courses: Collection[Course]
) -> list[SkillMastery]:
    stored = await learning.list_mastery(tx, learner_id, [course.name for course in courses])
    found: list[SkillMastery] = []
    for course in courses:
        current = {
            skill: fold.state
            for skill in course.skills
            if (fold := stored.get((course.name, skill))) and fold.basis == course.basis(skill)
        }
        if outdated := course.skills.keys() - current.keys():
            current |= await _folded(tx, learner_id, course, outdated)
        found += [
            SkillMastery(course.name, key, skill.title, current[key])
            for key, skill in course.skills.items()
        ]
    return found


async def _folded(
    tx: AsyncSession, learner_id: UUID, course: Course, skills: Collection[str]
) -> dict[str, Mastery]:
    logged = await learning.list_logged(tx, learner_id, course.name, skills)
    return {
        skill: folded_mastery(
            (answer.correct for answer in logged if skill in answer.skills),
            parameters,
            course.thresholds,
        )
        for skill in skills
        if (parameters := course.parameters(skill)) is not None
    }
