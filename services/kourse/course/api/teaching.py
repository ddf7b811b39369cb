"""Routes for those who teach: why a learner sees what they see."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from kourse.contracts.errors import NotFound
from kourse.contracts.explanations import Explanation
from kourse.contracts.permissions import Permission
from kourse.contracts.resources.meta import Name
from kourse.course.service import explaining
from kourse.kit.auth import Actor, allow
from kourse.kit.db import Transaction

router = APIRouter(tags=["teaching"])


@router.get("/v1/courses/{course}/lessons/{lesson}/access", summary="Explain access")
async def explain_access(
    actor: Annotated[Actor, allow(Permission.ACCESS_EXPLAIN, scoped=True)],
    tx: Transaction,
    course: Annotated[Name, Path(description="Name of the course.")],
    lesson: Annotated[Name, Path(description="Key of the lesson.")],
    learner: Annotated[UUID, Query(description="Id of the learner.")],
) -> Explanation:
    """Why the learner can or cannot see the lesson now, rule by rule."""
    cohort = await explaining.cohort_of(tx, learner, course)
    if not actor.holds(Permission.ACCESS_EXPLAIN, course=course, cohort=cohort):
        raise NotFound(f"There is no course {course!r} here.")
    return await explaining.explain_lesson(tx, learner, course, lesson)
