"""Taking an exam: start, save, submit, and the clock that ends what its learner left open.

The server's clock decides, which is the database's. Races are decided by the attempt's row: whoever ends
it first wins, everybody else reads what became of it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain import entry, exams, presentation
from kourse.assessment.domain.exams import ExamContent, Slot, pools_named
from kourse.assessment.domain.facts import Attempt, AttemptState, Cause, Sitting
from kourse.assessment.errors import (
    AttemptClosed,
    ExamIncomplete,
    InvalidAnswer,
    StaleAnswer,
)
from kourse.assessment.repository import attempts, content, saving
from kourse.assessment.repository.saving import Asked
from kourse.assessment.service import files
from kourse.assessment.service.access import Admission, admit, get_course, get_own_attempt
from kourse.contracts.errors import NotFound
from kourse.contracts.events import AttemptStarted, AttemptSubmitted
from kourse.contracts.resources.exam import Shuffle
from kourse.contracts.resources.pool import Question, QuestionType
from kourse.kit import faults, outbox
from kourse.kit.clock import database_now
from kourse.kit.ids import new_id
from kourse.rules import timing
from kourse.rules.drawing import TooFewQuestions
from kourse.rules.grading import AnswerMismatch

SEED_BYTES = 16
EXPIRY_GRACE = timing.SAVING_GRACE + timedelta(seconds=2)
"""After its deadline an attempt is ended for its learner; saves that came in time have landed by then."""


async def start(tx: AsyncSession, learner_id: UUID, exam_name: str) -> tuple[Sitting, bool]:
    """The learner's running attempt, and whether it was started just now.

    Its questions, their order and its deadline are fixed from here on.

    Raises:
        NotFound: There is no such exam for this learner.
        ExamClosed: It is over.
        AttemptsUsedUp: No attempt is left.
        ExamIncomplete: The pools have lost questions that the exam needs.
    """
    admission = await admit(tx, learner_id, exam_name, lock=True)
    exam = admission.exam
    running = await attempts.find_running(tx, exam.id, learner_id)
    if running is not None and not await _expire_if_overdue(tx, running):
        return await sitting_of(tx, running), False
    now = await database_now(tx)
    taken = await attempts.list_attempts(tx, admission.enrolment.id, learner_id, [exam.id])
    if refusals := entry.obstacles(admission.terms, entry.used(taken), now):
        raise refusals[0]
    number = await attempts.count_started(tx, learner_id, exam.id) + 1
    id_ = await _begin(tx, admission, number, now)
    sitting = await sitting_of(tx, await get_own_attempt(tx, learner_id, id_))
    for item in sitting.items:
        asked = Asked(item.layout, item.question)
        saving.remember(tx, id_, learner_id, item.slot, asked)
    return sitting, True


async def read(tx: AsyncSession, learner_id: UUID, attempt_id: UUID) -> Sitting:
    """The learner's attempt as it stands; one whose time is over is ended first.

    Raises:
        NotFound: There is none of theirs with this id.
    """
    attempt = await get_own_attempt(tx, learner_id, attempt_id)
    if await _expire_if_overdue(tx, attempt):
        attempt = await get_own_attempt(tx, learner_id, attempt_id)
    return await sitting_of(tx, attempt)


async def save(
    tx: AsyncSession,
    learner_id: UUID,
    attempt_id: UUID,
    slot: int,
    seq: int,
    payload: Mapping[str, Any] | None,
) -> datetime:
    """Stores an answer, or clears it; returns when it was received.

    Sending the same again is fine. Of several tabs the one with the highest ``seq`` wins.

    Args:
        tx: The transaction.
        learner_id: Whose attempt.
        attempt_id: The attempt.
        slot: The slot, from 1.
        seq: The client's number of this answer; higher than any before for this slot.
        payload: The answer by opaque ids, or None to clear it.

    Raises:
        NotFound: There is no such slot in an attempt of theirs.
        AttemptClosed: It was submitted, or its time and grace are over.
        InvalidAnswer: The answer does not fit the question.
        StaleAnswer: A newer answer is stored.
    """
    saved_at = await _save_at_once(tx, learner_id, attempt_id, slot, seq, payload)
    if saved_at is not None:
        return saved_at
    found = await saving.find_writable(tx, attempt_id, learner_id, slot)
    if found is None:
        raise NotFound("There is no such question in an attempt of yours.")
    if found.attempt.state is not AttemptState.IN_PROGRESS:
        raise AttemptClosed("The attempt is submitted; answers cannot be changed any more.")
    if not timing.accepts_work(found.attempt.deadline_at, found.received_at):
        raise AttemptClosed("The time is over; answers cannot be changed any more.")
    body = _stored_answer(found.asked, payload)
    if body is not None and found.asked.question.type is QuestionType.FILE:
        body = await files.fixed(tx, attempt_id, slot, body)
    if not await saving.save_answer(tx, attempt_id, slot, seq, body):
        stored = await saving.get_answer(tx, attempt_id, slot)
        if (stored.seq, stored.body) != (seq, body):
            raise StaleAnswer(stored.seq, _shown_answer(found.asked, stored.body))
    return found.received_at


async def submit(tx: AsyncSession, learner_id: UUID, attempt_id: UUID) -> Attempt:
    """The learner's attempt, submitted now or before; the same when called again.

    After deadline and grace it counts as ended by the clock.

    Raises:
        NotFound: There is none of theirs with this id.
    """
    attempt = await get_own_attempt(tx, learner_id, attempt_id)
    if attempt.state is AttemptState.IN_PROGRESS:
        now = await database_now(tx)
        if timing.accepts_work(attempt.deadline_at, now):
            await _end(tx, attempt, Cause.LEARNER, None)
        else:
            await _end(tx, attempt, Cause.CLOCK, attempt.deadline_at)
        attempt = await get_own_attempt(tx, learner_id, attempt_id)
    return attempt


async def expire(tx: AsyncSession, attempt_id: UUID) -> bool:
    """Ends the attempt if its time and grace are over; whether it is over now."""
    attempt = await attempts.find_attempt(tx, attempt_id)
    return attempt is not None and await _expire_if_overdue(tx, attempt)


async def sitting_of(tx: AsyncSession, attempt: Attempt) -> Sitting:
    """The attempt with its exam, its version's content, its questions and its answers."""
    return Sitting(
        attempt,
        await content.get_exam(tx, attempt.exam_id),
        await content.get_exam_content(tx, attempt.exam_version_id),
        tuple(await attempts.list_items(tx, attempt.id)),
    )


