"""Routes where hand-ins are graded, and where learners see what was said of theirs."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from kourse.assessment import schemas
from kourse.assessment.service import gradables
from kourse.contracts.errors import Malformed
from kourse.contracts.permissions import Permission
from kourse.contracts.resources.meta import Name
from kourse.kit.auth import Actor, allow
from kourse.kit.auth.scope import cohorts_within
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit, Page
from kourse.kit.idempotency import IdempotencyKey, idempotency

router = APIRouter()
Grader = Annotated[Actor, allow(Permission.SUBMISSION_GRADE, scoped=True)]
Key = Annotated[IdempotencyKey, idempotency()]
_ASSIGNMENT = "/v1/courses/{course}/assignments/{assignment}"
_SHEET = "/v1/gradables/{submission_id}"


@router.get(f"{_ASSIGNMENT}/gradables", tags=["teaching"], summary="What there is to grade")
async def list_gradables(
    actor: Grader,
    tx: Transaction,
    course: Name,
    assignment: Name,
    cohort: Annotated[Name | None, Query(description="Only of this cohort.")] = None,
    waiting: Annotated[
        bool | None, Query(description="Only what waits for a grader, or only what is graded.")
    ] = None,
    limit: Limit = 20,
    after: After = None,
) -> Page[schemas.GradableView]:
    """Hand-ins of the learners whom you may grade, in the order in which they were begun."""
    cohorts = cohorts_within(actor, Permission.SUBMISSION_GRADE, course, cohort)
    found = await gradables.list_of_assignment(
        tx,
        course,
        assignment,
        cohorts=cohorts,
        waiting=waiting,
        after=_id(after),
        limit=limit + 1,
    )
    shown, following = Cursor.page(found, limit, key=lambda one: (one.submission_id,))
    return Page(items=[schemas.GradableView.of(one) for one in shown], next=following)


@router.get(_SHEET, tags=["teaching"], summary="A grader's sheet")
async def read_sheet(actor: Grader, tx: Transaction, submission_id: UUID) -> schemas.SheetView:
    """The rubric to fill in and the newest grading; files are read where they were handed in."""
    return schemas.SheetView.shown(await gradables.read(tx, actor, submission_id))


@router.put(f"{_SHEET}/grade", tags=["teaching"], summary="Grade a hand-in")
async def grade(
    actor: Grader, tx: Transaction, key: Key, submission_id: UUID, body: schemas.GradeOrder
) -> schemas.SheetView:
    """Grades the last hand-in by the rubric; what lateness takes is counted and shown apart."""
    sheet = await gradables.grade(tx, actor, submission_id, body.seen(), body.decision())
    return await key.remember(tx, 200, schemas.SheetView.shown(sheet))


@router.put(f"{_SHEET}/override", tags=["teaching"], summary="Set points by hand")
async def override(
    actor: Grader, tx: Transaction, key: Key, submission_id: UUID, body: schemas.OverrideOrder
) -> schemas.SheetView:
    """These points count instead, nothing is taken from them, and the reason is kept."""
    sheet = await gradables.override(
        tx, actor, submission_id, body.seen(), Fraction(body.points), body.reason
    )
    return await key.remember(tx, 200, schemas.SheetView.shown(sheet))


@router.post(f"{_ASSIGNMENT}/releases", tags=["teaching"], summary="Release gradings")
async def release(
    actor: Grader,
    tx: Transaction,
    key: Key,
    course: Name,
    assignment: Name,
    body: schemas.ReleaseGradings,
) -> schemas.ReleasedGradings:
    """Learners see what was graded and withheld."""
    cohorts = cohorts_within(actor, Permission.SUBMISSION_GRADE, course, body.cohort)
    released = await gradables.release(tx, actor, course, assignment, cohorts)
    return await key.remember(tx, 200, schemas.ReleasedGradings(released=released))


@router.get(
    "/v1/submissions/{submission_id}/feedback", tags=["assignments"], summary="Your feedback"
)
async def read_feedback(
    actor: Annotated[Actor, allow(Permission.ASSIGNMENT_SUBMIT)],
    tx: Transaction,
    submission_id: UUID,
) -> schemas.FeedbackView:
    """Points, what lateness took, and what was said of your or your group's hand-in."""
    found, run = await gradables.feedback(tx, actor.user_id, submission_id)
    return schemas.FeedbackView(
        submission_id=found.submission_id,
        course=found.course,
        assignment=found.assignment,
        number=found.number,
        grading=None if run is None else schemas.GradingView.of(run),
    )


def _id(after: str | None) -> UUID | None:
    key = Cursor.decode(after, 1)
    try:
        return None if key is None else UUID(str(key[0]))
    except ValueError:
        raise Malformed("`after` is not a cursor of this list.") from None
