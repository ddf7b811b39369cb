"""Routes for those who teach: what was handed in, more time, and groups that hand in as one."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from kourse.contracts.errors import Malformed
from kourse.contracts.permissions import Permission
from kourse.contracts.resources.meta import Name
from kourse.course.api import work_views
from kourse.course.schemas import work as schemas
from kourse.course.service import extensions, handed_in, work_groups
from kourse.kit.auth import Actor, allow
from kourse.kit.auth.scope import cohorts_within
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit, Page
from kourse.kit.idempotency import IdempotencyKey, idempotency
from kourse.kit.runtime import CurrentRuntime

router = APIRouter(tags=["teaching"])
CourseName = Annotated[Name, Path(description="Name of the course.")]
AssignmentKey = Annotated[Name, Path(description="Key of the assignment.")]
GroupName = Annotated[Name, Path(description="Name of the group.")]
Cohort = Annotated[Name | None, Query(description="Only of this cohort.")]
Reader = Annotated[Actor, allow(Permission.SUBMISSION_READ, scoped=True)]
Extender = Annotated[Actor, allow(Permission.ASSIGNMENT_EXTEND, scoped=True)]
Key = Annotated[IdempotencyKey, idempotency()]
_ASSIGNMENT = "/v1/courses/{course}/assignments/{assignment}"


@router.get(f"{_ASSIGNMENT}/submissions", summary="What was handed in")
async def list_submissions(
    actor: Reader,
    tx: Transaction,
    course: CourseName,
    assignment: AssignmentKey,
    cohort: Cohort = None,
    limit: Limit = 20,
    after: After = None,
) -> Page[schemas.SubmissionView]:
    """Submissions of the learners whom you may see, in the order in which they were begun."""
    cohorts = cohorts_within(actor, Permission.SUBMISSION_READ, course, cohort)
    rows = await handed_in.list_submissions(
        tx, course, assignment, cohorts=cohorts, after=_id(after), limit=limit + 1
    )
    shown, following = Cursor.page(rows, limit, key=lambda row: (row.id,))
    return Page(items=[work_views.submission(row) for row in shown], next=following)


@router.get(f"{_ASSIGNMENT}/submissions/{{submission_id}}", summary="Every hand-in of a submission")
async def read_submission(
    actor: Reader,
    tx: Transaction,
    runtime: CurrentRuntime,
    course: CourseName,
    assignment: AssignmentKey,
    submission_id: UUID,
) -> schemas.SubmissionDetail:
    """The receipts with links to exactly what was handed in."""
    found, made = await handed_in.read_submission(tx, actor, course, assignment, submission_id)
    receipts = [work_views.receipt(runtime, actor.tenant, one) for one in made]
    return schemas.SubmissionDetail(id=found.id, cohort=found.cohort, receipts=receipts)


@router.post(f"{_ASSIGNMENT}/extensions", status_code=201, summary="Give more time")
async def give_extension(
    actor: Extender,
    tx: Transaction,
    key: Key,
    course: CourseName,
    assignment: AssignmentKey,
    body: schemas.ExtensionOrder,
) -> schemas.ExtensionView:
    """One learner or one cohort has more time from now on, also when it was closed already."""
    order = extensions.Order(body.learner, body.cohort, body.due_at, body.closes_at, body.reason)
    made = await extensions.extend(tx, actor, course, assignment, order)
    return await key.remember(tx, 201, work_views.extension(made))


@router.get(f"{_ASSIGNMENT}/extensions", summary="Who was given more time")
async def list_extensions(
    actor: Extender,
    tx: Transaction,
    course: CourseName,
    assignment: AssignmentKey,
    limit: Limit = 20,
    after: After = None,
) -> Page[schemas.ExtensionView]:
    """Extensions of the learners and cohorts whom you may see, in the order of their giving."""
    cohorts = cohorts_within(actor, Permission.ASSIGNMENT_EXTEND, course)
    rows = await extensions.list_extensions(
        tx, course, assignment, cohorts=cohorts, after=_id(after), limit=limit + 1
    )
    shown, following = Cursor.page(rows, limit, key=lambda row: (row.id,))
    return Page(items=[work_views.extension(row) for row in shown], next=following)


@router.get(f"{_ASSIGNMENT}/groups", summary="Groups that hand in as one")
async def list_groups(
    actor: Extender,
    tx: Transaction,
    course: CourseName,
    assignment: AssignmentKey,
    limit: Limit = 20,
    after: After = None,
) -> Page[schemas.GroupView]:
    """The groups of an assignment, by name."""
    cohorts = cohorts_within(actor, Permission.ASSIGNMENT_EXTEND, course)
    name = Cursor.decode(after, 1)
    rows = await work_groups.list_groups(
        tx,
        course,
        assignment,
        cohorts=cohorts,
        after=str(name[0]) if name else None,
        limit=limit + 1,
    )
    shown, following = Cursor.page(rows, limit, key=lambda row: (row.name,))
    return Page(items=[schemas.GroupView.model_validate(row) for row in shown], next=following)


@router.put(f"{_ASSIGNMENT}/groups/{{group}}", summary="Make up a group")
async def put_group(
    actor: Extender,
    tx: Transaction,
    key: Key,
    course: CourseName,
    assignment: AssignmentKey,
    group: GroupName,
    body: schemas.GroupMembers,
) -> schemas.GroupView:
    """These learners hand in as one, and each gets the grade; until the first of them hands in."""
    members = await work_groups.put_group(tx, actor, course, assignment, group, body.members)
    return await key.remember(tx, 200, schemas.GroupView(name=group, members=members))


@router.delete(f"{_ASSIGNMENT}/groups/{{group}}", status_code=204, summary="Dissolve a group")
async def delete_group(
    actor: Extender,
    tx: Transaction,
    key: Key,
    course: CourseName,
    assignment: AssignmentKey,
    group: GroupName,
) -> None:
    """Its learners hand in alone again; not after they handed in."""
    await work_groups.delete_group(tx, actor, course, assignment, group)
    await key.remember(tx, 204, None)


def _id(after: str | None) -> UUID | None:
    key = Cursor.decode(after, 1)
    try:
        return None if key is None else UUID(str(key[0]))
    except ValueError:
        raise Malformed("`after` is not a cursor of this list.") from None
