"""Attempts, their items and answers. The row of the attempt is the arbiter of every race.

A save takes it FOR SHARE, ending the attempt takes it FOR NO KEY UPDATE: the two exclude each other,
saves do not. All times are the database's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import Attempt, AttemptState, Cause, Item
from kourse.assessment.domain.presentation import Layout
from kourse.assessment.repository.questions import question_of
from kourse.assessment.tables import (
    answer,
    attempt,
    attempt_item,
    question_version,
)
from kourse.contracts.events import AttemptSubmitted
from kourse.kit import outbox


async def add_attempt(
    tx: AsyncSession, values: Mapping[str, Any], items: Sequence[Mapping[str, Any]]
) -> None:
    """The attempt is there with all of its items."""
    await tx.execute(insert(attempt).values(**values))
    await tx.execute(insert(attempt_item), list(items))


async def find_attempt(
    tx: AsyncSession, id_: UUID, *, learner_id: UUID | None = None, lock: bool = False
) -> Attempt | None:
    """The attempt, or None when there is none, or none of that learner; if asked locked."""
    statement = select(attempt).where(attempt.c.id == id_)
    if learner_id is not None:
        statement = statement.where(attempt.c.learner_id == learner_id)
    if lock:
        statement = statement.with_for_update(key_share=True)
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else attempt_from(row)


async def find_running(tx: AsyncSession, exam_id: UUID, learner_id: UUID) -> Attempt | None:
    """The learner's attempt that is not ended yet, or None."""
    row = (
        await tx.execute(
            select(attempt).where(
                attempt.c.exam_id == exam_id,
                attempt.c.learner_id == learner_id,
                attempt.c.state == AttemptState.IN_PROGRESS,
            )
        )
    ).one_or_none()
    return None if row is None else attempt_from(row)


async def count_started(tx: AsyncSession, learner_id: UUID, exam_id: UUID) -> int:
    """How many attempts at the exam the learner ever started, in any run of the course, voided ones too."""
    found = await tx.scalar(
        select(func.count()).where(attempt.c.learner_id == learner_id, attempt.c.exam_id == exam_id)
    )
    return int(found or 0)


async def list_attempts(
    tx: AsyncSession, enrolment_id: UUID, learner_id: UUID, exam_ids: Sequence[UUID]
) -> list[Attempt]:
    """The attempts at these exams within one enrolment, in order."""
    found = await tx.execute(
        select(attempt)
        .where(
            attempt.c.learner_id == learner_id,
            attempt.c.exam_id.in_(exam_ids),
            attempt.c.enrolment_id == enrolment_id,
        )
        .order_by(attempt.c.exam_id, attempt.c.number)
    )
    return [attempt_from(row) for row in found]


async def list_exam_attempts(
    tx: AsyncSession,
    exam_id: UUID,
    *,
    cohorts: Collection[str] | None,
    after: UUID | None,
    limit: int,
) -> list[Attempt]:
    """Attempts at an exam in the order in which they were started.

    Args:
        tx: The transaction.
        exam_id: The exam.
        cohorts: Only attempts of these cohorts; all when None.
        after: Only attempts after this one.
        limit: Most attempts.
    """
    statement = (
        select(attempt).where(attempt.c.exam_id == exam_id).order_by(attempt.c.id).limit(limit)
    )
    if cohorts is not None:
        statement = statement.where(attempt.c.cohort.in_(cohorts))
    if after is not None:
        statement = statement.where(attempt.c.id > after)
    return [attempt_from(row) for row in await tx.execute(statement)]


async def list_items(tx: AsyncSession, attempt_id: UUID) -> list[Item]:
    """The items of an attempt in order of slot, each with the answer stored last."""
    found = await tx.execute(
        select(
            attempt_item.c.slot,
            attempt_item.c.zone,
            attempt_item.c.question_id,
            attempt_item.c.question_version_id,
            attempt_item.c.points,
            attempt_item.c.layout,
            question_version.c.body.label("question"),
            func.coalesce(answer.c.seq, 0).label("seq"),
            answer.c.body.label("answer"),
        )
        .join(question_version, question_version.c.id == attempt_item.c.question_version_id)
        .outerjoin(
            answer,
            (answer.c.attempt_id == attempt_item.c.attempt_id)
            & (answer.c.slot == attempt_item.c.slot),
        )
        .where(attempt_item.c.attempt_id == attempt_id)
        .order_by(attempt_item.c.slot)
    )
    return [
        Item(
            slot=row.slot,
            zone=row.zone,
            question_id=row.question_id,
            question_version_id=row.question_version_id,
            points=row.points,
            layout=Layout.from_stored(row.layout),
            question=question_of(row.question_version_id, row.question),
            seq=row.seq,
            answer=row.answer,
        )
        for row in found
    ]


