"""Regrading an exam after a key is corrected or a question voided: looked at first, then applied.

A plan pins the versions whose keys shall count, so what is applied is what was shown. Applying goes
through the graded attempts batch by batch, each in its own transaction, and can be interrupted anywhere.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from fractions import Fraction
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import Attempt, AttemptState, Exam, Sitting
from kourse.assessment.domain.marking import marking
from kourse.assessment.domain.regrades import Mode, Regrade, RegradeState, counts
from kourse.assessment.errors import RegradeUnderWay, UnknownQuestion
from kourse.assessment.repository import (
    attempts,
    content,
    corrections,
    decisions,
    judging,
    scores,
)
from kourse.assessment.service import grading, keys
from kourse.assessment.service.access import get_course
from kourse.assessment.service.attempts import sitting_of
from kourse.contracts.errors import NotFound
from kourse.contracts.events import ExamRegraded
from kourse.contracts.permissions import Permission
from kourse.contracts.resources.pool import QuestionType
from kourse.kit import outbox
from kourse.kit.audit.recording import record
from kourse.kit.auth import Actor
from kourse.kit.clock import database_now
from kourse.kit.ids import new_id

BATCH = 50
"""Attempts regraded in one transaction."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question of a pool that is to count by its newest key, or not to count at all."""

    pool: str
    question: str
    void: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What a regrade makes of an attempt.

    Attributes:
        before: Points of its newest run, exact.
        after: Points by the corrected keys.
        counts: Whether the attempt is given the points ``after``.
        slots: Slots that are judged otherwise.
        judging: Slots with a program that the judge has yet to run by the corrected tests; till then they
            are taken as they were.
        unmatched: Slots with a corrected question that offered other options; they stay as they are.
    """

    attempt: Attempt
    before: Fraction
    after: Fraction
    max_points: int
    counts: bool
    slots: tuple[int, ...]
    judging: tuple[int, ...]
    unmatched: tuple[int, ...]


def require_scope(actor: Actor, exam: Exam) -> None:
    """Returns when the actor may grade everybody in the exam.

    Raises:
        NotFound: They may not; the same as if there were none.
    """
    if not actor.holds(Permission.ATTEMPT_GRADE, course=exam.course):
        raise NotFound(f"There is no exam {exam.name!r} for you to regrade.")


async def plan(
    tx: AsyncSession, actor: Actor, exam: Exam, wanted: Collection[Wanted], mode: Mode, reason: str
) -> Regrade:
    """A regrade that can be looked at; no score changes. The judge begins with what corrected tests concern.

    Raises:
        UnknownQuestion: The course has no such question.
    """
    changes: dict[UUID, UUID | None] = {}
    programs: dict[UUID, UUID] = {}
    for one in wanted:
        known = await corrections.find_question(tx, one.pool, one.question, exam.course)
        if known is None:
            raise UnknownQuestion(f"There is no question {one.pool}/{one.question} in this exam.")
        changes[known.id] = None if one.void else known.version_id
        if known.type is QuestionType.CODE and not one.void:
            programs[known.id] = known.version_id
    planned = Regrade(
        id=new_id(),
        exam_id=exam.id,
        corrections=changes,
        mode=mode,
        reason=reason,
        actor_id=actor.user_id,
        state=RegradeState.PLANNED,
        after=None,
        examined=0,
        changed=0,
        planned_at=await database_now(tx),
        applied_at=None,
    )
    await corrections.add_regrade(tx, planned)
    await judging.request_for_exam(tx, exam.id, programs)
    return planned


async def read(
    tx: AsyncSession, actor: Actor, regrade_id: UUID, *, lock: bool = False
) -> tuple[Regrade, Exam]:
    """A regrade with its exam.

    Raises:
        NotFound: There is none for this grader.
    """
    found = await corrections.find_regrade(tx, regrade_id, lock=lock)
    if found is None:
        raise NotFound("There is no such regrade for you.")
    exam = await content.get_exam(tx, found.exam_id)
    if not actor.holds(Permission.ATTEMPT_GRADE, course=exam.course):
        raise NotFound("There is no such regrade for you.")
    return found, exam


async def preview(
    tx: AsyncSession, regrade: Regrade, *, after: UUID | None, limit: int
) -> list[Change]:
    """What the regrade would make of the exam's graded attempts as they are now, by their start."""
    found = await corrections.list_graded(tx, regrade.exam_id, after=after, limit=limit)
    return [(await _change(tx, await sitting_of(tx, one), regrade))[0] for one in found]


