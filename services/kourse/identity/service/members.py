"""Who belongs to a tenant and with which roles; for administrators, siblings and the first start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.contracts.events import HeldRole, RolesAssigned
from kourse.contracts.permissions import Role
from kourse.identity import policies
from kourse.identity.domain.accounts import (
    Account,
    Assignment,
    MembershipStatus,
    normalised_email,
)
from kourse.identity.errors import AlreadyMember, LastAdministrator
from kourse.identity.repository import accounts, audit, memberships
from kourse.identity.repository.memberships import Member
from kourse.identity.service import joining, passwords
from kourse.identity.service.house import House
from kourse.kit import clock
from kourse.kit.auth import Actor
from kourse.kit.ids import new_id
from kourse.kit.outbox import emit


@dataclass(frozen=True)
class Admit:
    """An administrator lets somebody in.

    Attributes:
        email: Normalised address.
        roles: Tenant-wide roles.
        password: First password of an account that is not there yet; None leaves the person to
            register with their address, which then needs no further admission.
    """

    email: str
    display_name: str
    locale: str
    roles: tuple[Role, ...]
    password: str | None


async def admit(house: House, tx: AsyncSession, actor: Actor, command: Admit) -> Member:
    """The person is a member with these roles; their account is made when there is none.

    An account that exists keeps its password and its name: administrators of a tenant manage
    memberships, never accounts. With a first password the administrator vouches for the address.

    Raises:
        AlreadyMember: The account stands to the tenant already.
        Forbidden: The actor does not hold all that the roles allow.
        WeakPassword: The first password breaks the policy.
    """
    assignments = [Assignment(role) for role in command.roles]
    policies.ensure(policies.may_grant(actor, assignments))
    account = await _ensure_account(house, tx, command)
    if not await joining.join(tx, account, assignments):
        raise AlreadyMember
    await audit.record(
        tx,
        "membership.admit",
        actor=actor.user_id,
        target=account.id,
        detail={"roles": sorted(one.role.value for one in assignments)},
    )
    return Member(account, MembershipStatus.ACTIVE, tuple(assignments))


async def list_members(
    tx: AsyncSession, *, email: str | None = None, after: UUID | None, limit: int
) -> list[Member]:
    """A page of the tenant's members, oldest accounts first; with an address only whoever has it."""
    return await memberships.list_members(tx, email=email, after=after, limit=limit)


async def assign_roles(
    house: House, actor: Actor, user_id: UUID, assignments: Sequence[Assignment]
) -> None:
    """The member holds exactly these roles, and no access token says otherwise.

    Sessions go on: the next refresh brings a token with the new roles. A repeat changes nothing.

    Raises:
        NotFound: The account is no member here.
        Forbidden: The actor does not hold all that the roles allow, or those that are taken.
        LastAdministrator: Nobody would be left who can assign roles without an end.
    """
    policies.ensure(policies.may_grant(actor, assignments))
    async with house.database.transaction(actor.tenant) as tx:
        await memberships.lock_roles(tx)
        kept = {one.spelled for one in assignments}
        taken = [one for one in await list_roles(tx, user_id) if one.spelled not in kept]
        policies.ensure(policies.may_grant(actor, taken))
        await memberships.replace_assignments(tx, user_id, assignments)
        if not await memberships.is_held_for_good(tx, Role.TENANT_ADMIN):
            raise LastAdministrator
        await audit.record(
            tx,
            "membership.assign-roles",
            actor=actor.user_id,
            target=user_id,
            detail={"roles": sorted(one.spelled for one in assignments)},
        )
        await emit(tx, _assigned(actor.user_id, user_id, assignments))
    await house.families.outdate(user_id, before=clock.now())


async def list_roles(tx: AsyncSession, user_id: UUID) -> list[Assignment]:
    """Every role of a member of the tenant, with those that have ended.

    Raises:
        NotFound: The account is no member here.
    """
    if await memberships.find_status(tx, user_id) is None:
        raise NotFound("There is no such member.")
    return await memberships.list_assignments(tx, user_id)


async def grant_role(house: House, actor: Actor, user_id: UUID, one: Assignment) -> None:
    """The member holds the role there until its end, beside what they hold; a repeat moves the end alone.

    Raises:
        NotFound: The account is no member here.
        Forbidden: The actor does not hold all that the role allows.
        LastAdministrator: Nobody would be left who can assign roles without an end.
    """
    policies.ensure(policies.may_grant(actor, [one]))
    await _change_role(house, actor, user_id, one, keep=True)


async def take_role(house: House, actor: Actor, user_id: UUID, one: Assignment) -> None:
    """The member does not hold the role there, and no access token says otherwise.

    Raises:
        NotFound: The account is no member here, or does not hold it.
        Forbidden: The actor does not hold all that the role allows.
        LastAdministrator: Nobody would be left who can assign roles without an end.
    """
    policies.ensure(policies.may_grant(actor, [one]))
    await _change_role(house, actor, user_id, one, keep=False)


