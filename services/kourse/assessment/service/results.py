"""What an attempt came to, as far as its learner may know by now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import Attempt, Exam, Score, Sitting
from kourse.assessment.domain.marking import Decision, Marking
from kourse.assessment.repository import content, decisions, judging, scores
from kourse.assessment.service.access import terms_of_enrolments
from kourse.assessment.service.attempts import read
from kourse.kit.clock import database_now
from kourse.rules.code import Judged


@dataclass(frozen=True, slots=True)
class Result:
    """An attempt with what is released of it.

    Attributes:
        score: The score, or None while it is withheld or there is none.
        marks: How each slot was judged, with which answers and explanations may be shown; None while
            they are withheld. They are never shown before the score.
        decisions: What people decided of slots, by slot, as far as it counts.
        judged: What the judge said of programs, by slot, as far as their answers are released.
    """

    sitting: Sitting
    score: Score | None
    marks: Mapping[int, Marking] | None
    decisions: Mapping[int, Decision] = field(default_factory=dict)
    judged: Mapping[int, Judged] = field(default_factory=dict)


async def result(tx: AsyncSession, learner_id: UUID, attempt_id: UUID) -> Result:
    """The learner's attempt with what is released of it.

    Raises:
        NotFound: There is none of theirs with this id.
    """
    sitting = await read(tx, learner_id, attempt_id)
    score = await scores.find_score(tx, attempt_id)
    if score is None or score.released_at is None:
        return Result(sitting, None, None)
    if not await answers_released(tx, sitting.exam, sitting.attempt, score):
        return Result(sitting, score, None)
    marks = await scores.list_marks(tx, attempt_id, score.run)
    decided = await decisions.list_counting(tx, attempt_id)
    used = {slot: one for slot, one in decided.items() if marks[slot].decision == one.number}
    said = await judged_by(tx, sitting, marks)
    return Result(await _with_keys(tx, sitting, marks), score, marks, used, said)


async def judged_by(
    tx: AsyncSession, sitting: Sitting, marks: Mapping[int, Marking]
) -> dict[int, Judged]:
    """What the judge said, by slot, of the programs of an attempt by the tests that counted."""
    if all(item.question.code is None for item in sitting.items):
        return {}
    said = await judging.list_judged(tx, sitting.attempt.id)
    keys = {item.slot: (item.slot, marks[item.slot].version_id, item.seq) for item in sitting.items}
    return {slot: said[key] for slot, key in keys.items() if key in said}


async def _with_keys(tx: AsyncSession, sitting: Sitting, marks: Mapping[int, Marking]) -> Sitting:
    """The sitting with the questions as they were graded: a corrected key is the one that is shown."""
    corrected = {
        marks[item.slot].version_id
        for item in sitting.items
        if marks[item.slot].version_id != item.question_version_id
    }
    if not corrected:
        return sitting
    bodies = await content.list_bodies(tx, corrected)
    items = (
        replace(item, question=bodies.get(marks[item.slot].version_id, item.question))
        for item in sitting.items
    )
    return replace(sitting, items=tuple(items))


async def answers_released(tx: AsyncSession, exam: Exam, attempt: Attempt, score: Score) -> bool:
    """Whether the learner may see the answers of a graded attempt by now."""
    if score.released_at is None:
        return False
    if score.answers_released_at is not None:
        return True
    terms = await terms_of_enrolments(tx, exam, [attempt.enrolment_id])
    due_at = terms[attempt.enrolment_id].released_at(exam.policy.release.answers, score.graded_at)
    return due_at is not None and due_at <= await database_now(tx)
