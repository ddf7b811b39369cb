"""Routes for learners: one assignment, its files, handing in, and the receipts."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path

from kourse.contracts.errors import NotFound
from kourse.contracts.permissions import Permission
from kourse.contracts.resources.meta import Name
from kourse.course.api import views, work_views
from kourse.course.domain.handing_in import Written
from kourse.course.schemas import work as schemas
from kourse.course.service import files, handing_in
from kourse.kit.auth import Actor, allow
from kourse.kit.db import Transaction
from kourse.kit.http.files import AnnouncedFile, DraftFileView, OfferedFile
from kourse.kit.http.routes import patient
from kourse.kit.idempotency import IdempotencyKey, idempotency
from kourse.kit.runtime import CurrentRuntime

router = APIRouter(tags=["assignments"])
CourseName = Annotated[Name, Path(description="Name of the course.")]
AssignmentKey = Annotated[Name, Path(description="Key of the assignment.")]
Submitter = Annotated[Actor, allow(Permission.ASSIGNMENT_SUBMIT)]
Key = Annotated[IdempotencyKey, idempotency()]
_ASSIGNMENT = "/v1/courses/{course}/assignments/{assignment}"


@router.get(_ASSIGNMENT, summary="An assignment and your work on it")
async def read_work(
    actor: Submitter,
    tx: Transaction,
    runtime: CurrentRuntime,
    course: CourseName,
    assignment: AssignmentKey,
) -> schemas.OwnWorkView:
    """Dates that hold for you, files that wait, and your receipts."""
    own = await files.read_own(tx, actor.user_id, course, assignment)
    return schemas.OwnWorkView(
        assignment=views.assignment(own.place.work),
        group=list(own.group),
        files=[work_views.draft(row) for row in own.waiting],
        receipts=[work_views.receipt(runtime, actor.tenant, one) for one in own.receipts],
    )


async def _bucket(actor: Submitter, runtime: CurrentRuntime, course: CourseName) -> None:
    """The course's bucket is there before the transaction begins, in which the store is not asked."""
    await files.ensure_place(runtime, actor.tenant, course)


@router.post(
    f"{_ASSIGNMENT}/files",
    status_code=201,
    summary="Announce a file",
    dependencies=[Depends(_bucket)],
)
async def announce_file(
    actor: Submitter,
    tx: Transaction,
    runtime: CurrentRuntime,
    key: Key,
    course: CourseName,
    assignment: AssignmentKey,
    body: AnnouncedFile,
) -> OfferedFile:
    """A link by which exactly this file is sent; confirm it when it was."""
    file = files.Announced(body.name, body.size, body.sha256)
    offer = await files.announce(tx, runtime, actor.user_id, course, assignment, file)
    return await key.remember(tx, 201, work_views.offered(offer))


@router.post(
    f"{_ASSIGNMENT}/files/{{file_id}}/stored", summary="Confirm a file", dependencies=[patient]
)
async def confirm_file(
    actor: Submitter,
    runtime: CurrentRuntime,
    course: CourseName,
    assignment: AssignmentKey,
    file_id: UUID,
) -> DraftFileView:
    """What was sent is read, its digest compared, and kept so that it can be handed in."""
    row = await files.confirm(runtime, actor.tenant, actor.user_id, course, assignment, file_id)
    return work_views.draft(row)


@router.delete(f"{_ASSIGNMENT}/files/{{file_id}}", status_code=204, summary="Withdraw a file")
async def withdraw_file(
    actor: Submitter,
    tx: Transaction,
    key: Key,
    course: CourseName,
    assignment: AssignmentKey,
    file_id: UUID,
) -> None:
    """A file that was not handed in is not kept."""
    await files.withdraw(tx, actor.user_id, course, assignment, file_id)
    await key.remember(tx, 204, None)


@router.post(f"{_ASSIGNMENT}/hand-ins", status_code=201, summary="Hand in")
async def hand_in(
    actor: Submitter,
    tx: Transaction,
    runtime: CurrentRuntime,
    key: Annotated[IdempotencyKey, idempotency(required=True)],
    course: CourseName,
    assignment: AssignmentKey,
    body: schemas.HandIn,
) -> schemas.ReceiptView:
    """Hands in for you or your group; the answer is the receipt, and the last hand-in counts."""
    written = Written(body.statement, str(body.link) if body.link else None)
    order = handing_in.Order(tuple(body.files), written)
    made = await handing_in.hand_in(tx, actor.user_id, course, assignment, order)
    return await key.remember(tx, 201, work_views.receipt(runtime, actor.tenant, made))


@router.get("/v1/submissions/{submission_id}/receipts/{number}", summary="A receipt")
async def read_receipt(
    actor: Submitter,
    tx: Transaction,
    runtime: CurrentRuntime,
    submission_id: UUID,
    number: Annotated[int, Path(ge=1, le=50)],
) -> schemas.ReceiptView:
    """A receipt of yours or your group's, with fresh links to its files."""
    made = await handing_in.own_receipts(tx, actor.user_id, submission_id)
    found = [one for one in made if one.number == number]
    if not found:
        raise NotFound("There is no such receipt of yours.")
    return work_views.receipt(runtime, actor.tenant, found[0])
