"""Mastery of a course's skills, folded from the answer log.

The fold is stored with what it rests on. When a course changes a skill's parameters or its bands, all of
its learners are folded again, batch by batch; readers who come before their turn fold for themselves.
Every stored change is told of: it decides which lessons are open.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import Course
from kourse.assessment.repository import learning, replicas
from kourse.assessment.repository.learning import Fold
from kourse.assessment.service.access import get_membership
from kourse.contracts.events import MasteryChanged, SkillState
from kourse.kit import outbox
from kourse.rules.mastery import Mastery, folded_mastery, initial_mastery

BATCH = 200
"""Learners folded again in one transaction."""


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
    """The learner's mastery of these skills, folded again from the log, stored and told of.

    Skills that the course does not have are left out. Folds of one learner and course come one by one.
    """
    known = [skill for skill in skills if skill in course.skills]
    if not known:
        return {}
    await learning.lock_learner(tx, learner_id, course.name)
    states = await _folded(tx, learner_id, course, known)
    folds = {skill: Fold(state, course.basis(skill)) for skill, state in states.items()}
    await learning.save_mastery(tx, learner_id, course.name, folds)
    await outbox.emit(tx, _changed(learner_id, course, states))
    return states


async def refold_course(tx: AsyncSession, course_id: UUID) -> bool:
    """Folds the next learners of a course again whose mastery rests on what it was before.

    Returns:
        Whether there was anybody left.
    """
    waiting = await replicas.find_refolding(tx, course_id)
    if waiting is None:
        return False
    course, after = waiting
    bases = {skill: course.basis(skill) for skill in course.skills}
    learners = await learning.list_outdated(tx, course.name, bases, after=after, limit=BATCH)
    for learner_id in learners:
        await refold(tx, learner_id, course, bases)
    last = learners[-1] if len(learners) == BATCH else None
    await replicas.set_refolding(tx, course.name, last)
    return bool(learners)


async def course_mastery(tx: AsyncSession, learner_id: UUID, course: str) -> list[SkillMastery]:
    """The learner's mastery of every skill of a course, in the course's order.

    Raises:
        NotEnrolled: The learner is not enrolled in it, as far as is known here.
    """
    known, _ = await get_membership(tx, learner_id, course)
    return (await _list(tx, [learner_id], [known]))[learner_id]


async def list_mastery(
    tx: AsyncSession, learner_id: UUID, course: str | None
) -> list[SkillMastery]:
    """The same for siblings: of one course or of all the learner is enrolled in; nothing is refused."""
    enrolled = {enrolment.course for enrolment in await replicas.list_enrolments(tx, learner_id)}
    wanted = enrolled if course is None else enrolled & {course}
    return (await _list(tx, [learner_id], await replicas.list_courses(tx, wanted)))[learner_id]


async def mastery_of_many(
    tx: AsyncSession, learner_ids: Sequence[UUID], course: str
) -> dict[UUID, list[SkillMastery]]:
    """Mastery of a course's skills for those of these learners who are enrolled in it."""
    known = await replicas.find_course(tx, course)
    if known is None:
        return {}
    enrolled = await replicas.enrolled_among(tx, learner_ids, course)
    return await _list(tx, [one for one in learner_ids if one in enrolled], [known])


async def _list(
    tx: AsyncSession, learner_ids: Sequence[UUID], courses: Collection[Course]
) -> dict[UUID, list[SkillMastery]]:
    stored = await learning.list_mastery(tx, learner_ids, [course.name for course in courses])
    found: dict[UUID, list[SkillMastery]] = {learner_id: [] for learner_id in learner_ids}
    for learner_id, listed in found.items():
        for course in courses:
            folds = stored.get((learner_id, course.name), {})
            current = await _current(tx, learner_id, course, folds)
            listed += [
                SkillMastery(course.name, key, skill.title, current[key])
                for key, skill in course.skills.items()
            ]
    return found


async def _current(
    tx: AsyncSession, learner_id: UUID, course: Course, folds: dict[str, Fold]
) -> dict[str, Mastery]:
    """The state of every skill: as stored, or folded where what was stored rests on something else."""
    outdated = [
        skill
        for skill, fold in folds.items()
        if skill in course.skills and fold.basis != course.basis(skill)
    ]
    unknown = {skill: initial_mastery(course.parameters(skill)) for skill in course.skills}
    current = unknown | {skill: fold.state for skill, fold in folds.items()}
    return current | (await _folded(tx, learner_id, course, outdated) if outdated else {})


async def _folded(
    tx: AsyncSession, learner_id: UUID, course: Course, skills: Collection[str]
) -> dict[str, Mastery]:
    logged = await learning.list_logged(tx, learner_id, course.name, skills)
    return {
        skill: folded_mastery(
            (answer.correct for answer in logged if skill in answer.skills),
            course.parameters(skill),
            course.limits(skill),
        )
        for skill in skills
    }


def _changed(learner_id: UUID, course: Course, states: dict[str, Mastery]) -> MasteryChanged:
    return MasteryChanged(
        learner_id=learner_id,
        course_id=course.id,
        course=course.name,
        skills=[
            SkillState(
                skill=skill,
                probability=state.probability,
                answers=state.answers,
                band=state.band.value,
            )
            for skill, state in states.items()
        ],
    )
