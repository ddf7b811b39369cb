"""Grading of submitted attempts, and the release of their scores.

A run is stored once under (attempt, run), so a job that is delivered again changes nothing. What a run
used of each slot is stored with it: a later run starts from there, so an attempt keeps the keys by which
it was judged until somebody corrects them. Everything that follows from a score (mastery too) follows at
its release, never before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.exams import Earned, full_marks, points_earned
from kourse.assessment.domain.facts import Attempt, AttemptState, Course, Item, Score, Sitting
from kourse.assessment.domain.marking import (
    Decision,
    KeyUse,
    Marking,
    marking,
    needs_judging,
    needs_review,
)
from kourse.assessment.repository import attempts, decisions, judging, learning, scores
from kourse.assessment.repository.judging import Order
from kourse.assessment.service import keys
from kourse.assessment.service.access import get_course, terms_of_enrolments
from kourse.assessment.service.attempts import sitting_of
from kourse.assessment.service.mastery import refold
from kourse.contracts.events import ExamGraded, ReviewRequested, ScoreReleased
from kourse.kit import faults, outbox
from kourse.kit.clock import database_now
from kourse.kit.ids import new_id
from kourse.rules import points
from kourse.rules.grading import GRADER
from kourse.rules.mastery import is_right

WAITING = frozenset({AttemptState.SUBMITTED, AttemptState.UNDER_REVIEW})
"""States of an attempt that is ended and has no grade yet."""


@dataclass(frozen=True, slots=True)
class Graded:
    """What a grading run comes to.

    Attributes:
        marks: How each slot was judged.
        points: Exact points, caps of the zones applied.
        max_points: Points for full marks.
    """

    marks: Mapping[int, Marking]
    points: Fraction
    max_points: int


async def grade(tx: AsyncSession, attempt_id: UUID) -> bool:
    """Grades a submitted attempt, or asks people to; False when there is nothing to do.

    The attempt is locked, so of two graders the second finds it graded.
    """
    attempt = await attempts.find_attempt(tx, attempt_id, lock=True)
    if attempt is None or attempt.state is not AttemptState.SUBMITTED:
        return False
    await settle(tx, await sitting_of(tx, attempt))
    return True


async def resume(tx: AsyncSession, attempt: Attempt) -> None:
    """The attempt, locked, goes on now that the judge has said something, if it waits for its grade."""
    if attempt.state in WAITING:
        await settle(tx, await sitting_of(tx, attempt))


async def settle(tx: AsyncSession, sitting: Sitting) -> None:
    """The attempt, ended and locked, is graded by what is known now, or waits: for the judge, then for people."""
    used = await keys.in_use(tx, sitting)
    decided = await decisions.list_counting(tx, sitting.attempt.id)
    unjudged = to_judge(sitting, used, decided)
    if unjudged:
        await judging.request(tx, unjudged)
        return
    waiting = [
        item.slot
        for item in sitting.items
        if needs_review(item, used[item.slot], decided.get(item.slot))
    ]
    if not waiting:
        marks = {
            item.slot: marking(item, used[item.slot], decided.get(item.slot))
            for item in sitting.items
        }
        await store(tx, sitting, graded(sitting, marks))
    elif sitting.attempt.state is not AttemptState.UNDER_REVIEW:
        await _ask_people(tx, sitting, waiting)


def to_judge(
    sitting: Sitting, used: Mapping[int, KeyUse], decided: Mapping[int, Decision]
) -> list[Order]:
    """The programs that the judge has to run before the attempt can be graded by these keys."""
    return [
        Order(sitting.attempt.id, item.slot, used[item.slot].version_id, item.seq)
        for item in sitting.items
        if needs_judging(item, used[item.slot], decided.get(item.slot))
    ]


def graded(sitting: Sitting, marks: Mapping[int, Marking]) -> Graded:
    """The points that these markings of an attempt come to."""
    earned = [Earned(item.zone, item.points, marks[item.slot].share) for item in sitting.items]
    return Graded(marks, points_earned(sitting.content, earned), full_marks(sitting.content))


async def store(tx: AsyncSession, sitting: Sitting, result: Graded) -> None:
    """The attempt's next run is stored, its score stands at it, and what follows is told."""
    attempt, run = sitting.attempt, sitting.attempt.run + 1
    if not await _store(tx, sitting, result, run):
        return
    await faults.point("attempt.judged")
    await attempts.mark_graded(tx, attempt.id, run)
    course = await get_course(tx, attempt.course)
    await outbox.emit(tx, ExamGraded(**told(sitting, course), run=run))
    await faults.point("attempt.scored")
    score = await scores.find_score(tx, attempt.id)
    if score is not None and score.released_at is not None:
        await _follow_release(tx, sitting, score)
    elif score is not None and await _is_due(tx, score):
        await _release(tx, sitting)