async def _begin(tx: AsyncSession, admission: Admission, number: int, now: datetime) -> UUID:
    exam, seed, id_ = admission.exam, secrets.token_bytes(SEED_BYTES), new_id()
    made_of = await content.get_exam_content(tx, exam.version_id)
    slots = await _drawn(tx, admission, made_of, seed)
    values = {
        "id": id_,
        "tenant": tx.info["tenant"],
        "exam_id": exam.id,
        "exam_version_id": exam.version_id,
        "learner_id": admission.enrolment.learner_id,
        "enrolment_id": admission.enrolment.id,
        "course": exam.course,
        "cohort": admission.enrolment.cohort,
        "number": number,
        "seed": seed,
        "state": AttemptState.IN_PROGRESS.value,
        "started_at": now,
        "deadline_at": admission.terms.deadline(now),
    }
    bodies = await content.list_bodies(tx, [slot.version_id for slot in slots])
    shuffle = made_of.shuffle in {Shuffle.OPTIONS, Shuffle.ALL}
    items = [_item(values, slot, bodies[slot.version_id], seed, shuffle=shuffle) for slot in slots]
    await attempts.add_attempt(tx, values, items)
    await outbox.emit(
        tx,
        AttemptStarted(
            attempt_id=id_,
            exam_id=exam.id,
            exam=exam.name,
            course_id=admission.course.id,
            course=admission.course.name,
            cohort=admission.enrolment.cohort,
            learner_id=admission.enrolment.learner_id,
            number=number,
            deadline_at=values["deadline_at"],
        ),
    )
    return id_


