"""Routes for teachers, of the learners in their scope: grade book, attempts, release by hand."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from kourse.assessment import schemas
from kourse.assessment.service import explaining, gradebook, teaching
from kourse.contracts.errors import Malformed, NotFound
from kourse.contracts.explanations import Explanation
from kourse.contracts.permissions import Permission
from kourse.contracts.resources.meta import Name
from kourse.kit import spreadsheets
from kourse.kit.auth import Actor, allow
from kourse.kit.auth.scope import cohorts_within
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit, Page
from kourse.kit.idempotency import IdempotencyKey, idempotency
from kourse.kit.runtime import CurrentRuntime

router = APIRouter(tags=["teaching"])
_SHEET: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A line of names, then a line for each learner.",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}

Cohort = Annotated[Name | None, Query(description="Only learners of this cohort.")]


@router.get("/v1/courses/{course}/gradebook/learners")
async def list_gradebooks(
    actor: Annotated[Actor, allow(Permission.GRADEBOOK_READ, scoped=True)],
    tx: Transaction,
    course: Name,
    cohort: Cohort = None,
    limit: Limit = 20,
    after: After = None,
) -> Page[schemas.GradebookView]:
    """Grades of the learners whom the teacher may see, by learner, withheld scores included."""
    cohorts = cohorts_within(actor, Permission.GRADEBOOK_READ, course, cohort)
    books = await gradebook.list_books(
        tx, course, cohorts=cohorts, after=_id(after), limit=limit + 1
    )
    shown, following = Cursor.page(books, limit, key=lambda book: (book.learner_id,))
    return Page(items=[schemas.GradebookView.of(book) for book in shown], next=following)


@router.get(
    "/v1/courses/{course}/gradebook/export",
    response_class=StreamingResponse,
    responses=_SHEET,
)
async def export_gradebooks(
    actor: Annotated[Actor, allow(Permission.GRADEBOOK_READ, scoped=True)],
    tx: Transaction,
    runtime: CurrentRuntime,
    course: Name,
    cohort: Cohort = None,
) -> StreamingResponse:
    """The same as CSV for a spreadsheet: a line for each learner, columns by stable keys."""
    cohorts = cohorts_within(actor, Permission.GRADEBOOK_READ, course, cohort)
    sections = await gradebook.columns(tx, course)
    lines = gradebook.export(runtime.database, actor.tenant, course, sections, cohorts)
    name = f"grades-{course}-{cohort}.csv" if cohort else f"grades-{course}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(
        spreadsheets.in_pieces(lines), media_type=spreadsheets.MEDIA_TYPE, headers=headers
    )


@router.get("/v1/exams/{exam}/attempts")
async def list_attempts(
    actor: Annotated[Actor, allow(Permission.ATTEMPT_READ, scoped=True)],
    tx: Transaction,
    exam: Name,
    cohort: Cohort = None,
    limit: Limit = 20,
    after: After = None,
) -> Page[schemas.WatchedView]:
    """Attempts of the learners whom the teacher may see, in the order of their start."""
    found = await teaching.get_exam(tx, exam)
    cohorts = cohorts_within(actor, Permission.ATTEMPT_READ, found.course, cohort)
    watched = await teaching.list_attempts(
        tx, found, cohorts=cohorts, after=_id(after), limit=limit + 1
    )
    shown, following = Cursor.page(watched, limit, key=lambda one: (one.attempt.id,))
    return Page(items=[schemas.WatchedView.seen(one) for one in shown], next=following)


@router.get("/v1/exams/{exam}/statistics")
async def read_statistics(
    actor: Annotated[Actor, allow(Permission.GRADEBOOK_READ, scoped=True)],
    tx: Transaction,
    exam: Name,
    cohort: Cohort = None,
    limit: Limit = 20,
    after: After = None,
) -> schemas.StatisticsView:
    """How hard each question was and how well it told learners apart, by everybody's first attempt."""
    found = await teaching.get_exam(tx, exam)
    cohorts = cohorts_within(actor, Permission.GRADEBOOK_READ, found.course, cohort)
    key = Cursor.decode(after, 2)
    told = await teaching.item_statistics(
        tx,
        found,
        cohorts=cohorts,
        after=None if key is None else (str(key[0]), str(key[1])),
        limit=limit + 1,
    )
    shown, following = Cursor.page(told.items, limit, key=lambda one: (one.pool, one.key))
    items = [schemas.ItemView.of(one) for one in shown]
    return schemas.StatisticsView(items=items, next=following, attempts=told.attempts)


@router.get("/v1/exams/{exam}/access")
async def explain_access(
    actor: Annotated[Actor, allow(Permission.ACCESS_EXPLAIN, scoped=True)],
    tx: Transaction,
    runtime: CurrentRuntime,
    exam: Name,
    learner: Annotated[UUID, Query(description="Id of the learner.")],
) -> Explanation:
    """Why the learner can or cannot start the exam now, rule by rule; nothing is started."""
    course, cohort = await explaining.whereabouts(tx, learner, exam)
    if not actor.holds(Permission.ACCESS_EXPLAIN, course=course, cohort=cohort):
        raise NotFound(f"There is no exam {exam!r}.")
    return await explaining.explain_exam(runtime.database, actor.tenant, learner, exam)


@router.post("/v1/exams/{exam}/releases", status_code=202)
async def release_scores(
    actor: Annotated[Actor, allow(Permission.ATTEMPT_GRADE, scoped=True)],
    tx: Transaction,
    key: Annotated[IdempotencyKey, idempotency()],
    exam: Name,
    body: schemas.ReleaseOrder,
) -> schemas.ReleasedView:
    """Lets learners see what waits for a teacher's word; it appears within seconds."""
    found = await teaching.get_exam(tx, exam)
    cohorts = cohorts_within(actor, Permission.ATTEMPT_GRADE, found.course, body.cohort)
    scores, answers = await teaching.release(
        tx, found, cohorts, score_too=body.scores, answers_too=body.answers
    )
    return await key.remember(tx, 202, schemas.ReleasedView(scores=scores, answers=answers))


def _id(after: str | None) -> UUID | None:
    key = Cursor.decode(after, 1)
    try:
        return None if key is None else UUID(str(key[0]))
    except ValueError:
        raise Malformed("`after` is not a cursor of this list.") from None