async def release_if_due(tx: AsyncSession, attempt_id: UUID) -> bool:
    """Shows the score to the learner when its policy says so by now; whether it did."""
    score = await scores.find_score(tx, attempt_id)
    if score is None or not await _is_due(tx, score):
        return False
    attempt = await attempts.find_attempt(tx, attempt_id)
    if attempt is None:
        raise LookupError(f"a score without its attempt {attempt_id}")
    return await _release(tx, await sitting_of(tx, attempt))


def told(sitting: Sitting, course: Course) -> dict[str, Any]:
    """What every event of an attempt tells of it."""
    attempt = sitting.attempt
    return {
        "attempt_id": attempt.id,
        "exam_id": attempt.exam_id,
        "exam": sitting.exam.name,
        "course_id": course.id,
        "course": course.name,
        "cohort": attempt.cohort,
        "learner_id": attempt.learner_id,
    }


async def _ask_people(tx: AsyncSession, sitting: Sitting, slots: list[int]) -> None:
    await decisions.request_reviews(tx, sitting.attempt, slots)
    await attempts.set_state(tx, sitting.attempt.id, AttemptState.UNDER_REVIEW)
    course = await get_course(tx, sitting.attempt.course)
    await outbox.emit(tx, ReviewRequested(**told(sitting, course)))


async def _store(tx: AsyncSession, sitting: Sitting, result: Graded, run: int) -> bool:
    attempt, policy, made_of = sitting.attempt, sitting.exam.policy, sitting.content
    now = await database_now(tx)
    key = {"attempt_id": attempt.id, "run": run, "tenant": tx.info["tenant"]}
    came_to = {"points": result.points, "max_points": result.max_points, "graded_at": now}
    rows = [
        {
            **key,
            "slot": item.slot,
            "question_version_id": result.marks[item.slot].version_id,
            "share": result.marks[item.slot].share,
            "points": item.points,
            "basis": result.marks[item.slot].basis.value,
            "decision": result.marks[item.slot].decision,
        }
        for item in sitting.items
    ]
    if not await scores.add_run(tx, {**key, **came_to, "grader": GRADER}, rows):
        return False
    terms = await terms_of_enrolments(tx, sitting.exam, [attempt.enrolment_id])
    percent = points.percent(result.points, Fraction(result.max_points))
    await scores.save_score(
        tx,
        {
            **key,
            **came_to,
            "exam_id": attempt.exam_id,
            "learner_id": attempt.learner_id,
            "course": attempt.course,
            "passed": percent >= made_of.pass_mark,
            "release_due_at": terms[attempt.enrolment_id].released_at(policy.release.scores, now),
        },
    )
    return True


async def _is_due(tx: AsyncSession, score: Score) -> bool:
    if score.released_at is not None or score.release_due_at is None:
        return False
    return score.release_due_at <= await database_now(tx)


async def _release(tx: AsyncSession, sitting: Sitting) -> bool:
    released = await scores.release_score(tx, sitting.attempt.id)
    if released is None:
        return False
    await _follow_release(tx, sitting, released)
    return True


async def _follow_release(tx: AsyncSession, sitting: Sitting, score: Score) -> None:
    """The answers count for mastery from now on, and others may hear of the score."""
    attempt = sitting.attempt
    course = await get_course(tx, attempt.course)
    marks = await scores.list_marks(tx, attempt.id, score.run)
    rows = [
        _log_row(tx.info["tenant"], attempt, item, marks[item.slot].share)
        for item in sitting.items
        if item.answer is not None
    ]
    if rows:
        await learning.log_answers(tx, rows)
        touched = {skill for row in rows for skill in row["skills"]}
        await refold(tx, attempt.learner_id, course, sorted(touched))
    await outbox.emit(tx, _released(sitting, course, score))
    await faults.point("attempt.released")


def _log_row(tenant: str, attempt: Attempt, item: Item, share: Fraction) -> dict[str, Any]:
    return {
        "id": new_id(),
        "tenant": tenant,
        "learner_id": attempt.learner_id,
        "course": attempt.course,
        "question_id": item.question_id,
        "question_version_id": item.question_version_id,
        "skills": list(item.question.skills),
        "source": "exam",
        "source_id": attempt.id,
        "slot": item.slot,
        "answer": None,
        "share": share,
        "correct": is_right(share),
        "at": attempt.submitted_at,
    }


def _released(sitting: Sitting, course: Course, score: Score) -> ScoreReleased:
    about = told(sitting, course)
    del about["cohort"]
    return ScoreReleased(
        **about,
        title=sitting.content.title,
        run=score.run,
        points=points.text(score.points),
        max_points=str(score.max_points),
        percent=float(points.percent(score.points, Fraction(score.max_points))),
        passed=score.passed,
    )
