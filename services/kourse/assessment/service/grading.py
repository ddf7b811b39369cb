"""Grading of submitted attempts, and the release of their scores.

A run is stored once under (attempt, run), so a job that is delivered again changes nothing. Everything
that follows from a score (mastery too) follows at its release, never before.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.exams import Earned, full_marks, points_earned
from kourse.assessment.domain.facts import Attempt, AttemptState, Course, Item, Score, Sitting
from kourse.assessment.repository import attempts, learning, scores
from kourse.assessment.service.access import get_course, terms_of_enrolments
from kourse.assessment.service.attempts import sitting_of
from kourse.assessment.service.mastery import refold
from kourse.contracts.events import ExamGraded, ScoreReleased
from kourse.kit import outbox
from kourse.kit.clock import database_now
from kourse.kit.ids import new_id
from kourse.rules import points
from kourse.rules.grading import GRADER, read_answer, share_earned
from kourse.rules.mastery import is_right

FIRST_RUN = 1


async def grade(tx: AsyncSession, attempt_id: UUID) -> bool:
    """Grades a submitted attempt for the first time; False when there is nothing to do.

    The attempt is locked, so of two graders the second finds it graded.
    """
    attempt = await attempts.find_attempt(tx, attempt_id, lock=True)
    if attempt is None or attempt.state is not AttemptState.SUBMITTED:
        return False
    sitting = await sitting_of(tx, attempt)
    shares = {item.slot: share_of(item) for item in sitting.items}
    if not await _store(tx, sitting, shares):
        return False
    await attempts.mark_graded(tx, attempt_id, FIRST_RUN)
    course = await get_course(tx, attempt.course)
    await outbox.emit(tx, _graded(sitting, course))
    await release_if_due(tx, attempt_id)
    return True


async def release_if_due(tx: AsyncSession, attempt_id: UUID) -> bool:
    """Shows the score to the learner when its policy says so by now; whether it did."""
    score = await scores.find_score(tx, attempt_id)
    if score is None or score.released_at is not None or score.release_due_at is None:
        return False
    if score.release_due_at > await database_now(tx):
        return False
    released = await scores.release_score(tx, attempt_id)
    if released is None:
        return False
    await _follow_release(tx, attempt_id, released)
    return True


def share_of(item: Item) -> Fraction:
    """The share of an item's points that its stored answer earns, 0 to 1, exact."""
    answer = None if item.answer is None else read_answer(item.question, item.answer)
    return share_earned(item.question, answer)


async def _store(tx: AsyncSession, sitting: Sitting, shares: dict[int, Fraction]) -> bool:
    attempt, policy, made_of = sitting.attempt, sitting.exam.policy, sitting.content
    now = await database_now(tx)
    earned = points_earned(
        made_of, [Earned(item.zone, item.points, shares[item.slot]) for item in sitting.items]
    )
    maximum = full_marks(made_of)
    key = {"attempt_id": attempt.id, "run": FIRST_RUN, "tenant": tx.info["tenant"]}
    result = {"points": earned, "max_points": maximum, "graded_at": now}
    rows = [
        {
            **key,
            "slot": item.slot,
            "question_version_id": item.question_version_id,
            "share": shares[item.slot],
            "points": item.points,
        }
        for item in sitting.items
    ]
    if not await scores.add_run(tx, {**key, **result, "grader": GRADER}, rows):
        return False
    terms = await terms_of_enrolments(tx, sitting.exam, [attempt.enrolment_id])
    await scores.save_score(
        tx,
        {
            **key,
            **result,
            "exam_id": attempt.exam_id,
            "learner_id": attempt.learner_id,
            "course": attempt.course,
            "passed": points.percent(earned, Fraction(maximum)) >= made_of.pass_mark,
            "release_due_at": terms[attempt.enrolment_id].released_at(policy.release.scores, now),
        },
    )
    return True


async def _follow_release(tx: AsyncSession, attempt_id: UUID, score: Score) -> None:
    """The answers count for mastery from now on, and others may hear of the score."""
    attempt = await attempts.find_attempt(tx, attempt_id)
    if attempt is None:
        raise LookupError(f"a score without its attempt {attempt_id}")
    sitting = await sitting_of(tx, attempt)
    course = await get_course(tx, attempt.course)
    shares = await scores.list_shares(tx, attempt_id, score.run)
    rows = [
        _log_row(tx.info["tenant"], attempt, item, shares[item.slot])
        for item in sitting.items
        if item.answer is not None
    ]
    if rows:
        await learning.log_answers(tx, rows)
        touched = {skill for row in rows for skill in row["skills"]}
        await refold(tx, attempt.learner_id, course, sorted(touched))
    await outbox.emit(tx, _released(sitting, course, score))


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


def _graded(sitting: Sitting, course: Course) -> ExamGraded:
    attempt = sitting.attempt
    return ExamGraded(
        attempt_id=attempt.id,
        exam_id=attempt.exam_id,
        exam=sitting.exam.name,
        course_id=course.id,
        course=course.name,
        cohort=attempt.cohort,
        learner_id=attempt.learner_id,
        run=FIRST_RUN,
    )


def _released(sitting: Sitting, course: Course, score: Score) -> ScoreReleased:
    attempt = sitting.attempt
    return ScoreReleased(
        attempt_id=attempt.id,
        exam_id=attempt.exam_id,
        exam=sitting.exam.name,
        course_id=course.id,
        course=course.name,
        learner_id=attempt.learner_id,
        title=sitting.content.title,
        run=score.run,
        points=points.text(score.points),
        max_points=str(score.max_points),
        percent=float(points.percent(score.points, Fraction(score.max_points))),
        passed=score.passed,
    )
