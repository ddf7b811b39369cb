"""SQL of item statistics: what each question of an exam told of its learners."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_FIRST = """
SELECT DISTINCT ON (a.learner_id) a.id, s.run
FROM assessment.attempt AS a JOIN assessment.score AS s ON s.attempt_id = a.id
WHERE a.exam_id = :exam AND a.state = 'GRADED'
  AND (CAST(:cohorts AS text[]) IS NULL OR a.cohort = ANY(CAST(:cohorts AS text[])))
ORDER BY a.learner_id, a.number
"""
_ITEMS = """
WITH first AS ({first}), earned AS (
  SELECT g.attempt_id, i.question_id, g.points,
    CAST(split_part(g.share, '/', 1) AS double precision)
      / CAST(split_part(g.share, '/', 2) AS double precision) AS share
  FROM first
  JOIN assessment.grading_item AS g ON g.attempt_id = first.id AND g.run = first.run
  JOIN assessment.attempt_item AS i ON i.attempt_id = g.attempt_id AND i.slot = g.slot
), compared AS (
  SELECT question_id, share,
    (sum(share * points) OVER attempt - share * points)
      / nullif(sum(points) OVER attempt - points, 0) AS rest
  FROM earned WINDOW attempt AS (PARTITION BY attempt_id)
)
SELECT p.name AS pool, q.key, q.type, q.difficulty, count(*) AS attempts, avg(share) AS facility,
  corr(share, rest) AS discrimination
FROM compared
JOIN assessment.question AS q ON q.id = compared.question_id
JOIN assessment.pool AS p ON p.id = q.pool_id
WHERE (p.name, q.key) > (:pool, :key)
GROUP BY p.name, q.key, q.type, q.difficulty
ORDER BY p.name, q.key
LIMIT :limit
"""
_LIST = text(_ITEMS.replace("{first}", _FIRST))
_COUNT = text("SELECT count(*) FROM ({first}) AS first".replace("{first}", _FIRST))


@dataclass(frozen=True, slots=True)
class ItemFigures:
    """A question in the first graded attempts at an exam.

    Attributes:
        attempts: How many had it.
        facility: Mean share of its points, 0 to 1.
        discrimination: Correlation of its share with the share of all other points of the attempt, -1 to
            1; None where all did alike, or it stood alone. Corrected: the question itself is left out of
            the total (Henrysson 1963, Correction of item-total correlations in item analysis,
            Psychometrika 28, 211-218).
    """

    pool: str
    key: str
    type: str
    difficulty: int
    attempts: int
    facility: float
    discrimination: float | None


async def count_first(tx: AsyncSession, exam_id: UUID, cohorts: Collection[str] | None) -> int:
    """Learners with a graded attempt, of these cohorts or all."""
    found: int | None = await tx.scalar(_COUNT, _values(exam_id, cohorts))
    return found or 0


async def list_items(
    tx: AsyncSession,
    exam_id: UUID,
    cohorts: Collection[str] | None,
    *,
    after: tuple[str, str] | None,
    limit: int,
) -> list[ItemFigures]:
    """The questions of first graded attempts by pool and key, those after one pool and key."""
    pool, key = after or ("", "")
    found = await tx.execute(
        _LIST, {**_values(exam_id, cohorts), "pool": pool, "key": key, "limit": limit}
    )
    return [ItemFigures(*row) for row in found]


def _values(exam_id: UUID, cohorts: Collection[str] | None) -> dict[str, Any]:
    return {"exam": exam_id, "cohorts": None if cohorts is None else sorted(cohorts)}
