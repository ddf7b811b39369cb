"""Routes by which administrators of a tenant manage who belongs to it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from kourse.contracts.errors import Malformed
from kourse.contracts.permissions import Permission, Role
from kourse.identity.api.shared import CurrentHouse
from kourse.identity.domain.accounts import Assignment
from kourse.identity.schemas import people as schemas
from kourse.identity.service import lifecycle, members, rosters
from kourse.identity.service.members import Admit
from kourse.kit.auth import Actor, allow
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit, Page
from kourse.kit.idempotency import IdempotencyKey, idempotency

router = APIRouter()
Manager = Annotated[Actor, allow(Permission.ACCOUNT_MANAGE)]


@router.post("/v1/memberships", status_code=201, tags=["memberships"])
async def admit_member(
    tx: Transaction,
    house: CurrentHouse,
    actor: Annotated[Actor, allow(Permission.MEMBERSHIP_MANAGE)],
    key: Annotated[IdempotencyKey, idempotency()],
    body: schemas.Admission,
) -> schemas.MemberView:
    """The person is a member with these roles; an account is made when the address has none."""
    command = Admit(
        email=body.email,
        display_name=body.display_name,
        locale=body.locale,
        roles=tuple(dict.fromkeys(body.roles)),
        password=body.password,
    )
    member = await members.admit(house, tx, actor, command)
    return await key.remember(tx, 201, schemas.MemberView.of(member))


@router.post("/v1/memberships/import", tags=["memberships"])
async def import_roster(
    house: CurrentHouse,
    actor: Annotated[Actor, allow(Permission.MEMBERSHIP_MANAGE)],
    body: schemas.Roster,
    dry_run: Annotated[bool, Query(alias="dryRun")] = False,  # noqa: FBT002 -- a query
) -> schemas.RosterReport:
    """Everybody on the list is a member; a repeat changes nothing, and a dry run never does.

    People without an account get in by registering with the address of the list.
    """
    found = await rosters.import_roster(house, actor, body.csv, dry_run=dry_run)
    lines = [schemas.RosterLine.model_validate(one) for one in found]
    return schemas.RosterReport(dry_run=dry_run, lines=lines)


@router.get("/v1/memberships", tags=["memberships"])
async def list_members(
    tx: Transaction,
    _actor: Annotated[Actor, allow(Permission.MEMBERSHIP_MANAGE)],
    email: Annotated[schemas.Email | None, Query(description="Only with this address.")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[schemas.MemberView]:
    """The tenant's members, oldest accounts first."""
    found = await members.list_members(tx, email=email, after=_member_after(after), limit=limit + 1)
    shown, following = Cursor.page(found, limit, key=lambda one: (one.account.id,))
    return Page(items=[schemas.MemberView.of(one) for one in shown], next=following)


@router.put("/v1/memberships/{user_id}/roles", status_code=204, tags=["memberships"])
async def assign_roles(
    user_id: UUID,
    house: CurrentHouse,
    actor: Annotated[Actor, allow(Permission.ROLE_ASSIGN)],
    body: schemas.Roles,
) -> None:
    """The member holds exactly these roles; access tokens that say otherwise are dead at once."""
    await members.assign_roles(house, actor, user_id, [one.assignment() for one in body.roles])


@router.get("/v1/memberships/{user_id}/roles", tags=["memberships"])
async def list_roles(
    user_id: UUID,
    tx: Transaction,
    _actor: Annotated[Actor, allow(Permission.MEMBERSHIP_MANAGE)],
) -> schemas.RolesView:
    """Every role of the member with its scope and its end, those that have ended too."""
    found = await members.list_roles(tx, user_id)
    return schemas.RolesView(roles=[schemas.HeldRole.of(one) for one in found])


@router.post("/v1/memberships/{user_id}/roles", status_code=204, tags=["memberships"])
async def grant_role(
    user_id: UUID,
    house: CurrentHouse,
    actor: Annotated[Actor, allow(Permission.ROLE_ASSIGN)],
    body: schemas.HeldRole,
) -> None:
    """The member holds this role too; a repeat moves its end alone."""
    await members.grant_role(house, actor, user_id, body.assignment())


@router.delete("/v1/memberships/{user_id}/roles/{role}", status_code=204, tags=["memberships"])
async def take_role(
    user_id: UUID,
    role: Role,
    house: CurrentHouse,
    actor: Annotated[Actor, allow(Permission.ROLE_ASSIGN)],
    course: schemas.Label | None = None,
    cohort: schemas.Label | None = None,
) -> None:
    """The member does not hold this role there; access tokens that say otherwise are dead at once."""
    if course and cohort:
        raise Malformed("Name a course or a cohort, not both.")
    await members.take_role(house, actor, user_id, Assignment(role, course, cohort))


@router.put("/v1/memberships/{user_id}/status", status_code=204, tags=["memberships"])
async def change_membership(
    user_id: UUID,
    house: CurrentHouse,
    actor: Annotated[Actor, allow(Permission.MEMBERSHIP_MANAGE)],
    body: schemas.MembershipChange,
) -> None:
    """The member is active or suspended; a suspended one's sessions here end at once."""
    await lifecycle.set_membership(house, actor, user_id, body.status)


@router.put("/v1/accounts/{user_id}/status", status_code=204, tags=["accounts"])
async def change_account(
    user_id: UUID, house: CurrentHouse, actor: Manager, body: schemas.AccountChange
) -> None:
    """The account is open or disabled in every tenant; a disabled one's sessions end at once."""
    is_disabled = body.status == "disabled"
    await lifecycle.set_disabled(house, actor, user_id, is_disabled=is_disabled)


@router.post("/v1/accounts/{user_id}/unlock", status_code=204, tags=["accounts"])
async def unlock_account(user_id: UUID, house: CurrentHouse, actor: Manager) -> None:
    """No lock after wrong passwords is in force."""
    await lifecycle.unlock(house, actor, user_id)


@router.delete("/v1/accounts/{user_id}", status_code=204, tags=["accounts"])
async def delete_account(user_id: UUID, house: CurrentHouse, actor: Manager) -> None:
    """The account is gone in every tenant; services forget what says something of the person."""
    await lifecycle.delete(house, actor, user_id)


def _member_after(cursor: str | None) -> UUID | None:
    key = Cursor.decode(cursor, 1)
    try:
        return None if key is None else UUID(key[0])
    except (ValueError, AttributeError, TypeError):
        raise Malformed("`after` is not a cursor of this list.") from None
