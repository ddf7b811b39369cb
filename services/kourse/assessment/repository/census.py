"""SQL over all learners of an exam at once: attempts taken, running, and what they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import AttemptState
from kourse.assessment.tables import (
    attempt,
    attempt_item,
    exam,
    exam_version,
    pool,
    question,
)


@dataclass(frozen=True, slots=True)
class Running:
    """An attempt in progress."""

    id: UUID
    learner_id: UUID
    version: int
    deadline_at: datetime | None


async def list_running(tx: AsyncSession, exam_id: UUID) -> list[Running]:
    """The attempts at an exam that are in progress, with the number of their version."""
    found = await tx.execute(
        select(attempt.c.id, attempt.c.learner_id, exam_version.c.number, attempt.c.deadline_at)
        .join(exam_version, exam_version.c.id == attempt.c.exam_version_id)
        .where(attempt.c.exam_id == exam_id, attempt.c.state == AttemptState.IN_PROGRESS)
    )
    return [Running(*row) for row in found]


async def count_taken(tx: AsyncSession, exam_id: UUID) -> Counter[UUID]:
    """How many attempts at the exam each enrolment had."""
    found = await tx.execute(
        select(attempt.c.enrolment_id, func.count())
        .where(attempt.c.exam_id == exam_id)
        .group_by(attempt.c.enrolment_id)
    )
    return Counter({row[0]: row[1] for row in found})


async def count_outdated(tx: AsyncSession, pool_name: str) -> int:
    """Attempts in progress that hold a question of the pool in a form that is drawn no more."""
    outdated = (question.c.version_id != attempt_item.c.question_version_id) | (
        question.c.removed_at.is_not(None)
    )
    found = await tx.scalar(
        select(func.count(attempt.c.id.distinct()))
        .join(attempt_item, attempt_item.c.attempt_id == attempt.c.id)
        .join(question, question.c.id == attempt_item.c.question_id)
        .join(pool, pool.c.id == question.c.pool_id)
        .where(pool.c.name == pool_name, attempt.c.state == AttemptState.IN_PROGRESS, outdated)
    )
    return int(found or 0)


async def list_exam_names(tx: AsyncSession, courses: Collection[str]) -> list[str]:
    """The exams of these courses that are declared now, by name."""
    found = await tx.scalars(
        select(exam.c.name)
        .where(exam.c.course.in_(courses), exam.c.retired_at.is_(None))
        .order_by(exam.c.name)
    )
    return list(found)
