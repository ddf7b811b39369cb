"""Routes for those who teach: labels of learners, and why one sees what they see."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from kourse.contracts.errors import NotFound
from kourse.contracts.explanations import Explanation
from kourse.contracts.permissions import Permission
from kourse.contracts.resources.meta import Name
from kourse.course.schemas.work import LabelsOrder, LabelsView
from kourse.course.service import explaining, labelling
from kourse.kit.auth import Actor, allow
from kourse.kit.db import Transaction
from kourse.kit.idempotency import IdempotencyKey, idempotency

router = APIRouter(tags=["teaching"])


_LABELS = "/v1/courses/{course}/learners/{learner_id}/labels"
Extender = Annotated[Actor, allow(Permission.ASSIGNMENT_EXTEND, scoped=True)]


@router.get(_LABELS, summary="A learner's labels")
async def read_labels(
    actor: Extender, tx: Transaction, course: Name, learner_id: UUID
) -> LabelsView:
    """The labels of the learner's enrolment, which decide on dates of assignments and exams."""
    found = await labelling.find(tx, actor, course, learner_id)
    return LabelsView.model_validate(found)


@router.put(_LABELS, summary="Label a learner")
async def put_labels(
    actor: Extender,
    tx: Transaction,
    key: Annotated[IdempotencyKey, idempotency()],
    course: Name,
    learner_id: UUID,
    body: LabelsOrder,
) -> LabelsView:
    """Dates that are declared for these labels hold for the learner from now on, in exams within seconds."""
    made = await labelling.label(tx, actor, course, learner_id, body.labels)
    return await key.remember(tx, 200, LabelsView.model_validate(made))


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
