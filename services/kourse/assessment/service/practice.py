"""Practice in lessons: unlimited, checked at once, explained; it moves mastery and never a grade."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain import presentation
from kourse.assessment.domain.facts import Course
from kourse.assessment.domain.presentation import Layout, ShownQuestion
from kourse.assessment.errors import InvalidAnswer, NotEnrolled
from kourse.assessment.repository import content, learning, replicas
from kourse.assessment.repository.content import PracticeQuestion
from kourse.assessment.service.access import get_membership
from kourse.assessment.service.mastery import SkillMastery, refold
from kourse.contracts.errors import NotFound
from kourse.contracts.resources.pool import Question
from kourse.kit.clock import database_now
from kourse.kit.ids import new_id
from kourse.rules.code import Judged, share_passed
from kourse.rules.grading import Answer, AnswerMismatch, share_earned
from kourse.rules.mastery import is_right

SEED_BYTES = 9
NONCE = 12
"""Characters of the part of a seed that is drawn; its mark follows."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A practice question as one learner sees it this time.

    Attributes:
        seed: What the order and the ids shown follow from, with a secret; it comes back with the answer,
            and shows that the learner was given this question while its lesson was open.
    """

    pool: str
    key: str
    seed: str
    skills: tuple[str, ...]
    shown: ShownQuestion


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to a practice question that was shown to its learner."""

    course: Course
    question: PracticeQuestion
    layout: Layout
    answer: Answer


@dataclass(frozen=True, slots=True)
class Checked:
    """What a practice answer came to, with everything that explains it."""

    correct: bool
    share: Fraction
    explanation: str
    solution: dict[str, Any]
    question: Question
    judged: Judged | None
    mastery: tuple[SkillMastery, ...]


async def lesson_practice(
    tx: AsyncSession, learner_id: UUID, course: str, lesson: str
) -> list[Offered]:
    """The questions that a lesson embeds, in its order, each time under a fresh seed.

    Raises:
        NotEnrolled: The learner is not enrolled in the course, as far as is known here.
        NotFound: The live version has no such lesson.
    """
    known, _ = await get_membership(tx, learner_id, course)
    found = known.lessons.get(lesson)
    if found is None:
        raise NotFound(f"The course {course!r} has no lesson {lesson!r}.")
    nonce = secrets.token_urlsafe(SEED_BYTES)
    return [
        _offered(one, learner_id, _seed(one, learner_id, nonce))
        for pool, keys in found.practice.items()
        for one in await content.list_practice_questions(tx, course, pool, keys)
    ]


async def check(
    tx: AsyncSession,
    learner_id: UUID,
    pool: str,
    key: str,
    *,
    seed: str,
    payload: Mapping[str, Any],
    judged: Judged | None = None,
) -> Checked:
    """Checks an answer to the question as it was shown under the seed, logs it, folds it into mastery.

    Args:
        tx: The transaction.
        learner_id: Who practises.
        pool: The question's pool.
        key: The question.
        seed: Under which it was shown.
        payload: The answer by opaque ids.
        judged: What the judge said of it, where it is a program.

    Raises:
        NotFound: No lesson of a course of theirs embeds this question.
        NotEnrolled: Likewise, and the pool belongs to a course in which they are not enrolled.
        InvalidAnswer: The answer does not fit the question, or that was never shown to them so.
    """
    answered = await find(tx, learner_id, pool, key, seed=seed, payload=payload)
    course, one, answer = answered.course, answered.question, answered.answer
    share = share_earned(one.body, answer) if judged is None else share_passed(one.body, judged)
    await learning.log_answers(tx, [await _log_row(tx, learner_id, course, one, answer, share)])
    states = await refold(tx, learner_id, course, one.body.skills)
    return Checked(
        correct=is_right(share),
        share=share,
        explanation=one.body.explanation,
        solution=presentation.solution(one.body, answered.layout),
        question=one.body,
        judged=judged,
        mastery=tuple(
            SkillMastery(course.name, skill, course.skills[skill].title, state)
            for skill, state in states.items()
        ),
    )


async def find(
    tx: AsyncSession,
    learner_id: UUID,
    pool: str,
    key: str,
    *,
    seed: str,
    payload: Mapping[str, Any],
) -> Answered:
    """The answer with the question that it is to.

    Raises:
        KourseError: As ``check``.
    """
    course = await _course_with(tx, learner_id, pool, key)
    found = await content.list_practice_questions(tx, course.name, pool, [key])
    if not found:
        raise NotFound(_missing(pool, key))
    one = found[0]
    if not hmac.compare_digest(seed, _seed(one, learner_id, seed[:NONCE])):
        raise InvalidAnswer("The question was not shown to you under this seed; ask for it again.")
    layout = _layout(one, learner_id, seed)
    try:
        answer = presentation.received(one.body, layout, payload)
    except AnswerMismatch as mismatch:
        raise InvalidAnswer(f"{mismatch}.") from None
    return Answered(course, one, layout, answer)


async def _course_with(tx: AsyncSession, learner_id: UUID, pool: str, key: str) -> Course:
    """The first course, by name, in which the learner is enrolled and a lesson has the question."""
    enrolments = await replicas.list_enrolments(tx, learner_id)
    courses = await replicas.list_courses(tx, {enrolment.course for enrolment in enrolments})
    for course in courses:
        if course.practises(pool, key):
            return course
    owner = await content.find_pool_course(tx, pool)
    if owner is not None and owner not in {course.name for course in courses}:
        raise NotEnrolled(owner, _missing(pool, key))
    raise NotFound(_missing(pool, key))


def _missing(pool: str, key: str) -> str:
    return f"None of your lessons has a practice question {key!r} of {pool!r}."


def _seed(one: PracticeQuestion, learner_id: UUID, nonce: str) -> str:
    """The nonce with a mark that we alone can make, for this learner and question."""
    shown = b"practice" + learner_id.bytes + nonce.encode()
    mark = hmac.digest(one.salt, shown, "sha256")[:SEED_BYTES]
    return nonce + base64.urlsafe_b64encode(mark).decode()


def _layout(one: PracticeQuestion, learner_id: UUID, seed: str) -> Layout:
    """The same for one learner and seed, and another for everybody else."""
    secret = one.salt + learner_id.bytes
    return presentation.layout_of(one.body, secret, f"practice/{seed}", shuffle=True)


def _offered(one: PracticeQuestion, learner_id: UUID, seed: str) -> Offered:
    shown = presentation.shown(one.body, _layout(one, learner_id, seed), hint=True)
    return Offered(one.pool, one.key, seed, tuple(one.body.skills), shown)


async def _log_row(
    tx: AsyncSession,
    learner_id: UUID,
    course: Course,
    one: PracticeQuestion,
    answer: Answer,
    share: Fraction,
) -> dict[str, Any]:
    id_ = new_id()
    return {
        "id": id_,
        "tenant": tx.info["tenant"],
        "learner_id": learner_id,
        "course": course.name,
        "question_id": one.id,
        "question_version_id": one.version_id,
        "skills": list(one.body.skills),
        "source": "practice",
        "source_id": id_,
        "slot": 0,
        "answer": answer.model_dump(),
        "share": share,
        "correct": is_right(share),
        "at": await database_now(tx),
    }
