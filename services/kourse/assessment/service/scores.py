"""Scores for siblings: released ones only, so that nothing they show can leak."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.repository import scores
from kourse.assessment.repository.scores import ExamScore

__all__ = ["ExamScore", "released"]


async def released(
    tx: AsyncSession, learner_ids: Collection[UUID], course: str | None
) -> list[ExamScore]:
    """These learners' released scores, newest first, of one course or of all."""
    return await scores.list_scores(tx, learner_ids, course, released_only=True)
