"""Routes for graders: answers that wait for a person, decisions, overrides, and voided attempts."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from kourse.assessment.schemas.reviewing import (
    AnswerSheet,
    PointsOrder,
    QueuedView,
    ReviewOrder,
    VoidOrder,
)
from kourse.assessment.schemas.taking import AttemptSummary
from kourse.assessment.service import extending, reviewing, teaching
from kourse.contracts.errors import Malformed
from kourse.contracts.permissions import Permission
from kourse.contracts.resources.meta import Name
from kourse.kit.auth import Actor, allow
from kourse.kit.auth.scope import cohorts_within
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit, Page
from kourse.kit.idempotency import IdempotencyKey, idempotency

router = APIRouter(tags=["teaching"])
Grader = Annotated[Actor, allow(Permission.ATTEMPT_GRADE, scoped=True)]
Key = Annotated[IdempotencyKey, idempotency()]
MAX_SLOT = 10_000
Slot = Annotated[int, Path(ge=1, le=MAX_SLOT)]
_REVIEW = "/v1/attempts/{attempt_id}/reviews/{slot}"


@router.get("/v1/exams/{exam}/reviews", summary="What waits for a grader")
async def list_reviews(
    actor: Grader,
    tx: Transaction,
    exam: Name,
    cohort: Annotated[Name | None, Query(description="Only of this cohort.")] = None,
    waiting: Annotated[
        bool | None, Query(description="Only what waits, or only what is decided.")
    ] = None,
    limit: Limit = 20,
    after: After = None,
) -> Page[QueuedView]:
    """Answers of the learners whom you may grade that a person has to judge, by attempt and slot."""
    found = await teaching.get_exam(tx, exam)
    cohorts = cohorts_within(actor, Permission.ATTEMPT_GRADE, found.course, cohort)
    queued = await reviewing.list_reviews(
        tx, found.id, cohorts=cohorts, waiting=waiting, after=_place(after), limit=limit + 1
    )
    shown, following = Cursor.page(queued, limit, key=lambda one: (one.attempt_id, one.slot))
    return Page(items=[QueuedView.of(one) for one in shown], next=following)


@router.get(_REVIEW, summary="An answer to grade")
async def read_review(actor: Grader, tx: Transaction, attempt_id: UUID, slot: Slot) -> AnswerSheet:
    """The question with its rubric, the learner's answer, and everything that was decided of it."""
    return AnswerSheet.laid(await reviewing.read(tx, actor, attempt_id, slot))


@router.put(f"{_REVIEW}/claim", summary="Claim an answer")
async def claim_review(
    actor: Grader, tx: Transaction, key: Key, attempt_id: UUID, slot: Slot
) -> AnswerSheet:
    """Nobody else can grade the answer for 15 minutes; claiming again begins them anew."""
    sheet = await reviewing.claim(tx, actor, attempt_id, slot)
    return await key.remember(tx, 200, AnswerSheet.laid(sheet))


@router.delete(f"{_REVIEW}/claim", status_code=204, summary="Give an answer back")
async def unclaim_review(actor: Grader, tx: Transaction, attempt_id: UUID, slot: Slot) -> None:
    """Others can claim the answer."""
    await reviewing.unclaim(tx, actor, attempt_id, slot)


@router.put(f"{_REVIEW}/grade", summary="Grade an answer")
async def grade_review(
    actor: Grader, tx: Transaction, key: Key, attempt_id: UUID, slot: Slot, body: ReviewOrder
) -> AnswerSheet:
    """Judges the answer by its rubric; the attempt is graded once nothing of it waits any more."""
    sheet = await reviewing.decide(
        tx, actor, attempt_id, slot, seen=body.seen, marks=body.given(), comment=body.comment
    )
    return await key.remember(tx, 200, AnswerSheet.laid(sheet))


@router.put(f"{_REVIEW}/override", summary="Set points by hand")
async def override_points(
    actor: Grader, tx: Transaction, key: Key, attempt_id: UUID, slot: Slot, body: PointsOrder
) -> AnswerSheet:
    """These points count for the question, of any type; the reason is kept in the audit trail."""
    sheet = await reviewing.override(
        tx,
        actor,
        attempt_id,
        slot,
        seen=body.seen,
        points=Fraction(body.points),
        reason=body.reason,
    )
    return await key.remember(tx, 200, AnswerSheet.laid(sheet))


@router.post("/v1/attempts/{attempt_id}/voiding", summary="Void an attempt")
async def void_attempt(
    actor: Grader, tx: Transaction, key: Key, attempt_id: UUID, body: VoidOrder
) -> AttemptSummary:
    """The attempt counts no more, in no grade and no mastery, and the learner may have another."""
    voided = await extending.void(tx, actor, attempt_id, body.reason)
    return await key.remember(tx, 200, AttemptSummary.of(voided))


def _place(after: str | None) -> tuple[UUID, int] | None:
    key = Cursor.decode(after, 2)
    try:
        return None if key is None else (UUID(str(key[0])), int(key[1]))
    except ValueError:
        raise Malformed("`after` is not a cursor of this list.") from None
