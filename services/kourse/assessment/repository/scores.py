"""Grading runs and scores."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import Score
from kourse.assessment.domain.marking import Basis, Marking
from kourse.assessment.tables import attempt, exam, grading_item, grading_run, score


@dataclass(frozen=True, slots=True)
class ExamScore:
    """A score with the attempt and the exam it belongs to."""

    score: Score
    exam_id: UUID
    exam: str
    title: str
    course: str
    learner_id: UUID
    enrolment_id: UUID
    number: int


async def add_run(
    tx: AsyncSession, values: Mapping[str, Any], items: Sequence[Mapping[str, Any]]
) -> bool:
    """Stores a grading run with its items; False when the run is there already."""
    added = await tx.execute(
        insert(grading_run).values(**values).on_conflict_do_nothing().returning(grading_run.c.run)
    )
    if added.one_or_none() is None:
        return False
    await tx.execute(insert(grading_item), list(items))
    return True


async def save_score(tx: AsyncSession, values: Mapping[str, Any]) -> None:
    """The score of the attempt is that of its newest run; a release it had stays."""
    await tx.execute(
        insert(score)
        .values(**values)
        .on_conflict_do_update(
            index_elements=["attempt_id"],
            set_={
                name: values[name]
                for name in ("run", "points", "max_points", "passed", "graded_at")
            },
        )
    )


async def find_score(tx: AsyncSession, attempt_id: UUID) -> Score | None:
    """The score of an attempt, or None while it is not graded."""
    row = (await tx.execute(select(score).where(score.c.attempt_id == attempt_id))).one_or_none()
    return None if row is None else _score(row)


async def remove_score(tx: AsyncSession, attempt_id: UUID) -> bool:
    """The attempt has no score any more; whether it had one. Its grading runs stay."""
    removed = await tx.execute(
        delete(score).where(score.c.attempt_id == attempt_id).returning(score.c.attempt_id)
    )
    return removed.one_or_none() is not None


async def list_attempt_scores(tx: AsyncSession, attempt_ids: Collection[UUID]) -> dict[UUID, Score]:
    """The scores of these attempts, as far as they are graded."""
    found = await tx.execute(select(score).where(score.c.attempt_id.in_(attempt_ids)))
    return {row.attempt_id: _score(row) for row in found}


async def release_score(tx: AsyncSession, attempt_id: UUID) -> Score | None:
    """The score is released now; None when it was before or there is none."""
    row = (
        await tx.execute(
            update(score)
            .where(score.c.attempt_id == attempt_id, score.c.released_at.is_(None))
            .values(released_at=func.clock_timestamp())
            .returning(score)
        )
    ).one_or_none()
    return None if row is None else _score(row)


async def list_marks(tx: AsyncSession, attempt_id: UUID, run: int) -> dict[int, Marking]:
    """How each slot was judged in a run; empty when there is no such run."""
    found = await tx.execute(
        select(grading_item).where(
            grading_item.c.attempt_id == attempt_id, grading_item.c.run == run
        )
    )
    return {
        row.slot: Marking(row.share, row.question_version_id, Basis(row.basis), row.decision)
        for row in found
    }


async def list_unreleased(tx: AsyncSession, exam_id: UUID) -> list[tuple[Score, UUID]]:
    """Scores of an exam that learners do not see yet, each with its attempt's enrolment."""
    found = await tx.execute(
        select(score, attempt.c.enrolment_id)
        .join(attempt, attempt.c.id == score.c.attempt_id)
        .where(score.c.exam_id == exam_id, score.c.released_at.is_(None))
    )
    return [(_score(row), row.enrolment_id) for row in found]


async def set_release_due(tx: AsyncSession, attempt_id: UUID, due_at: datetime | None) -> None:
    """The score is released then by itself, or never."""
    await tx.execute(
        update(score).where(score.c.attempt_id == attempt_id).values(release_due_at=due_at)
    )


async def release_by_hand(
    tx: AsyncSession,
    exam_id: UUID,
    cohorts: Collection[str] | None,
    *,
    score_too: bool,
    answers_too: bool,
) -> tuple[int, int]:
    """Scores become due now, answers are released now; how many of each.

    Args:
        tx: The transaction.
        exam_id: The exam.
        cohorts: Only attempts of these cohorts; all when None.
        score_too: Whether scores that are withheld become due.
        answers_too: Whether answers that are withheld are released.
    """
    of_exam = score.c.exam_id == exam_id
    if cohorts is not None:
        theirs = select(attempt.c.id).where(
            attempt.c.exam_id == exam_id, attempt.c.cohort.in_(cohorts)
        )
        of_exam &= score.c.attempt_id.in_(theirs)
    counts = [0, 0]
    if score_too:
        withheld = score.c.released_at.is_(None)
        due = update(score).where(of_exam, withheld).values(release_due_at=func.clock_timestamp())
        counts[0] = len((await tx.execute(due.returning(score.c.attempt_id))).all())
    if answers_too:
        withheld = score.c.answers_released_at.is_(None)
        shown = update(score).where(of_exam, withheld)
        shown = shown.values(answers_released_at=func.clock_timestamp())
        counts[1] = len((await tx.execute(shown.returning(score.c.attempt_id))).all())
    return counts[0], counts[1]


async def list_scores(
    tx: AsyncSession,
    learner_ids: Collection[UUID],
    course: str | None,
    *,
    released_only: bool,
) -> list[ExamScore]:
    """Scores of these learners, newest first, of one course or of all."""
    statement = (
        select(
            score,
            exam.c.name.label("exam"),
            exam.c.title,
            attempt.c.number,
            attempt.c.enrolment_id,
        )
        .join(attempt, attempt.c.id == score.c.attempt_id)
        .join(exam, exam.c.id == score.c.exam_id)
        .where(score.c.learner_id.in_(learner_ids))
        .order_by(score.c.graded_at.desc(), score.c.attempt_id)
    )
    if course is not None:
        statement = statement.where(score.c.course == course)
    if released_only:
        statement = statement.where(score.c.released_at.is_not(None))
    return [
        ExamScore(
            _score(row),
            row.exam_id,
            row.exam,
            row.title,
            row.course,
            row.learner_id,
            row.enrolment_id,
            row.number,
        )
        for row in await tx.execute(statement)
    ]


def _score(row: Row[Any]) -> Score:
    return Score(
        attempt_id=row.attempt_id,
        run=row.run,
        points=row.points,
        max_points=row.max_points,
        passed=row.passed,
        graded_at=row.graded_at,
        release_due_at=row.release_due_at,
        released_at=row.released_at,
        answers_released_at=row.answers_released_at,
    )
