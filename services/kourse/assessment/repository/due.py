"""What has come due in any tenant, found under the worker role; acted on per tenant, elsewhere."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import AttemptState
from kourse.assessment.domain.regrades import RegradeState
from kourse.assessment.tables import attempt, course_replica, exam, judging, regrade, score

BATCH = 200
"""Most things found at a time; the rest comes in the next round."""

Found = tuple[str, UUID]
"""A tenant and the id of what is due."""


async def list_overdue(tx: AsyncSession, grace: timedelta) -> list[Found]:
    """Attempts in progress whose deadline and grace are over, longest overdue first."""
    return await _found(
        tx,
        select(attempt.c.tenant, attempt.c.id)
        .where(
            attempt.c.state == AttemptState.IN_PROGRESS,
            attempt.c.deadline_at < func.clock_timestamp() - grace,
        )
        .order_by(attempt.c.deadline_at),
    )


async def list_ungraded(tx: AsyncSession, patience: timedelta) -> list[Found]:
    """Submitted attempts that no grader took up in time, oldest first; not those before the judge."""
    before_judge = (
        select(judging.c.attempt_id)
        .where(judging.c.attempt_id == attempt.c.id, judging.c.judged_at.is_(None))
        .exists()
    )
    return await _found(
        tx,
        select(attempt.c.tenant, attempt.c.id)
        .where(
            attempt.c.state == AttemptState.SUBMITTED,
            attempt.c.submitted_at < func.clock_timestamp() - patience,
            ~before_judge,
        )
        .order_by(attempt.c.submitted_at),
    )


async def list_release_due(tx: AsyncSession) -> list[Found]:
    """Attempts whose score learners may see from now on, longest due first."""
    return await _found(
        tx,
        select(score.c.tenant, score.c.attempt_id)
        .where(score.c.released_at.is_(None), score.c.release_due_at <= func.clock_timestamp())
        .order_by(score.c.release_due_at),
    )


async def list_reaching(tx: AsyncSession) -> list[Found]:
    """Exams whose changed dates or limits are still to reach running attempts and scores."""
    return await _found(
        tx, select(exam.c.tenant, exam.c.id).where(exam.c.reach_pending).order_by(exam.c.id)
    )


async def list_regrading(tx: AsyncSession) -> list[Found]:
    """Regrades that are being applied."""
    return await _found(
        tx,
        select(regrade.c.tenant, regrade.c.id)
        .where(regrade.c.state == RegradeState.APPLYING.value)
        .order_by(regrade.c.id),
    )


async def list_refolding(tx: AsyncSession) -> list[Found]:
    """Courses whose learners' mastery is to be folded again."""
    return await _found(
        tx,
        select(course_replica.c.tenant, course_replica.c.course_id)
        .where(course_replica.c.refold_after.is_not(None))
        .order_by(course_replica.c.course_id),
    )


async def _found(tx: AsyncSession, statement: Select[str, UUID]) -> list[Found]:
    return [(row.tenant, row[1]) for row in await tx.execute(statement.limit(BATCH))]
