"""Attempts that can be given more time, and reopening those that have just run out."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import Attempt, AttemptState, Cause
from kourse.assessment.repository.attempts import attempt_from
from kourse.assessment.tables import attempt, enrolment_replica


async def list_extendable(
    tx: AsyncSession,
    exam_id: UUID,
    *,
    ended_after: datetime,
    cohorts: Collection[str] | None,
    learner_id: UUID | None,
) -> list[Attempt]:
    """Attempts with a deadline that run, or that the clock ended for want of a later deadline; locked.

    One that ended comes only while its learner has begun no other.

    Args:
        tx: The transaction.
        exam_id: The exam.
        ended_after: Ended attempts only with a deadline after that.
        cohorts: Only attempts of these cohorts; all when None.
        learner_id: Only this learner's; everybody's when None.
    """
    whose = select(attempt.c.enrolment_id).where(*_of(exam_id, cohorts, learner_id))
    e = enrolment_replica.c
    # As a start does, so that none begins between the look for another attempt and the reopening.
    await tx.execute(
        select(e.enrolment_id)
        .where(e.enrolment_id.in_(whose))
        .order_by(e.enrolment_id)
        .with_for_update()
    )
    later = attempt.alias("later")
    ran_out = (
        (attempt.c.cause == Cause.CLOCK)
        & attempt.c.state.in_(
            [AttemptState.SUBMITTED, AttemptState.UNDER_REVIEW, AttemptState.GRADED]
        )
        & (attempt.c.deadline_at > ended_after)
        & ~exists().where(
            later.c.exam_id == attempt.c.exam_id,
            later.c.learner_id == attempt.c.learner_id,
            later.c.number > attempt.c.number,
        )
    )
    statement = (
        select(attempt)
        .where(
            *_of(exam_id, cohorts, learner_id),
            attempt.c.deadline_at.is_not(None),
            (attempt.c.state == AttemptState.IN_PROGRESS) | ran_out,
        )
        .order_by(attempt.c.id)
        .with_for_update(key_share=True)
    )
    return [attempt_from(row) for row in await tx.execute(statement)]


def _of(
    exam_id: UUID, cohorts: Collection[str] | None, learner_id: UUID | None
) -> list[ColumnElement[bool]]:
    conditions = [attempt.c.exam_id == exam_id]
    if cohorts is not None:
        conditions.append(attempt.c.cohort.in_(cohorts))
    if learner_id is not None:
        conditions.append(attempt.c.learner_id == learner_id)
    return conditions


async def reopen(tx: AsyncSession, id_: UUID, deadline_at: datetime) -> None:
    """The attempt is in progress until then, as if it had never been ended."""
    await tx.execute(
        update(attempt)
        .where(attempt.c.id == id_)
        .values(
            state=AttemptState.IN_PROGRESS.value,
            deadline_at=deadline_at,
            submitted_at=None,
            cause=None,
            answers_digest=None,
            version=attempt.c.version + 1,
        )
    )
