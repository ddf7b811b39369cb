"""Rows of memberships and role assignments; row-level security shows the session's tenant only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.permissions import Role
from kourse.identity.domain.accounts import Account, Assignment, MembershipStatus
from kourse.identity.repository.accounts import account_of
from kourse.identity.tables import account, membership, role_assignment
from kourse.kit.ids import new_id

_SET_ACCOUNT = text("SELECT set_config('app.account', :account, true)")
_SET_TENANT = text("SELECT set_config('app.tenant', :tenant, true)")
_STATUS = select(membership.c.status).where(membership.c.user_id == bindparam("user_id"))
_HELD = (
    select(role_assignment)
    .where(role_assignment.c.user_id == bindparam("user_id"))
    .order_by(role_assignment.c.id)
)


@dataclass(frozen=True)
class Member:
    """An account as a member of the session's tenant."""

    account: Account
    status: MembershipStatus
    assignments: tuple[Assignment, ...]


async def add_membership(tx: AsyncSession, user_id: UUID) -> bool:
    """Whether the account became an active member; False when it stands to the tenant already."""
    statement = (
        insert(membership)
        .values(tenant=tx.info["tenant"], user_id=user_id, status=MembershipStatus.ACTIVE.value)
        .on_conflict_do_nothing()
        .returning(membership.c.user_id)
    )
    return (await tx.execute(statement)).scalar_one_or_none() is not None


async def find_status(tx: AsyncSession, user_id: UUID) -> MembershipStatus | None:
    """How the account stands to the tenant; None when it does not belong to it."""
    status = (await tx.execute(_STATUS, {"user_id": user_id})).scalar_one_or_none()
    return None if status is None else MembershipStatus(status)


async def set_status(tx: AsyncSession, user_id: UUID, status: MembershipStatus) -> bool:
    """Whether this call changed how the account stands to the tenant."""
    statement = (
        update(membership)
        .where(membership.c.user_id == user_id, membership.c.status != status.value)
        .values(status=status.value)
        .returning(membership.c.user_id)
    )
    return (await tx.execute(statement)).scalar_one_or_none() is not None


async def remove_member(tx: AsyncSession, user_id: UUID) -> None:
    """The account holds no role and no membership in the tenant."""
    await tx.execute(delete(role_assignment).where(role_assignment.c.user_id == user_id))
    await tx.execute(delete(membership).where(membership.c.user_id == user_id))


async def list_tenants(tx: AsyncSession, user_id: UUID) -> list[str]:
    """Every tenant that the account belongs to, whichever the session is for."""
    await tx.execute(_SET_ACCOUNT, {"account": str(user_id)})
    found = await tx.execute(
        select(membership.c.tenant)
        .where(membership.c.user_id == user_id)
        .order_by(membership.c.tenant)
    )
    await tx.execute(_SET_ACCOUNT, {"account": ""})
    return list(found.scalars())


async def enter(tx: AsyncSession, tenant: str) -> None:
    """The session is for this tenant from now on, for acts that reach several at once."""
    await tx.execute(_SET_TENANT, {"tenant": tenant})
    tx.info["tenant"] = tenant


async def list_assignments(tx: AsyncSession, user_id: UUID) -> list[Assignment]:
    """Every role assignment of an account in the tenant, lapsed ones too."""
    return [_assignment(row) for row in await tx.execute(_HELD, {"user_id": user_id})]


async def add_assignments(
    tx: AsyncSession, user_id: UUID, assignments: Sequence[Assignment]
) -> None:
    """The account holds these roles too; one that it held keeps the term it had."""
    if not assignments:
        return
    rows = [
        {
            "id": new_id(),
            "tenant": tx.info["tenant"],
            "user_id": user_id,
            "role": one.role.value,
            "course": one.course,
            "cohort": one.cohort,
            "until": one.until,
        }
        for one in assignments
    ]
    await tx.execute(insert(role_assignment).on_conflict_do_nothing(), rows)


async def replace_assignments(
    tx: AsyncSession, user_id: UUID, assignments: Sequence[Assignment]
) -> None:
    """The account holds exactly these roles in the tenant."""
    await tx.execute(delete(role_assignment).where(role_assignment.c.user_id == user_id))
    await add_assignments(tx, user_id, assignments)


async def lock_roles(tx: AsyncSession) -> None:
    """Changes of roles in the tenant wait for each other until the transaction ends."""
    key = f"identity.roles/{tx.info['tenant']}"
    await tx.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})


async def is_held_for_good(tx: AsyncSession, role: Role) -> bool:
    """Whether an active member holds the role in all of the tenant without an end."""
    statement = select(
        exists(
            select(role_assignment.c.id)
            .join(membership, membership.c.user_id == role_assignment.c.user_id)
            .where(
                role_assignment.c.role == role.value,
                role_assignment.c.course.is_(None),
                role_assignment.c.cohort.is_(None),
                role_assignment.c.until.is_(None),
                membership.c.status == MembershipStatus.ACTIVE.value,
            )
        )
    )
    return bool((await tx.execute(statement)).scalar_one())


async def list_members(
    tx: AsyncSession, *, email: str | None = None, after: UUID | None, limit: int
) -> list[Member]:
    """Members of the tenant, or the one with that address, in order of their ids: of accounts' age."""
    statement = (
        select(account, membership.c.status)
        .join(membership, membership.c.user_id == account.c.id)
        .order_by(membership.c.user_id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(membership.c.user_id > after)
    if email is not None:
        statement = statement.where(account.c.email == email)
    rows = (await tx.execute(statement)).all()
    held: dict[UUID, list[Assignment]] = {row.id: [] for row in rows}
    for user_id, assignment in await _assignments(tx, list(held)):
        held[user_id].append(assignment)
    return [
        Member(account_of(row), MembershipStatus(row.status), tuple(held[row.id])) for row in rows
    ]


async def list_contacts(tx: AsyncSession, user_ids: Sequence[UUID]) -> list[Account]:
    """Those of the accounts that are active members of the tenant and not disabled."""
    statement = (
        select(account)
        .join(membership, membership.c.user_id == account.c.id)
        .where(
            membership.c.user_id.in_(user_ids),
            membership.c.status == MembershipStatus.ACTIVE.value,
            account.c.disabled_at.is_(None),
        )
    )
    return [account_of(row) for row in (await tx.execute(statement)).all()]


async def _assignments(tx: AsyncSession, user_ids: Sequence[UUID]) -> list[tuple[UUID, Assignment]]:
    rows = await tx.execute(
        select(role_assignment)
        .where(role_assignment.c.user_id.in_(user_ids))
        .order_by(role_assignment.c.id)
    )
    return [(row.user_id, _assignment(row)) for row in rows]


def _assignment(row: Row[Any]) -> Assignment:
    return Assignment(Role(row.role), row.course, row.cohort, row.until)
