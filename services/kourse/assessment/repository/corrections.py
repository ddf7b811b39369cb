"""Corrected keys of exams, and the regrades that bring them to attempts graded before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import Attempt, AttemptState
from kourse.assessment.domain.regrades import Mode, Regrade, RegradeState
from kourse.assessment.repository.attempts import attempt_from
from kourse.assessment.tables import attempt, correction, pool, question, regrade
from kourse.contracts.resources.pool import QuestionType


@dataclass(frozen=True, slots=True)
class Known:
    """A question by its pool's name and its key, with its newest version."""

    id: UUID
    pool: str
    key: str
    type: QuestionType
    version_id: UUID


async def find_question(
    tx: AsyncSession, pool_name: str, key: str, exam_course: str
) -> Known | None:
    """The question of that key, removed ones included, or None when the course may not use any such."""
    row = (
        await tx.execute(
            select(
                question.c.id, pool.c.name, question.c.key, question.c.type, question.c.version_id
            )
            .join(pool, pool.c.id == question.c.pool_id)
            .where(
                pool.c.name == pool_name,
                question.c.key == key,
                pool.c.course.is_(None) | (pool.c.course == exam_course),
            )
        )
    ).one_or_none()
    return (
        None
        if row is None
        else Known(row.id, row.name, row.key, QuestionType(row.type), row.version_id)
    )


async def list_standing(tx: AsyncSession, exam_id: UUID) -> dict[UUID, UUID | None]:
    """By question the version whose key counts in the exam; None where it is voided."""
    found = await tx.execute(
        select(correction.c.question_id, correction.c.question_version_id).where(
            correction.c.exam_id == exam_id
        )
    )
    return {row.question_id: row.question_version_id for row in found}


async def save_standing(
    tx: AsyncSession, exam_id: UUID, changes: Mapping[UUID, UUID | None]
) -> None:
    """These corrections count in the exam from now on."""
    statement = insert(correction)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["exam_id", "question_id"],
            set_={
                "question_version_id": statement.excluded.question_version_id,
                "corrected_at": func.clock_timestamp(),
            },
        ),
        [
            {
                "exam_id": exam_id,
                "question_id": question_id,
                "tenant": tx.info["tenant"],
                "question_version_id": version,
            }
            for question_id, version in changes.items()
        ],
    )


async def add_regrade(tx: AsyncSession, one: Regrade) -> None:
    """The regrade is planned."""
    await tx.execute(
        insert(regrade).values(
            id=one.id,
            tenant=tx.info["tenant"],
            exam_id=one.exam_id,
            corrections={
                str(id_): None if version is None else str(version)
                for id_, version in one.corrections.items()
            },
            mode=one.mode.value,
            reason=one.reason,
            actor_id=one.actor_id,
            state=one.state.value,
        )
    )


async def find_regrade(tx: AsyncSession, id_: UUID, *, lock: bool = False) -> Regrade | None:
    """The regrade, or None; if asked locked."""
    statement = select(regrade).where(regrade.c.id == id_)
    if lock:
        statement = statement.with_for_update()
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else _regrade(row)


async def set_regrade(
    tx: AsyncSession,
    id_: UUID,
    state: RegradeState,
    *,
    after: UUID | None = None,
    examined: int = 0,
    changed: int = 0,
) -> None:
    """The regrade has come so far: so many more attempts were examined, and so many changed."""
    await tx.execute(
        update(regrade)
        .where(regrade.c.id == id_)
        .values(
            state=state.value,
            after=func.coalesce(after, regrade.c.after),
            examined=regrade.c.examined + examined,
            changed=regrade.c.changed + changed,
            applied_at=func.clock_timestamp() if state is RegradeState.APPLIED else None,
        )
    )


async def is_regrading(tx: AsyncSession, exam_id: UUID) -> bool:
    """Whether a regrade of the exam is being applied."""
    found = exists().where(
        regrade.c.exam_id == exam_id, regrade.c.state == RegradeState.APPLYING.value
    )
    return bool(await tx.scalar(select(found)))


async def list_graded(
    tx: AsyncSession, exam_id: UUID, *, after: UUID | None, limit: int
) -> list[Attempt]:
    """Graded attempts at an exam, in the order in which they were started."""
    statement = (
        select(attempt)
        .where(attempt.c.exam_id == exam_id, attempt.c.state == AttemptState.GRADED)
        .order_by(attempt.c.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(attempt.c.id > after)
    return [attempt_from(row) for row in await tx.execute(statement)]


def _regrade(row: Row[Any]) -> Regrade:
    return Regrade(
        id=row.id,
        exam_id=row.exam_id,
        corrections={
            UUID(id_): None if version is None else UUID(version)
            for id_, version in row.corrections.items()
        },
        mode=Mode(row.mode),
        reason=row.reason,
        actor_id=row.actor_id,
        state=RegradeState(row.state),
        after=row.after,
        examined=row.examined,
        changed=row.changed,
        planned_at=row.planned_at,
        applied_at=row.applied_at,
    )
