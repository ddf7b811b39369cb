"""Suspending, disabling and deleting: what ends, what stays, and who is told, in every tenant at once."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.contracts.events import Event, UserDeleted, UserDisabled, UserEnabled, UserUnlocked
from kourse.contracts.permissions import Role
from kourse.identity.domain.accounts import Account, MembershipStatus
from kourse.identity.errors import LastAdministrator
from kourse.identity.repository import accounts, audit, deliveries, memberships
from kourse.identity.repository.one_time_tokens import Purpose
from kourse.identity.service.confirming import Confirmation, ensure_holder
from kourse.identity.service.house import House
from kourse.kit import clock
from kourse.kit.auth import Actor
from kourse.kit.outbox import emit


async def set_membership(
    house: House, actor: Actor, user_id: UUID, status: MembershipStatus
) -> None:
    """The member stands so to the actor's tenant; a suspended one's tokens for it are dead at once.

    A repeat changes nothing and tells nobody.

    Raises:
        NotFound: The account is no member here.
        LastAdministrator: Nobody would be left who can let people in.
    """
    is_active = status is MembershipStatus.ACTIVE
    async with house.database.transaction(actor.tenant) as tx:
        await memberships.lock_roles(tx)
        if await memberships.find_status(tx, user_id) is None:
            raise NotFound("There is no such member.")
        if not await memberships.set_status(tx, user_id, status):
            return
        if not await memberships.is_held_for_good(tx, Role.TENANT_ADMIN):
            raise LastAdministrator
        await emit(tx, _standing(actor, user_id, is_open=is_active))
        action = "membership.reinstate" if is_active else "membership.suspend"
        await audit.record(tx, action, actor=actor.user_id, target=user_id)
    if not is_active:
        await house.families.outdate(user_id, before=clock.now())


async def set_disabled(house: House, actor: Actor, user_id: UUID, *, is_disabled: bool) -> None:
    """The account lets nobody in, anywhere, or is open again; every tenant it belongs to is told.

    Raises:
        NotFound: There is no such account.
        LastAdministrator: A tenant would be left without one.
    """
    async with house.database.transaction(actor.tenant) as tx:
        account = await accounts.get_account(tx, user_id)
        if not await stand(tx, actor, user_id, is_disabled=is_disabled):
            return
        await house.credentials.follow(tx, replace(account, is_disabled=is_disabled))
    if is_disabled:
        await end_access(house, user_id)


async def stand(tx: AsyncSession, actor: Actor, user_id: UUID, *, is_disabled: bool) -> bool:
    """Whether this call disabled or enabled the account's row, and told every tenant it belongs to."""
    if not await accounts.set_disabled(tx, user_id, is_disabled=is_disabled):
        return False
    await _tell_everywhere(tx, user_id, _standing(actor, user_id, is_open=not is_disabled))
    await memberships.enter(tx, actor.tenant)
    action = "account.disable" if is_disabled else "account.enable"
    await audit.record(tx, action, actor=actor.user_id, target=user_id)
    return True


def _standing(actor: Actor, user_id: UUID, *, is_open: bool) -> Event:
    if is_open:
        return UserEnabled(user_id=user_id, actor_id=actor.user_id)
    return UserDisabled(user_id=user_id, actor_id=actor.user_id)


async def unlock(house: House, actor: Actor, user_id: UUID) -> None:
    """No lock of the account is in force.

    Raises:
        NotFound: There is no such account.
    """
    async with house.database.transaction(actor.tenant) as tx:
        account = await accounts.get_account(tx, user_id)
        told = UserUnlocked(user_id=user_id, actor_id=actor.user_id)
        await _tell_everywhere(tx, user_id, told)
        await memberships.enter(tx, actor.tenant)
        await audit.record(tx, "account.unlock", actor=actor.user_id, target=user_id)
    await house.credentials.unlock(account)


async def delete_own(house: House, actor: Actor, presented: Confirmation) -> None:
    """The actor's account is gone, as ``delete`` says.

    Raises:
        InvalidCredentials: What was presented does not open the account.
        FactorRequired: A code of the second factor is missing.
        LastAdministrator: A tenant would be left without one.
    """
    async with house.database.transaction(actor.tenant) as tx:
        account = await accounts.get_account(tx, actor.user_id)
    await ensure_holder(house, account, presented)
    await delete(house, actor, actor.user_id)


async def delete(house: House, actor: Actor, user_id: UUID) -> None:
    """The account is gone, with credentials, memberships and sessions; its address is free again.

    Every tenant it belonged to is told, so that services forget what says something of the person;
    what must stay stays under the id, which leads to nobody from now on.

    Raises:
        NotFound: There is no such account.
        LastAdministrator: A tenant would be left without one.
    """
    async with house.database.transaction(actor.tenant) as tx:
        await remove(house, tx, actor, await accounts.get_account(tx, user_id))
    await end_access(house, user_id)


async def remove(house: House, tx: AsyncSession, actor: Actor, account: Account) -> None:
    """The account is gone from the commit on, as ``delete`` says, but for its sessions.

    Raises:
        LastAdministrator: A tenant would be left without one.
    """
    for tenant in await memberships.list_tenants(tx, account.id):
        await memberships.enter(tx, tenant)
        await _leave(tx, actor, account)
    await memberships.enter(tx, actor.tenant)
    await audit.record(tx, "account.delete", actor=actor.user_id, target=account.id)
    await house.credentials.delete(tx, account)
    await accounts.remove_account(tx, account.id)


async def _leave(tx: AsyncSession, actor: Actor, account: Account) -> None:
    await memberships.lock_roles(tx)
    had_administrator = await memberships.is_held_for_good(tx, Role.TENANT_ADMIN)
    await deliveries.remove_deliveries(tx, account.id)
    await memberships.remove_member(tx, account.id)
    if had_administrator and not await memberships.is_held_for_good(tx, Role.TENANT_ADMIN):
        raise LastAdministrator
    await emit(tx, UserDeleted(user_id=account.id))
    await audit.record(tx, "membership.end", actor=actor.user_id, target=account.id)


async def _tell_everywhere(tx: AsyncSession, user_id: UUID, event: Event) -> None:
    for tenant in await memberships.list_tenants(tx, user_id):
        await memberships.enter(tx, tenant)
        await emit(tx, event)


async def end_access(house: House, user_id: UUID) -> None:
    """No session, no access token and no link to a new password is good for anything any more."""
    await house.one_time_tokens.drop(Purpose.RESET_PASSWORD, user_id)
    await house.families.end_all(user_id)
    await house.families.outdate(user_id, before=clock.now())
