"""Routes of cohorts: joining by code, leaving, and what teachers see and do."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path

from kourse.contracts.errors import Malformed
from kourse.contracts.permissions import Permission
from kourse.kit.auth import Actor, allow
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit, Page
from kourse.kit.idempotency import IdempotencyKey, idempotency
from kourse.kit.runtime import CurrentRuntime
from kourse.profile import schemas
from kourse.profile.service import classes, joining, leading, leaving
from kourse.profile.service.access import enter
from kourse.profile.service.classes import Seen

router = APIRouter(tags=["cohorts"])
CohortName = Annotated[str, Path(max_length=63, description="Name of the cohort.")]
CodeReader = Annotated[Actor, allow(Permission.COHORT_CODE, scoped=True, by_place=True)]


@router.get("/v1/cohorts", summary="Cohorts")
async def list_cohorts(
    actor: Annotated[Actor, allow(Permission.PROFILE_OWN)],
    tx: Transaction,
    limit: Limit = 20,
    after: After = None,
) -> Page[schemas.CohortView]:
    """Cohorts that you are in or teach, by name."""
    key = Cursor.decode(after, 1)
    found = await classes.list_seen(tx, actor, str(key[0]) if key else None, limit + 1)
    items, following = Cursor.page(found, limit, key=lambda seen: (seen.row.name,))
    return Page(items=[_view(seen) for seen in items], next=following)


def _view(seen: Seen) -> schemas.CohortView:
    row = seen.row
    return schemas.CohortView(
        id=row.id,
        name=row.name,
        title=row.title,
        courses=row.courses,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        time_zone=row.time_zone,
        role=seen.role,
        seats=row.seats,
        members=seen.members,
        schedule=[schemas.MeetingView.model_validate(entry) for entry in seen.meetings],
        next_meeting=(
            schemas.OccurrenceView.model_validate(seen.next_meeting) if seen.next_meeting else None
        ),
    )


@router.post("/v1/cohorts/join", summary="Join a cohort")
async def join_cohort(
    runtime: CurrentRuntime,
    actor: Annotated[Actor, allow(Permission.COHORT_JOIN)],
    body: schemas.JoinRequest,
) -> schemas.JoinedView:
    """You are a member of the cohort that the code opens; its courses enrol you."""
    joined = await joining.join(runtime, actor, body.code)
    return schemas.JoinedView(cohort=joined.name, title=joined.title, courses=joined.courses)


@router.post("/v1/cohorts/{cohort}/leave", status_code=204, summary="Leave a cohort")
async def leave_cohort(
    actor: Annotated[Actor, allow(Permission.COHORT_LEAVE)],
    tx: Transaction,
    key: Annotated[IdempotencyKey, idempotency()],
    cohort: CohortName,
) -> None:
    """You are no member any more; what you did in its courses stays yours."""
    await leaving.leave(tx, actor, cohort)
    await key.remember(tx, 204, None)


@router.get("/v1/cohorts/{cohort}", summary="A cohort")
async def read_cohort(
    actor: Annotated[Actor, allow(Permission.PROFILE_OWN)], tx: Transaction, cohort: CohortName
) -> schemas.CohortView:
    """A cohort that you are in or teach."""
    return _view(await classes.read(tx, actor, cohort))


@router.get("/v1/cohorts/{cohort}/code", summary="The join code")
async def read_code(actor: CodeReader, tx: Transaction, cohort: CohortName) -> schemas.CodeView:
    """The code to hand out; a new one where there is none or the last has expired."""
    return schemas.CodeView.model_validate(await classes.read_code(tx, actor, cohort))


@router.post("/v1/cohorts/{cohort}/code", summary="Renew the join code")
async def rotate_code(
    actor: CodeReader,
    tx: Transaction,
    key: Annotated[IdempotencyKey, idempotency()],
    cohort: CohortName,
) -> schemas.CodeView:
    """A new code; the one before opens nothing any more."""
    made = schemas.CodeView.model_validate(await classes.rotate_code(tx, actor, cohort))
    return await key.remember(tx, 200, made)


async def _leader(
    actor: Annotated[Actor, allow(Permission.COHORT_TRANSFER, scoped=True, by_place=True)],
    tx: Transaction,
    cohort: CohortName,
) -> Actor:
    # Before the body is read, of which nobody else learns what is wrong with it.
    await enter(tx, actor, cohort, Permission.COHORT_TRANSFER)
    return actor


@router.put("/v1/cohorts/{cohort}/leader", status_code=204, summary="Hand over a cohort")
async def hand_over(
    actor: Annotated[Actor, Depends(_leader)],
    tx: Transaction,
    cohort: CohortName,
    body: schemas.NewLeader,
) -> None:
    """A member leads the cohort from now on, and whoever led it is a learner again."""
    await leading.hand_over(tx, actor, cohort, body.learner_id)


@router.get("/v1/cohorts/{cohort}/members", summary="Members of a cohort")
async def list_members(
    actor: Annotated[Actor, allow(Permission.COHORT_READ, scoped=True, by_place=True)],
    tx: Transaction,
    cohort: CohortName,
    limit: Limit = 20,
    after: After = None,
) -> Page[schemas.MemberView]:
    """Members of a cohort that you lead or teach, in the order in which they joined; the look is audited."""
    found = await classes.list_members(tx, actor, cohort, _member(after), limit + 1)
    items, following = Cursor.page(found, limit, key=lambda row: (row.joined_at, row.user_id))
    return Page(items=[schemas.MemberView.model_validate(row) for row in items], next=following)


@router.delete("/v1/cohorts/{cohort}/members/{user_id}", status_code=204, summary="Remove a member")
async def remove_member(
    actor: Annotated[Actor, allow(Permission.COHORT_REMOVE, scoped=True, by_place=True)],
    tx: Transaction,
    key: Annotated[IdempotencyKey, idempotency()],
    cohort: CohortName,
    user_id: UUID,
) -> None:
    """They are no member any more, and their seat is free; the removal is audited."""
    await leaving.remove(tx, actor, cohort, user_id)
    await key.remember(tx, 204, None)


def _member(after: str | None) -> tuple[datetime, UUID] | None:
    key = Cursor.decode(after, 2)
    try:
        return (datetime.fromisoformat(str(key[0])), UUID(str(key[1]))) if key else None
    except ValueError:
        raise Malformed("`after` is not a cursor of this list.") from None