async def _change_role(
    house: House, actor: Actor, user_id: UUID, one: Assignment, *, keep: bool
) -> None:
    async with house.database.transaction(actor.tenant) as tx:
        await memberships.lock_roles(tx)
        held = await list_roles(tx, user_id)
        others = [each for each in held if each.spelled != one.spelled]
        if not keep and len(others) == len(held):
            raise NotFound("They do not hold this role there.")
        await memberships.replace_assignments(tx, user_id, [*others, one] if keep else others)
        if not await memberships.is_held_for_good(tx, Role.TENANT_ADMIN):
            raise LastAdministrator
        action = "membership.grant-role" if keep else "membership.take-role"
        detail = {"role": one.spelled, "until": one.until and one.until.isoformat()}
        await audit.record(tx, action, actor=actor.user_id, target=user_id, detail=detail)
        await tell_roles(tx, actor.user_id, user_id)
    await house.families.outdate(user_id, before=clock.now())


def _assigned(actor_id: UUID, user_id: UUID, assignments: Sequence[Assignment]) -> RolesAssigned:
    roles = [
        HeldRole(role=one.role.value, course=one.course, cohort=one.cohort, until=one.until)
        for one in assignments
    ]
    return RolesAssigned(user_id=user_id, actor_id=actor_id, roles=roles)


async def get_account(tx: AsyncSession, user_id: UUID) -> Account:
    """The account of somebody who is logged in.

    Raises:
        NotFound: It was deleted meanwhile.
    """
    return await accounts.get_account(tx, user_id)


async def list_contacts(house: House, tenant: str, user_ids: Sequence[UUID]) -> list[Account]:
    """How to reach active members of a tenant; others are left out."""
    async with house.database.transaction(tenant) as tx:
        return await memberships.list_contacts(tx, user_ids)


async def ensure_first_administrator(house: House) -> None:
    """The configured administrator is there, at first with every administrator's role; run at every start."""
    settings = house.settings
    if not settings.bootstrap_admin_email:
        return
    tenant = settings.default_tenant
    command = Admit(
        email=normalised_email(settings.bootstrap_admin_email),
        display_name="Administrator",
        locale="en",
        roles=(Role.TENANT_ADMIN, Role.PLATFORM_ADMIN),
        password=settings.bootstrap_admin_password.get_secret_value() or None,
    )
    async with house.database.transaction(tenant) as tx:
        account = await accounts.find_account_by_email(tx, command.email)
        if account is None:
            account = await _ensure_account(house, tx, command)
        assignments = [Assignment(role) for role in command.roles]
        if await joining.join(tx, account, assignments):
            await audit.record(tx, "membership.bootstrap", actor="installer", target=account.id)
        else:
            await _ensure_platform_administrator(tx, account)


async def tell_roles(tx: AsyncSession, actor_id: UUID, user_id: UUID) -> None:
    """Whoever keeps track learns which roles the member holds now."""
    held = await memberships.list_assignments(tx, user_id)
    await emit(tx, _assigned(actor_id, user_id, held))


async def _ensure_platform_administrator(tx: AsyncSession, account: Account) -> None:
    """Gives the role to the configured administrator when nobody holds it, as in older installations.

    Nobody else could: no one gives a role that allows more than they may themselves.
    """
    await memberships.lock_roles(tx)
    is_active = await memberships.find_status(tx, account.id) is MembershipStatus.ACTIVE
    if not is_active or await memberships.is_held_for_good(tx, Role.PLATFORM_ADMIN):
        return
    await memberships.add_assignments(tx, account.id, [Assignment(Role.PLATFORM_ADMIN)])
    await audit.record(tx, "membership.bootstrap", actor="installer", target=account.id)
    await tell_roles(tx, account.id, account.id)


async def _ensure_account(house: House, tx: AsyncSession, command: Admit) -> Account:
    account_id = new_id()
    sealed = await _sealed_first_password(house, tx.info["tenant"], command)
    is_new = await accounts.add_account(
        tx,
        account_id=account_id,
        email=command.email,
        display_name=command.display_name,
        locale=command.locale,
        is_verified=sealed is not None,
    )
    account = await accounts.find_account_by_email(tx, command.email)
    if account is None:
        raise NotFound("The account was deleted at this moment.")
    if is_new:
        await house.credentials.create(tx, account, sealed)
    return account


async def _sealed_first_password(house: House, tenant: str, command: Admit) -> str | None:
    if command.password is None:
        return None
    passwords.ensure_good(
        command.password,
        minimum_length=house.settings.password_min_length,
        email=command.email,
        display_name=command.display_name,
        tenant=tenant,
    )
    return await house.credentials.seal(command.password)
