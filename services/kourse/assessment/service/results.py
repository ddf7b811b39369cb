"""What an attempt came to, as far as its learner may know by now."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import Score, Sitting
from kourse.assessment.repository import scores
from kourse.assessment.service.access import terms_of_enrolments
from kourse.assessment.service.attempts import read
from kourse.kit.clock import database_now


@dataclass(frozen=True, slots=True)
class Result:
    """An attempt with what is released of it.

    Attributes:
        score: The score, or None while it is withheld or there is none.
        shares: The share each slot earned, with which answers and explanations may be shown; None
            while they are withheld. They are never shown before the score.
    """

    sitting: Sitting
    score: Score | None
    shares: dict[int, Fraction] | None


async def result(tx: AsyncSession, learner_id: UUID, attempt_id: UUID) -> Result:
    """The learner's attempt with what is released of it.

    Raises:
        NotFound: There is none of theirs with this id.
    """
    sitting = await read(tx, learner_id, attempt_id)
    score = await scores.find_score(tx, attempt_id)
    if score is None or score.released_at is None:
        return Result(sitting, None, None)
    if not await _answers_released(tx, sitting, score):
        return Result(sitting, score, None)
    return Result(sitting, score, await scores.list_shares(tx, attempt_id, score.run))


async def _answers_released(tx: AsyncSession, sitting: Sitting, score: Score) -> bool:
    if score.answers_released_at is not None:
        return True
    enrolment_id = sitting.attempt.enrolment_id
    terms = await terms_of_enrolments(tx, sitting.exam, [enrolment_id])
    due_at = terms[enrolment_id].released_at(sitting.exam.policy.release.answers, score.graded_at)
    return due_at is not None and due_at <= await database_now(tx)
