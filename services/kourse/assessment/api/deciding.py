"""Routes for teachers who correct, extend and adapt exams."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from kourse.assessment.schemas.deciding import (
    AccommodationOrder,
    AccommodationView,
    ChangeView,
    CourseAccommodationOrder,
    ExtendedView,
    ExtensionOrder,
    ExtensionView,
    RegradeOrder,
    RegradeView,
)
from kourse.assessment.service import accommodating, extending, regrading, teaching
from kourse.contracts.errors import Malformed
from kourse.contracts.permissions import Permission
from kourse.contracts.resources.meta import Name
from kourse.kit.auth import Actor, allow
from kourse.kit.auth.scope import cohorts_within
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit, Page
from kourse.kit.idempotency import IdempotencyKey, idempotency

router = APIRouter(tags=["teaching"])
Grader = Annotated[Actor, allow(Permission.ATTEMPT_GRADE, scoped=True)]
Key = Annotated[IdempotencyKey, idempotency()]
_OWN = "/v1/exams/{exam}/accommodations/{learner_id}"
_COURSE_WIDE = "/v1/courses/{course}/accommodations/{learner_id}"


@router.post("/v1/exams/{exam}/regrades", status_code=201, summary="Plan a regrade")
async def plan_regrade(
    actor: Grader, tx: Transaction, key: Key, exam: Name, body: RegradeOrder
) -> RegradeView:
    """Pins the newest keys of corrected questions; no score changes before the regrade is applied."""
    found = await teaching.get_exam(tx, exam)
    regrading.require_scope(actor, found)
    wanted = [one.wanted() for one in body.corrections]
    planned = await regrading.plan(tx, actor, found, wanted, body.mode, body.reason)
    return await key.remember(tx, 201, RegradeView.of(planned))


@router.get("/v1/regrades/{regrade_id}", summary="A regrade")
async def read_regrade(actor: Grader, tx: Transaction, regrade_id: UUID) -> RegradeView:
    """How far a regrade has come."""
    found, _ = await regrading.read(tx, actor, regrade_id)
    return RegradeView.of(found)


@router.get("/v1/regrades/{regrade_id}/changes", summary="What a regrade changes")
async def list_changes(
    actor: Grader,
    tx: Transaction,
    regrade_id: UUID,
    limit: Limit = 20,
    after: After = None,
) -> Page[ChangeView]:
    """Every graded attempt as it is now and as the corrected keys make it; nothing is written."""
    found, _ = await regrading.read(tx, actor, regrade_id)
    changes = await regrading.preview(tx, found, after=_id(after), limit=limit + 1)
    shown, following = Cursor.page(changes, limit, key=lambda one: (one.attempt.id,))
    return Page(items=[ChangeView.of(one) for one in shown], next=following)


@router.post("/v1/regrades/{regrade_id}/application", status_code=202, summary="Apply a regrade")
async def apply_regrade(actor: Grader, tx: Transaction, key: Key, regrade_id: UUID) -> RegradeView:
    """The corrected keys count from now on; attempts follow within seconds, mastery with them."""
    applied = await regrading.apply(tx, actor, regrade_id)
    return await key.remember(tx, 202, RegradeView.of(applied))


@router.post("/v1/exams/{exam}/extensions", summary="Give more time")
async def extend_attempts(
    actor: Grader, tx: Transaction, key: Key, exam: Name, body: ExtensionOrder
) -> ExtensionView:
    """Attempts end later, and those that have just run out go on; all at once, and all are told."""
    found = await teaching.get_exam(tx, exam)
    cohorts = cohorts_within(actor, Permission.ATTEMPT_GRADE, found.course, body.cohort)
    by = timedelta(minutes=body.minutes)
    extended = await extending.extend(
        tx, actor, found, by=by, cohorts=cohorts, learner_id=body.learner
    )
    view = ExtensionView(attempts=[ExtendedView.of(one) for one in extended])
    return await key.remember(tx, 200, view)


@router.get("/v1/exams/{exam}/accommodations", summary="Accommodations in an exam")
async def list_accommodations(
    actor: Grader, tx: Transaction, exam: Name, limit: Limit = 20, after: After = None
) -> Page[AccommodationView]:
    """What single learners are granted in this exam, by learner."""
    found = await teaching.get_exam(tx, exam)
    given = await accommodating.list_granted(tx, actor, found, after=_id(after), limit=limit + 1)
    shown, following = Cursor.page(given, limit, key=lambda one: (one.learner_id,))
    return Page(items=[AccommodationView.of(one) for one in shown], next=following)


@router.get(_OWN, summary="An accommodation in an exam")
async def read_accommodation(
    actor: Grader, tx: Transaction, exam: Name, learner_id: UUID
) -> AccommodationView:
    """What the learner is granted in this exam alone."""
    found = await teaching.get_exam(tx, exam)
    one = await accommodating.find(tx, actor, found.course, learner_id, found.id)
    return AccommodationView.of(one)


@router.put(_OWN, summary="Accommodate a learner in an exam")
async def put_accommodation(
    actor: Grader,
    tx: Transaction,
    key: Key,
    exam: Name,
    learner_id: UUID,
    body: AccommodationOrder,
) -> AccommodationView:
    """Grants time, attempts or a window; a running attempt gains within seconds, and never loses."""
    found = await teaching.get_exam(tx, exam)
    wanted = body.granted(found.course, learner_id, found.id)
    one = await accommodating.grant(tx, actor, wanted)
    return await key.remember(tx, 200, AccommodationView.of(one))


@router.delete(_OWN, status_code=204, summary="Take an accommodation back")
async def delete_accommodation(
    actor: Grader, tx: Transaction, exam: Name, learner_id: UUID
) -> None:
    """The learner is treated like everybody else in this exam; what runs keeps its time."""
    found = await teaching.get_exam(tx, exam)
    await accommodating.take_back(tx, actor, found.course, learner_id, found.id)


@router.get(_COURSE_WIDE, summary="An accommodation in a course")
async def read_course_accommodation(
    actor: Grader, tx: Transaction, course: Name, learner_id: UUID
) -> AccommodationView:
    """What the learner is granted in every exam of the course."""
    return AccommodationView.of(await accommodating.find(tx, actor, course, learner_id, None))


@router.put(_COURSE_WIDE, summary="Accommodate a learner in a course")
async def put_course_accommodation(
    actor: Grader,
    tx: Transaction,
    key: Key,
    course: Name,
    learner_id: UUID,
    body: CourseAccommodationOrder,
) -> AccommodationView:
    """Grants the same in every exam, where its own come first, and more time for every assignment."""
    one = await accommodating.grant(tx, actor, body.granted(course, learner_id, None))
    return await key.remember(tx, 200, AccommodationView.of(one))


@router.delete(_COURSE_WIDE, status_code=204, summary="Take a course's accommodation back")
async def delete_course_accommodation(
    actor: Grader, tx: Transaction, course: Name, learner_id: UUID
) -> None:
    """Nothing is granted in all exams of the course any more."""
    await accommodating.take_back(tx, actor, course, learner_id, None)


def _id(after: str | None) -> UUID | None:
    key = Cursor.decode(after, 1)
    try:
        return None if key is None else UUID(str(key[0]))
    except ValueError:
        raise Malformed("`after` is not a cursor of this list.") from None
