"""More time for attempts that run or have just run out, and attempts that count no more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import Attempt, AttemptState, Exam
from kourse.assessment.errors import NothingToExtend
from kourse.assessment.repository import attempts, decisions, extensions, learning, scores
from kourse.assessment.service.access import get_course
from kourse.assessment.service.attempts import sitting_of
from kourse.assessment.service.grading import told
from kourse.assessment.service.mastery import refold
from kourse.assessment.service.results import answers_released
from kourse.assessment.service.reviewing import open_attempt
from kourse.contracts.events import AttemptExtended, AttemptVoided
from kourse.kit import outbox
from kourse.kit.audit.recording import record
from kourse.kit.auth import Actor
from kourse.kit.clock import database_now


async def extend(
    tx: AsyncSession,
    actor: Actor,
    exam: Exam,
    *,
    by: timedelta,
    cohorts: Collection[str] | None,
    learner_id: UUID | None,
) -> list[Attempt]:
    """Attempts at an exam end so much later; those that have run out meanwhile go on.

    All of it is one transaction: nobody is extended without being reopened and told. An attempt whose
    answers were shown stays closed. It is audited.

    Args:
        tx: The transaction.
        actor: Who grants it.
        exam: The exam.
        by: How much longer.
        cohorts: Only attempts of these cohorts; everybody's when None.
        learner_id: Only this learner's; everybody's when None.

    Returns:
        The attempts as they are now.

    Raises:
        NothingToExtend: No attempt runs, and none has run out within that time.
    """
    now = await database_now(tx)
    found = await extensions.list_extendable(
        tx, exam.id, ended_after=now - by, cohorts=cohorts, learner_id=learner_id
    )
    graded = await scores.list_attempt_scores(tx, [one.id for one in found])
    extended = []
    for attempt in found:
        score = graded.get(attempt.id)
        if score is not None and await answers_released(tx, exam, attempt, score):
            continue
        await _extend(tx, actor, attempt, by)
        extended.append(attempt.id)
    if not extended:
        raise NothingToExtend("No attempt is running, or has run out within that time.")
    await record(
        tx,
        "exam.extend",
        actor=actor.user_id,
        target=exam.id,
        detail={"minutes": int(by.total_seconds()) // 60, "attempts": len(extended)},
    )
    return [one for id_ in extended if (one := await attempts.find_attempt(tx, id_)) is not None]


async def void(tx: AsyncSession, actor: Actor, attempt_id: UUID, reason: str) -> Attempt:
    """The attempt counts no more: no score, no mastery, and the learner may have another. It is audited.

    Raises:
        NotFound: There is no such attempt for this grader.
    """
    sitting = await open_attempt(tx, actor, attempt_id, lock=True)
    attempt = sitting.attempt
    if attempt.state is AttemptState.VOIDED:
        return attempt
    await attempts.set_state(tx, attempt_id, AttemptState.VOIDED)
    await _forget_results(tx, attempt)
    course = await get_course(tx, attempt.course)
    await record(
        tx, "attempt.void", actor=actor.user_id, target=attempt_id, detail={"reason": reason}
    )
    await outbox.emit(tx, AttemptVoided(**told(sitting, course), actor_id=actor.user_id))
    return (await open_attempt(tx, actor, attempt_id)).attempt


async def _extend(tx: AsyncSession, actor: Actor, attempt: Attempt, by: timedelta) -> None:
    if attempt.deadline_at is None:
        return
    deadline_at = attempt.deadline_at + by
    reopened = attempt.state is not AttemptState.IN_PROGRESS
    if reopened:
        await _forget_results(tx, attempt)
    await extensions.reopen(tx, attempt.id, deadline_at)
    sitting = await sitting_of(tx, attempt)
    course = await get_course(tx, attempt.course)
    await outbox.emit(
        tx,
        AttemptExtended(
            **told(sitting, course),
            deadline_at=deadline_at,
            reopened=reopened,
            actor_id=actor.user_id,
            title=sitting.content.title,
        ),
    )


async def _forget_results(tx: AsyncSession, attempt: Attempt) -> None:
    """No score, nothing that waits for a grader, and no answer of it counts for mastery."""
    await decisions.withdraw_reviews(tx, attempt.id)
    if not await scores.remove_score(tx, attempt.id):
        return
    skills = await learning.forget_answers(tx, attempt.id)
    if skills:
        course = await get_course(tx, attempt.course)
        await refold(tx, attempt.learner_id, course, sorted(skills))
