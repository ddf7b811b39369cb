"""Scores for siblings: released ones only, so that nothing they show can leak."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.repository import scores
from kourse.assessment.repository.scores import ExamScore


async def released(tx: AsyncSession, learner_id: UUID, course: str | None) -> list[ExamScore]:
    """A learner's released scores, newest first, of one course or of all."""
    return await scores.list_scores(tx, [learner_id], course, released_only=True)
