"""Which version's key counts for each question of an attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import Item, Sitting
from kourse.assessment.domain.marking import Basis, KeyUse, is_replaceable
from kourse.assessment.repository import content, corrections, judging, scores
from kourse.contracts.resources.pool import Question, QuestionType

Corrections = Mapping[UUID, UUID | None]
"""By question the version whose key counts; None where the question is voided."""


async def in_use(tx: AsyncSession, sitting: Sitting) -> dict[int, KeyUse]:
    """The keys of the attempt's newest run; before the first, those of the exam as corrected by now."""
    attempt = sitting.attempt
    if not attempt.run:
        return await corrected(tx, sitting, await corrections.list_standing(tx, attempt.exam_id))
    before = await scores.list_marks(tx, attempt.id, attempt.run)
    bodies = await _bodies(tx, sitting, {mark.version_id for mark in before.values()})
    used = {
        item.slot: KeyUse(
            before[item.slot].version_id,
            bodies[before[item.slot].version_id],
            before[item.slot].basis is Basis.VOIDED,
        )
        for item in sitting.items
    }
    return await _judged(tx, sitting, used)


async def corrected(
    tx: AsyncSession,
    sitting: Sitting,
    changes: Corrections,
    base: Mapping[int, KeyUse] | None = None,
) -> dict[int, KeyUse]:
    """The keys as these corrections change them.

    A version that offers other options than the attempt had changes nothing.

    Args:
        tx: The transaction.
        sitting: The attempt.
        changes: The corrections.
        base: What counts without them; by default the questions as they were drawn.
    """
    wanted = {version for version in changes.values() if version is not None}
    bodies = await _bodies(tx, sitting, wanted)
    used = {
        item.slot: _use(item, changes, bodies, (base or {}).get(item.slot, _drawn(item)))
        for item in sitting.items
    }
    return await _judged(tx, sitting, used)


async def _judged(
    tx: AsyncSession, sitting: Sitting, used: Mapping[int, KeyUse]
) -> dict[int, KeyUse]:
    """The keys with what the judge said, by them, of the programs that are stored now."""
    programs = {
        item.slot: item.seq for item in sitting.items if item.question.type is QuestionType.CODE
    }
    if not programs:
        return dict(used)
    said = await judging.list_judged(tx, sitting.attempt.id)
    return {
        slot: replace(key, judged=said.get((slot, key.version_id, programs.get(slot, 0))))
        for slot, key in used.items()
    }


def _drawn(item: Item) -> KeyUse:
    return KeyUse(item.question_version_id, item.question)


def _use(item: Item, changes: Corrections, bodies: Mapping[UUID, Question], base: KeyUse) -> KeyUse:
    if item.question_id not in changes:
        return base
    version = changes[item.question_id]
    if version is None:
        return KeyUse(base.version_id, base.question, voided=True)
    if not is_replaceable(item.question, item.layout, bodies[version]):
        return base
    return KeyUse(version, bodies[version])


async def _bodies(tx: AsyncSession, sitting: Sitting, versions: set[UUID]) -> dict[UUID, Question]:
    own = {item.question_version_id: item.question for item in sitting.items}
    return own | await content.list_bodies(tx, versions - own.keys())