async def list_answers(tx: AsyncSession, attempt_id: UUID) -> list[tuple[int, int, Any]]:
    """Slot, number and body of every answer stored, in order of slot."""
    found = await tx.execute(
        select(answer.c.slot, answer.c.seq, answer.c.body)
        .where(answer.c.attempt_id == attempt_id)
        .order_by(answer.c.slot)
    )
    return [(row.slot, row.seq, row.body) for row in found]


async def end_attempt(
    tx: AsyncSession, known: Attempt, cause: Cause, submitted_at: datetime | None = None
) -> bool:
    """Submits the attempt if it is in progress; False when somebody else ended it before.

    The clock ends it only while its deadline is the one that was seen to be over: an extension given
    meanwhile wins.

    Args:
        tx: The transaction.
        known: The attempt as it was read.
        cause: Who ends it.
        submitted_at: When it counts as submitted; the database's time when None.
    """
    statement = update(attempt).where(
        attempt.c.id == known.id, attempt.c.state == AttemptState.IN_PROGRESS
    )
    if cause is Cause.CLOCK:
        statement = statement.where(attempt.c.deadline_at == known.deadline_at)
    ended = await tx.execute(
        statement.values(
            state=AttemptState.SUBMITTED.value,
            cause=cause.value,
            submitted_at=submitted_at or func.clock_timestamp(),
            version=attempt.c.version + 1,
        ).returning(attempt.c.id)
    )
    return ended.one_or_none() is not None


_SEAL = outbox.Change(
    update(attempt)
    .where(attempt.c.id == bindparam("attempt"))
    .values(answers_digest=bindparam("digest"))
)


async def seal_answers(tx: AsyncSession, digest: str, event: AttemptSubmitted) -> None:
    """The digest of the answers that will be graded is kept with the attempt, and the event tells of it."""
    await outbox.write(tx, _SEAL, {"attempt": event.attempt_id, "digest": digest}, event)


async def mark_graded(tx: AsyncSession, id_: UUID, run: int) -> None:
    """The attempt is graded by this run."""
    await tx.execute(
        update(attempt)
        .where(attempt.c.id == id_)
        .values(state=AttemptState.GRADED.value, run=run, version=attempt.c.version + 1)
    )


async def set_state(tx: AsyncSession, id_: UUID, state: AttemptState) -> None:
    """The attempt, which is ended, stands there."""
    await tx.execute(
        update(attempt)
        .where(attempt.c.id == id_)
        .values(
            state=state.value,
            submitted_at=func.coalesce(attempt.c.submitted_at, func.clock_timestamp()),
            version=attempt.c.version + 1,
        )
    )


async def list_running(tx: AsyncSession, exam_id: UUID) -> list[Attempt]:
    """The attempts at an exam that are not ended yet."""
    found = await tx.execute(
        select(attempt).where(
            attempt.c.exam_id == exam_id, attempt.c.state == AttemptState.IN_PROGRESS
        )
    )
    return [attempt_from(row) for row in found]


async def set_deadline(tx: AsyncSession, id_: UUID, deadline_at: datetime | None) -> None:
    """The running attempt ends then."""
    await tx.execute(
        update(attempt)
        .where(attempt.c.id == id_, attempt.c.state == AttemptState.IN_PROGRESS)
        .values(deadline_at=deadline_at, version=attempt.c.version + 1)
    )


def attempt_from(row: Row[Any]) -> Attempt:
    """The attempt of a row."""
    return Attempt(
        id=row.id,
        exam_id=row.exam_id,
        exam_version_id=row.exam_version_id,
        learner_id=row.learner_id,
        enrolment_id=row.enrolment_id,
        course=row.course,
        cohort=row.cohort,
        number=row.number,
        seed=row.seed,
        state=AttemptState(row.state),
        started_at=row.started_at,
        deadline_at=row.deadline_at,
        submitted_at=row.submitted_at,
        cause=None if row.cause is None else Cause(row.cause),
        run=row.run,
        version=row.version,
    )