async def _drawn(
    tx: AsyncSession, admission: Admission, made_of: ExamContent, seed: bytes
) -> Sequence[Slot]:
    labels = {draw.pool_label for zone in made_of.zones for draw in zone.draws if draw.pool_label}
    available = await content.list_drawable(tx, admission.exam.course, pools_named(made_of), labels)
    try:
        return exams.composed(made_of, available, seed)
    except TooFewQuestions:
        raise ExamIncomplete(
            "Questions of this exam were removed; its author has to look at it."
        ) from None


def _item(
    attempt: Mapping[str, Any], slot: Slot, question: Question, seed: bytes, *, shuffle: bool
) -> dict[str, Any]:
    layout = presentation.layout_of(question, seed, str(slot.number), shuffle=shuffle)
    return {
        "attempt_id": attempt["id"],
        "slot": slot.number,
        "tenant": attempt["tenant"],
        "zone": slot.zone,
        "question_id": slot.question_id,
        "question_version_id": slot.version_id,
        "points": slot.points,
        "layout": layout.stored(),
    }


async def _expire_if_overdue(tx: AsyncSession, attempt: Attempt) -> bool:
    """Whether the attempt was in progress and is over now, ended here or by somebody else."""
    if attempt.state is not AttemptState.IN_PROGRESS or attempt.deadline_at is None:
        return False
    if await database_now(tx) <= attempt.deadline_at + EXPIRY_GRACE:
        return False
    await _end(tx, attempt, Cause.CLOCK, attempt.deadline_at)
    found = await attempts.find_attempt(tx, attempt.id)
    return found is not None and found.state is not AttemptState.IN_PROGRESS


async def _end(
    tx: AsyncSession, attempt: Attempt, cause: Cause, submitted_at: datetime | None
) -> None:
    """Ends the attempt unless somebody else just did, and tells of it in the same transaction."""
    if not await attempts.end_attempt(tx, attempt, cause, submitted_at):
        return
    await faults.point("attempt.ended")
    answers = await attempts.list_answers(tx, attempt.id)
    digest = hashlib.sha256(orjson.dumps(answers, option=orjson.OPT_SORT_KEYS)).hexdigest()
    exam = await content.get_exam(tx, attempt.exam_id)
    course = await get_course(tx, exam.course)
    await attempts.seal_answers(
        tx,
        digest,
        AttemptSubmitted(
            attempt_id=attempt.id,
            exam_id=exam.id,
            exam=exam.name,
            course_id=course.id,
            course=course.name,
            cohort=attempt.cohort,
            learner_id=attempt.learner_id,
            cause=cause.value,
            title=exam.title,
        ),
    )
    await faults.point("attempt.sealed")


async def _save_at_once(
    tx: AsyncSession,
    learner_id: UUID,
    attempt_id: UUID,
    slot: int,
    seq: int,
    payload: Mapping[str, Any] | None,
) -> datetime | None:
    """Stores what there is nothing to say against; None, with nothing done, where there may be."""
    asked = saving.remembered(tx, attempt_id, learner_id, slot)
    if asked is None or asked.question.type is QuestionType.FILE:
        return None
    try:
        body = _stored_answer(asked, payload)
    except InvalidAnswer:
        return None
    return await saving.save_where_it_runs(tx, attempt_id, learner_id, slot, seq, body)


def _stored_answer(asked: Asked, payload: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if payload is None:
        return None
    try:
        return presentation.received(asked.question, asked.layout, payload).model_dump()
    except AnswerMismatch as mismatch:
        raise InvalidAnswer(f"{mismatch}.") from None


def _shown_answer(asked: Asked, stored: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if stored is None else presentation.returned(asked.question, asked.layout, stored)
