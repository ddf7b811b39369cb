"""SQL of files that answer exam questions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Text, cast, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import AttemptState
from kourse.assessment.tables import answer, answer_file, attempt, exam
from kourse.kit.ids import new_id

_F = answer_file.c


async def list_files(tx: AsyncSession, attempt_id: UUID, slot: int) -> Sequence[Row[Any]]:
    """Every file of a slot, in the order of their announcement."""
    query = select(answer_file).where(_F.attempt_id == attempt_id, _F.slot == slot).order_by(_F.id)
    return (await tx.execute(query)).all()


async def lock_files(tx: AsyncSession, attempt_id: UUID, slot: int) -> None:
    """Nobody else announces or withdraws a file of the slot, or names one, until the commit."""
    key = f"kourse.answer-files:{attempt_id}:{slot}"
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


async def add_file(tx: AsyncSession, values: Mapping[str, Any]) -> Row[Any]:
    """A file is announced."""
    made = insert(answer_file).values(id=new_id(), tenant=tx.info["tenant"], **values)
    return (await tx.execute(made.returning(*_F))).one()


async def store_file(
    tx: AsyncSession, file_id: UUID, key: str, version_id: str | None
) -> Row[Any] | None:
    """The file is stored and verified there; None when it was before, or is gone."""
    stored = (
        update(answer_file)
        .where(_F.id == file_id, _F.stored_at.is_(None))
        .values(key=key, version_id=version_id, stored_at=func.clock_timestamp())
        .returning(*_F)
    )
    return (await tx.execute(stored)).one_or_none()


async def delete_file(tx: AsyncSession, file_id: UUID) -> None:
    """The file is announced no more."""
    await tx.execute(delete(answer_file).where(_F.id == file_id))


# collecting


async def list_places(tx: AsyncSession) -> list[tuple[str, str]]:
    """Tenant and course of every exam; for the worker role."""
    query = select(exam.c.tenant, exam.c.course).distinct().order_by(exam.c.tenant, exam.c.course)
    return [(row.tenant, row.course) for row in await tx.execute(query)]


async def drop_abandoned(tx: AsyncSession, course: str, before: datetime) -> None:
    """Files of attempts that ended before that time, of which no stored answer names them, are forgotten."""
    named = exists(
        select(answer.c.slot).where(
            answer.c.attempt_id == _F.attempt_id,
            answer.c.slot == _F.slot,
            answer.c.body.cast(JSONB)["files"].contains(
                func.jsonb_build_array(func.jsonb_build_object("id", cast(_F.id, Text)))
            ),
        )
    )
    ended = exists(
        select(attempt.c.id).where(
            attempt.c.id == _F.attempt_id,
            attempt.c.course == course,
            attempt.c.state != AttemptState.IN_PROGRESS,
            attempt.c.submitted_at < before,
        )
    )
    await tx.execute(delete(answer_file).where(ended, ~named))


async def needed(tx: AsyncSession, keys: Collection[str]) -> set[str]:
    """Those of the object keys that belong to a file that is known."""
    return set(await tx.scalars(select(_F.key).where(_F.key.in_(keys))))
