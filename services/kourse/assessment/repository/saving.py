"""Saving answers, which is what an exam does most: one statement once a slot was seen by this process.

The attempt's row is taken FOR SHARE, so nobody ends the attempt before the commit, and saves do not keep
each other waiting. What a slot asks is fixed when the attempt starts, so it is read once and remembered;
whether the attempt still runs is asked of its row at each save.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import Attempt
from kourse.assessment.domain.presentation import Layout
from kourse.assessment.repository.attempts import attempt_from
from kourse.assessment.repository.questions import question_of
from kourse.assessment.tables import answer, attempt, attempt_item, question_version
from kourse.contracts.resources.pool import Question
from kourse.rules.timing import SAVING_GRACE

MOST = 20_000
"""Slots remembered, those saved last; about a KiB each, as questions are kept by version."""
_RUNS = """
  SELECT id FROM assessment.attempt
  WHERE id = :attempt_id AND learner_id = :learner_id AND state = 'IN_PROGRESS'
    AND (deadline_at IS NULL OR transaction_timestamp() <= deadline_at + :grace)
  FOR SHARE
"""
_HELD = "SELECT CAST(:attempt_id AS uuid) AS id"
_TEMPLATE = """
WITH place AS ({place}), written AS (
  INSERT INTO assessment.answer AS stored (attempt_id, slot, tenant, seq, body, saved_at)
  SELECT place.id, :slot, :tenant, :seq, :body, transaction_timestamp() FROM place
  ON CONFLICT (attempt_id, slot) DO UPDATE
    SET seq = excluded.seq, body = excluded.body, saved_at = excluded.saved_at
    WHERE stored.seq < excluded.seq
  RETURNING attempt_id, slot, seq, tenant, body, saved_at
)
INSERT INTO assessment.answer_revision (attempt_id, slot, seq, tenant, body, saved_at)
SELECT attempt_id, slot, seq, tenant, body, saved_at FROM written
RETURNING saved_at
"""


def _saving(place: str) -> TextClause:
    """Stores the answer, with its revision, where the attempt is found and ``seq`` is the highest yet."""
    return text(_TEMPLATE.replace("{place}", place)).bindparams(
        bindparam("body", type_=JSONB(none_as_null=True))
    )


_SAVE, _SAVE_WHERE_HELD = _saving(_RUNS), _saving(_HELD)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a slot asks, fixed when its attempt starts."""

    layout: Layout
    question: Question


@dataclass(frozen=True, slots=True)
class Writable:
    """A slot as a save finds it.

    Attributes:
        received_at: When the request's transaction began, before any lock was waited for.
    """

    attempt: Attempt
    asked: Asked
    received_at: datetime


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer of a slot that is stored now."""

    seq: int
    body: dict[str, Any] | None


_Place = tuple[str, UUID, UUID, int]
_asked: OrderedDict[_Place, Asked] = OrderedDict()


def remembered(tx: AsyncSession, attempt_id: UUID, learner_id: UUID, slot: int) -> Asked | None:
    """What the slot of the learner's attempt asks, if this process has seen it before."""
    place = (tx.info["tenant"], attempt_id, learner_id, slot)
    found = _asked.get(place)
    if found is not None:
        _asked.move_to_end(place)
    return found


def remember(tx: AsyncSession, attempt_id: UUID, learner_id: UUID, slot: int, asked: Asked) -> None:
    """Keeps what the slot asks for the saves to come."""
    _asked[tx.info["tenant"], attempt_id, learner_id, slot] = asked
    if len(_asked) > MOST:
        _asked.popitem(last=False)


async def find_writable(
    tx: AsyncSession, attempt_id: UUID, learner_id: UUID, slot: int
) -> Writable | None:
    """A slot of the learner's attempt, the attempt held against being ended until the commit."""
    row = (
        await tx.execute(
            select(
                attempt,
                attempt_item.c.layout,
                attempt_item.c.question_version_id,
                question_version.c.body,
                func.transaction_timestamp().label("received_at"),
            )
            .join(attempt_item, attempt_item.c.attempt_id == attempt.c.id)
            .join(question_version, question_version.c.id == attempt_item.c.question_version_id)
            .where(
                attempt.c.id == attempt_id,
                attempt.c.learner_id == learner_id,
                attempt_item.c.slot == slot,
            )
            .with_for_update(read=True, of=attempt)
        )
    ).one_or_none()
    if row is None:
        return None
    asked = Asked(Layout.from_stored(row.layout), question_of(row.question_version_id, row.body))
    remember(tx, attempt_id, learner_id, slot, asked)
    return Writable(attempt_from(row), asked, row.received_at)


async def save_where_it_runs(
    tx: AsyncSession,
    attempt_id: UUID,
    learner_id: UUID,
    slot: int,
    seq: int,
    body: Mapping[str, Any] | None,
) -> datetime | None:
    """Stores the answer if the learner's attempt runs, grace included, and ``seq`` is the highest yet.

    Returns:
        When it was received; None where nothing was stored.
    """
    values = {**_values(tx, attempt_id, slot, seq, body), "learner_id": learner_id}
    saved: datetime | None = await tx.scalar(_SAVE, {**values, "grace": SAVING_GRACE})
    return saved


async def save_answer(
    tx: AsyncSession, attempt_id: UUID, slot: int, seq: int, body: Mapping[str, Any] | None
) -> bool:
    """Stores the answer in an attempt that is held when ``seq`` is the highest yet; whether it did."""
    values = _values(tx, attempt_id, slot, seq, body)
    return await tx.scalar(_SAVE_WHERE_HELD, values) is not None


def _values(
    tx: AsyncSession, attempt_id: UUID, slot: int, seq: int, body: Mapping[str, Any] | None
) -> dict[str, Any]:
    place = {"attempt_id": attempt_id, "slot": slot, "tenant": tx.info["tenant"]}
    return {**place, "seq": seq, "body": body}


async def find_answer(tx: AsyncSession, attempt_id: UUID, slot: int) -> StoredAnswer | None:
    """The answer of a slot that is stored now, or None before the first."""
    row = (
        await tx.execute(
            select(answer.c.seq, answer.c.body).where(
                answer.c.attempt_id == attempt_id, answer.c.slot == slot
            )
        )
    ).one_or_none()
    return None if row is None else StoredAnswer(row.seq, row.body)


async def get_answer(tx: AsyncSession, attempt_id: UUID, slot: int) -> StoredAnswer:
    """The answer of a slot that is stored now.

    Raises:
        LookupError: There is none.
    """
    found = await find_answer(tx, attempt_id, slot)
    if found is None:
        raise LookupError(f"no answer of slot {slot}")
    return found
