"""What people judge: the queue of answers that wait for them, claims, decisions and overrides.

A claim keeps two graders from the same answer; it is a lease, so a grader who goes home blocks nobody.
The attempt's row is locked by whoever decides, and what they say they saw must still be so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import AttemptState, Item, Sitting
from kourse.assessment.domain.marking import Basis, Decision, KeyUse, Marking, rubric_share
from kourse.assessment.errors import (
    ReviewMismatch,
    ReviewNotClaimed,
    ReviewStale,
    ReviewTaken,
)
from kourse.assessment.repository import attempts, decisions, files, scores
from kourse.assessment.repository.decisions import Review, list_reviews
from kourse.assessment.service import grading, keys
from kourse.assessment.service.attempts import sitting_of
from kourse.assessment.service.files import named_in
from kourse.contracts.errors import NotFound
from kourse.contracts.permissions import Permission
from kourse.kit.audit.recording import record
from kourse.kit.auth import Actor
from kourse.kit.clock import database_now
from kourse.rules.rubric import Mark, MarkMismatch

__all__ = [
    "Sheet",
    "claim",
    "decide",
    "list_reviews",
    "open_attempt",
    "override",
    "read",
    "read_files",
    "unclaim",
]

LEASE = timedelta(minutes=15)
"""How long a claim holds; claiming again begins it anew."""
ENDED = frozenset({AttemptState.SUBMITTED, AttemptState.UNDER_REVIEW, AttemptState.GRADED})


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a grader has before them.

    Attributes:
        item: The question with the learner's answer.
        key: Which version's rubric counts.
        review: Whether it waits, and who is at it; None where no person has to look at it.
        decided: Everything that was decided of the slot, oldest first.
        marking: How the newest run judged it, or None before the first.
    """

    sitting: Sitting
    item: Item
    key: KeyUse
    review: Review | None
    decided: tuple[Decision, ...]
    marking: Marking | None

    @property
    def number(self) -> int:
        """How many decisions there were; what a grader says they saw."""
        return len(self.decided)


async def read(
    tx: AsyncSession, actor: Actor, attempt_id: UUID, slot: int, *, lock: bool = False
) -> Sheet:
    """A slot of an ended attempt as a grader sees it.

    Raises:
        NotFound: There is none for this grader, or its learner is still at it.
    """
    sitting = await open_attempt(tx, actor, attempt_id, lock=lock)
    item = next((one for one in sitting.items if one.slot == slot), None)
    if item is None or sitting.attempt.state not in ENDED:
        raise NotFound("There is no such answer for you to grade.")
    used = await keys.in_use(tx, sitting)
    marks = await scores.list_marks(tx, attempt_id, sitting.attempt.run)
    decided = await decisions.list_decisions(tx, attempt_id)
    return Sheet(
        sitting=sitting,
        item=item,
        key=used[slot],
        review=await decisions.find_review(tx, attempt_id, slot),
        decided=tuple(one for one in decided if one.slot == slot),
        marking=marks.get(slot),
    )


async def open_attempt(
    tx: AsyncSession, actor: Actor, attempt_id: UUID, *, lock: bool = False
) -> Sitting:
    """An attempt that the actor may grade.

    Raises:
        NotFound: There is none.
    """
    attempt = await attempts.find_attempt(tx, attempt_id, lock=lock)
    may = Permission.ATTEMPT_GRADE
    if attempt is None or not actor.holds(may, course=attempt.course, cohort=attempt.cohort):
        raise NotFound("There is no such attempt for you.")
    return await sitting_of(tx, attempt)


async def read_files(
    tx: AsyncSession, actor: Actor, attempt_id: UUID, slot: int
) -> tuple[Sheet, list[Row[Any]]]:
    """The files that the answer of a slot names, for its grader; it is audited that they were read.

    Raises:
        NotFound: There is no such answer for this grader, or its learner is still at it.
    """
    sheet = await read(tx, actor, attempt_id, slot)
    named = named_in(sheet.item.answer)
    found = [row for row in await files.list_files(tx, attempt_id, slot) if str(row.id) in named]
    if found:
        ids = [str(row.id) for row in found]
        await record(
            tx,
            "answer-file.read",
            actor=actor.user_id,
            target=attempt_id,
            detail={"slot": slot, "files": ids},
        )
    return sheet, found


async def claim(tx: AsyncSession, actor: Actor, attempt_id: UUID, slot: int) -> Sheet:
    """The answer is this grader's for a while.

    Raises:
        NotFound: No such answer waits for this grader.
        ReviewTaken: Somebody else is at it, or it was decided.
    """
    sheet = await read(tx, actor, attempt_id, slot)
    if sheet.review is None:
        raise NotFound("There is no such answer for you to grade.")
    if await decisions.claim(tx, attempt_id, slot, actor.user_id, LEASE) is None:
        raise ReviewTaken("Somebody else is grading this answer, or has graded it.")
    return await read(tx, actor, attempt_id, slot)