async def apply(tx: AsyncSession, actor: Actor, regrade_id: UUID) -> Regrade:
    """The corrections count from now on, and the attempts follow soon; again is fine. It is audited.

    Raises:
        NotFound: There is no such regrade for this grader.
        RegradeUnderWay: Another one of the exam is being applied.
    """
    regrade, exam = await read(tx, actor, regrade_id, lock=True)
    if regrade.state is not RegradeState.PLANNED:
        return regrade
    await content.lock_exam(tx, exam.id)
    if await corrections.is_regrading(tx, exam.id):
        raise RegradeUnderWay("Wait until the regrade that is under way has come to its end.")
    await corrections.save_standing(tx, exam.id, regrade.corrections)
    await corrections.set_regrade(tx, regrade.id, RegradeState.APPLYING)
    await record(
        tx,
        "exam.regrade",
        actor=actor.user_id,
        target=exam.id,
        detail={"regrade": str(regrade.id), "mode": regrade.mode.value, "reason": regrade.reason},
    )
    return replace(regrade, state=RegradeState.APPLYING)


async def advance(tx: AsyncSession, regrade_id: UUID) -> bool:
    """Regrades the next attempts of a regrade that is being applied; whether there was anything to do."""
    regrade = await corrections.find_regrade(tx, regrade_id, lock=True)
    if regrade is None or regrade.state is not RegradeState.APPLYING:
        return False
    found = await corrections.list_graded(tx, regrade.exam_id, after=regrade.after, limit=BATCH)
    done: list[bool] = []
    for one in found:
        counted = await _regrade(tx, one.id, regrade)
        if counted is None:
            break
        done.append(counted)
    over = len(done) == len(found) < BATCH
    changed = sum(done)
    await corrections.set_regrade(
        tx,
        regrade.id,
        RegradeState.APPLIED if over else RegradeState.APPLYING,
        after=found[len(done) - 1].id if done else None,
        examined=len(done),
        changed=changed,
    )
    if over:
        await _tell(tx, regrade, regrade.changed + changed)
    return True


async def _regrade(tx: AsyncSession, attempt_id: UUID, regrade: Regrade) -> bool | None:
    """Whether the attempt has another grade now; None where the judge has to run a program first."""
    attempt = await attempts.find_attempt(tx, attempt_id, lock=True)
    if attempt is None or attempt.state is not AttemptState.GRADED:
        return False
    sitting = await sitting_of(tx, attempt)
    change, result = await _change(tx, sitting, regrade)
    if change.judging:
        return None
    if change.counts:
        await grading.store(tx, sitting, result)
    return change.counts


async def _change(
    tx: AsyncSession, sitting: Sitting, regrade: Regrade
) -> tuple[Change, grading.Graded]:
    before = await scores.list_marks(tx, sitting.attempt.id, sitting.attempt.run)
    base = await keys.in_use(tx, sitting)
    used = await keys.corrected(tx, sitting, regrade.corrections, base)
    decided = await decisions.list_counting(tx, sitting.attempt.id)
    unjudged = grading.to_judge(sitting, used, decided)
    await judging.request(tx, unjudged)
    waiting = tuple(order.slot for order in unjudged)
    marks = {
        item.slot: before[item.slot]
        if item.slot in waiting
        else marking(item, used[item.slot], decided.get(item.slot))
        for item in sitting.items
    }
    old, new = grading.graded(sitting, before), grading.graded(sitting, marks)
    shares_before = {slot: one.share for slot, one in before.items()}
    shares_after = {slot: one.share for slot, one in marks.items()}
    change = Change(
        attempt=sitting.attempt,
        before=old.points,
        after=new.points,
        max_points=new.max_points,
        counts=counts(regrade.mode, old.points, new.points, shares_before, shares_after),
        slots=tuple(slot for slot, share in shares_after.items() if share != shares_before[slot]),
        judging=waiting,
        unmatched=tuple(
            item.slot
            for item in sitting.items
            if (version := regrade.corrections.get(item.question_id)) is not None
            and used[item.slot].version_id != version
        ),
    )
    return change, new


async def _tell(tx: AsyncSession, regrade: Regrade, changed: int) -> None:
    exam = await content.get_exam(tx, regrade.exam_id)
    course = await get_course(tx, exam.course)
    await outbox.emit(
        tx,
        ExamRegraded(
            exam_id=exam.id,
            exam=exam.name,
            course_id=course.id,
            course=course.name,
            changed=changed,
            actor_id=regrade.actor_id,
        ),
    )
