"""What people decided of answers, and which answers wait for a person."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import Attempt
from kourse.assessment.domain.marking import Basis, Decision
from kourse.assessment.tables import answer, decision, review
from kourse.rules.rubric import Mark

NOW = func.clock_timestamp()


@dataclass(frozen=True, slots=True)
class Review:
    """An answer that waits for a person, or did.

    Attributes:
        claimed_by: Who is at it, until ``claimed_until``; None when nobody ever was.
        decided_at: When it was decided, or None while it waits.
    """

    attempt_id: UUID
    slot: int
    exam_id: UUID
    cohort: str | None
    requested_at: datetime
    claimed_by: UUID | None
    claimed_until: datetime | None
    decided_at: datetime | None


async def request_reviews(tx: AsyncSession, attempt: Attempt, slots: Iterable[int]) -> None:
    """These slots of the attempt wait for a person; unclaimed, also if they waited before."""
    statement = insert(review)
    fresh = {"requested_at": NOW, "claimed_by": None, "claimed_until": None, "decided_at": None}
    await tx.execute(
        statement.on_conflict_do_update(index_elements=["attempt_id", "slot"], set_=fresh),
        [
            {
                "attempt_id": attempt.id,
                "slot": slot,
                "tenant": tx.info["tenant"],
                "exam_id": attempt.exam_id,
                "cohort": attempt.cohort,
                "requested_at": attempt.submitted_at,
            }
            for slot in slots
        ],
    )


async def withdraw_reviews(tx: AsyncSession, attempt_id: UUID) -> None:
    """Nothing of the attempt waits for a person any more."""
    await tx.execute(delete(review).where(review.c.attempt_id == attempt_id))


async def find_review(tx: AsyncSession, attempt_id: UUID, slot: int) -> Review | None:
    """The review of a slot, or None when its answer never needed one."""
    statement = select(review).where(review.c.attempt_id == attempt_id, review.c.slot == slot)
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else _review(row)


async def list_reviews(
    tx: AsyncSession,
    exam_id: UUID,
    *,
    cohorts: Collection[str] | None,
    waiting: bool | None,
    after: tuple[UUID, int] | None,
    limit: int,
) -> list[Review]:
    """Reviews of an exam by attempt and slot.

    Args:
        tx: The transaction.
        exam_id: The exam.
        cohorts: Only of these cohorts; of everybody when None.
        waiting: Only those that wait, or only those that are decided; all when None.
        after: Only reviews after this attempt and slot.
        limit: Most reviews.
    """
    statement = select(review).where(review.c.exam_id == exam_id)
    if cohorts is not None:
        statement = statement.where(review.c.cohort.in_(cohorts))
    if waiting is not None:
        decided = review.c.decided_at
        statement = statement.where(decided.is_(None) if waiting else decided.is_not(None))
    place = tuple_(review.c.attempt_id, review.c.slot)
    if after is not None:
        statement = statement.where(place > after)
    found = await tx.execute(statement.order_by(review.c.attempt_id, review.c.slot).limit(limit))
    return [_review(row) for row in found]


async def claim(
    tx: AsyncSession, attempt_id: UUID, slot: int, grader_id: UUID, lease: timedelta
) -> Review | None:
    """The review, the grader's own for so long; None while it is somebody else's, or decided."""
    row = (
        await tx.execute(
            update(review)
            .where(
                review.c.attempt_id == attempt_id,
                review.c.slot == slot,
                review.c.decided_at.is_(None),
                review.c.claimed_until.is_(None)
                | (review.c.claimed_until < NOW)
                | (review.c.claimed_by == grader_id),
            )
            .values(claimed_by=grader_id, claimed_until=NOW + lease)
            .returning(review)
        )
    ).one_or_none()
    return None if row is None else _review(row)


async def unclaim(tx: AsyncSession, attempt_id: UUID, slot: int, grader_id: UUID) -> None:
    """The review is free for others, if it was this grader's."""
    await tx.execute(
        update(review)
        .where(
            review.c.attempt_id == attempt_id,
            review.c.slot == slot,
            review.c.claimed_by == grader_id,
        )
        .values(claimed_by=None, claimed_until=None)
    )


async def close_review(tx: AsyncSession, attempt_id: UUID, slot: int) -> None:
    """The slot waits for nobody, if it did."""
    await tx.execute(
        update(review)
        .where(review.c.attempt_id == attempt_id, review.c.slot == slot)
        .values(decided_at=NOW, claimed_by=None, claimed_until=None)
    )


async def add_decision(tx: AsyncSession, attempt_id: UUID, one: Decision) -> None:
    """The decision is kept; it is the newest of its slot."""
    await tx.execute(
        insert(decision).values(
            attempt_id=attempt_id,
            slot=one.slot,
            number=one.number,
            tenant=tx.info["tenant"],
            kind=one.kind.value,
            seq=one.seq,
            question_version_id=one.version_id,
            marks=None if one.kind is Basis.OVERRIDE else _stored(one.marks),
            share=one.share,
            comment=one.comment,
            reason=one.reason,
            grader_id=one.grader_id,
            decided_at=one.decided_at,
        )
    )


async def list_decisions(tx: AsyncSession, attempt_id: UUID) -> list[Decision]:
    """Everything that was decided of an attempt, by slot, oldest first."""
    found = await tx.execute(
        select(decision)
        .where(decision.c.attempt_id == attempt_id)
        .order_by(decision.c.slot, decision.c.number)
    )
    return [_decision(row) for row in found]


async def list_counting(tx: AsyncSession, attempt_id: UUID) -> dict[int, Decision]:
    """By slot the newest decision, if it was about the answer that is stored now."""
    found = await tx.execute(
        select(decision)
        .outerjoin(
            answer,
            (answer.c.attempt_id == decision.c.attempt_id) & (answer.c.slot == decision.c.slot),
        )
        .where(
            decision.c.attempt_id == attempt_id,
            decision.c.seq == func.coalesce(answer.c.seq, 0),
        )
        .order_by(decision.c.slot, decision.c.number)
    )
    return {row.slot: _decision(row) for row in found}


def _review(row: Row[Any]) -> Review:
    return Review(
        attempt_id=row.attempt_id,
        slot=row.slot,
        exam_id=row.exam_id,
        cohort=row.cohort,
        requested_at=row.requested_at,
        claimed_by=row.claimed_by,
        claimed_until=row.claimed_until,
        decided_at=row.decided_at,
    )


def _decision(row: Row[Any]) -> Decision:
    return Decision(
        slot=row.slot,
        number=row.number,
        kind=Basis(row.kind),
        seq=row.seq,
        version_id=row.question_version_id,
        marks=_marks(row.marks or {}),
        share=row.share,
        comment=row.comment,
        reason=row.reason,
        grader_id=row.grader_id,
        decided_at=row.decided_at,
    )


def _stored(marks: Mapping[str, Mark]) -> dict[str, dict[str, str]]:
    return {
        key: {"points": str(one.points)} if one.level is None else {"level": one.level}
        for key, one in marks.items()
    }


def _marks(stored: dict[str, dict[str, str]]) -> dict[str, Mark]:
    return {
        key: Mark(one.get("level"), Fraction(one["points"]) if "points" in one else None)
        for key, one in stored.items()
    }