async def unclaim(tx: AsyncSession, actor: Actor, attempt_id: UUID, slot: int) -> None:
    """The answer is free for others; nothing happens when it was not this grader's.

    Raises:
        NotFound: No such answer is there for this grader.
    """
    await read(tx, actor, attempt_id, slot)
    await decisions.unclaim(tx, attempt_id, slot, actor.user_id)


async def decide(
    tx: AsyncSession,
    actor: Actor,
    attempt_id: UUID,
    slot: int,
    *,
    seen: int,
    marks: Mapping[str, Mark],
    comment: str | None,
) -> Sheet:
    """The answer is judged by its rubric; the attempt is graded once nothing waits any more.

    An answer that was decided before is judged anew, in another run. The same decision again changes
    nothing.

    Args:
        tx: The transaction.
        actor: The grader.
        attempt_id: The attempt.
        slot: The slot.
        seen: How many decisions the grader saw.
        marks: By criterion of the rubric.
        comment: Words for the learner.

    Raises:
        NotFound: There is no such answer for this grader.
        ReviewNotClaimed: It waits, and the grader has not claimed it.
        ReviewStale: Somebody decided since they looked.
        ReviewMismatch: The marks do not fit the rubric.
    """
    sheet = await read(tx, actor, attempt_id, slot, lock=True)
    if sheet.review is None or sheet.key.voided:
        raise NotFound("There is no such answer for you to grade.")
    if not sheet.key.question.rubric:
        raise ReviewMismatch("The question has no rubric; set its points by hand.")
    try:
        share = rubric_share(sheet.key.question, marks)
    except MarkMismatch as mismatch:
        raise ReviewMismatch(str(mismatch)) from None
    decision = await _decision(tx, actor, sheet, Basis.RUBRIC, share, comment=comment, marks=marks)
    if _repeats(sheet, decision, seen):
        return sheet
    _require_seen(sheet, seen)
    await _require_claim(tx, sheet.review, actor)
    return await _settled(tx, actor, sheet, decision)


async def override(
    tx: AsyncSession,
    actor: Actor,
    attempt_id: UUID,
    slot: int,
    *,
    seen: int,
    points: Fraction,
    reason: str,
) -> Sheet:
    """These points count for the slot instead of what key or rubric come to; it is audited.

    Raises:
        NotFound: There is no such answer for this grader.
        ReviewStale: Somebody decided since they looked.
        ReviewMismatch: The slot has not so many points.
    """
    sheet = await read(tx, actor, attempt_id, slot, lock=True)
    most = sheet.item.points
    if points > most:
        raise ReviewMismatch(f"The question has {most} points.")
    share = points / most if most else Fraction(0)
    decision = await _decision(tx, actor, sheet, Basis.OVERRIDE, share, reason=reason)
    if _repeats(sheet, decision, seen):
        return sheet
    _require_seen(sheet, seen)
    await record(
        tx,
        "grade.override",
        actor=actor.user_id,
        target=attempt_id,
        detail={"slot": slot, "points": str(points), "reason": reason},
    )
    return await _settled(tx, actor, sheet, decision)


def _repeats(sheet: Sheet, wanted: Decision, seen: int) -> bool:
    """Whether the newest decision is this one, sent again."""
    if not sheet.decided or sheet.number != seen + 1:
        return False
    newest = sheet.decided[-1]
    return replace(wanted, number=newest.number, decided_at=newest.decided_at) == newest


def _require_seen(sheet: Sheet, seen: int) -> None:
    if seen != sheet.number:
        raise ReviewStale(sheet.number)


async def _require_claim(tx: AsyncSession, review: Review, actor: Actor) -> None:
    if review.decided_at is not None:
        return
    now = await database_now(tx)
    holds = review.claimed_until is not None and review.claimed_until >= now
    if review.claimed_by != actor.user_id or not holds:
        raise ReviewNotClaimed("Claim the answer first, so that nobody else grades it too.")


async def _decision(
    tx: AsyncSession,
    actor: Actor,
    sheet: Sheet,
    kind: Basis,
    share: Fraction,
    *,
    comment: str | None = None,
    reason: str | None = None,
    marks: Mapping[str, Mark] | None = None,
) -> Decision:
    return Decision(
        slot=sheet.item.slot,
        number=sheet.number + 1,
        kind=kind,
        seq=sheet.item.seq,
        version_id=sheet.key.version_id,
        marks=marks or {},
        share=share,
        comment=comment,
        reason=reason,
        grader_id=actor.user_id,
        decided_at=await database_now(tx),
    )


async def _settled(tx: AsyncSession, actor: Actor, sheet: Sheet, decision: Decision) -> Sheet:
    attempt = sheet.sitting.attempt
    await decisions.add_decision(tx, attempt.id, decision)
    await decisions.close_review(tx, attempt.id, decision.slot)
    await grading.settle(tx, sheet.sitting)
    return await read(tx, actor, attempt.id, decision.slot)
