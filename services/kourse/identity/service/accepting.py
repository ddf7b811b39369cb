"""Coming in by an invitation: its link shows that the address is the person's, and opens for nobody else.

The row is what makes it good once; the link's token only leads to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.events import EmailVerified, InvitationAccepted
from kourse.contracts.permissions import Role
from kourse.identity.domain.accounts import Account, Assignment, MembershipStatus
from kourse.identity.errors import LinkRejected, NotAMember
from kourse.identity.repository import accounts, audit, deliveries, invitations, memberships
from kourse.identity.repository.invitations import Invitation, State
from kourse.identity.repository.one_time_tokens import Purpose
from kourse.identity.service import joining, members, passwords
from kourse.identity.service.confirming import Confirmation, ensure_holder
from kourse.identity.service.house import House
from kourse.kit import clock
from kourse.kit.auth import Actor
from kourse.kit.ids import new_id
from kourse.kit.outbox import emit


@dataclass(frozen=True)
class Newcomer:
    """What somebody who follows the link says of themselves.

    Attributes:
        presented: Password of the account that the address has, or the first one of an account to be made.
        display_name: What they want to be called, where an account is made.
        locale: BCP 47 tag, where an account is made.
    """

    presented: Confirmation
    display_name: str
    locale: str


@dataclass(frozen=True)
class _Open:
    """An invitation that may be accepted, where, and who has its address now."""

    tenant: str
    invitation: Invitation
    account: Account | None


async def accept_as(house: House, actor: Actor, token: str) -> None:
    """The actor has come in, when the invitation is for the address that they have verified.

    Raises:
        LinkRejected: The link is not good any more, or is another person's.
        NotAMember: They are suspended there.
    """
    opened = await _open(house, token)
    account = opened.account
    if account is None or account.id != actor.user_id or not account.is_verified:
        raise LinkRejected
    await _come_in(house, opened, None)


async def accept(house: House, token: str, newcomer: Newcomer) -> None:
    """Whoever follows the link has come in: with the account of the address, or with one that is made.

    Raises:
        LinkRejected: The link is not good any more.
        InvalidCredentials: The address has an account that does not open with what was presented.
        FactorRequired: It asks for a code too.
        WeakPassword: The first password breaks the policy; the link stays good.
        NotAMember: They are suspended there.
    """
    opened = await _open(house, token)
    if opened.account is not None and opened.account.is_verified:
        await ensure_holder(house, opened.account, newcomer.presented)
        await _come_in(house, opened, None)
        return
    passwords.ensure_good(
        newcomer.presented.password,
        minimum_length=house.settings.password_min_length,
        email=opened.invitation.email,
        display_name=newcomer.display_name,
        tenant=opened.tenant,
    )
    await _come_in(house, opened, newcomer)


async def _open(house: House, token: str) -> _Open:
    holder = await house.one_time_tokens.peek(Purpose.INVITATION, token)
    if holder is None:
        raise LinkRejected
    async with house.database.transaction(holder.tenant) as tx:
        found = await _still_open(tx, holder.subject)
        account = await accounts.find_account_by_email(tx, found.email)
    if account is not None and account.is_disabled:
        raise LinkRejected
    return _Open(holder.tenant, found, account)


async def _still_open(tx: AsyncSession, invitation_id: UUID) -> Invitation:
    found = await invitations.find_invitation(tx, invitation_id)
    if found is None or found.state is not State.OPEN:
        raise LinkRejected
    return found


async def _come_in(house: House, opened: _Open, newcomer: Newcomer | None) -> None:
    sealed = await house.credentials.seal(newcomer.presented.password) if newcomer else None
    async with house.database.transaction(opened.tenant) as tx:
        invitation = await _still_open(tx, opened.invitation.id)
        if newcomer is None or sealed is None:
            account = await accounts.find_account_by_email(tx, invitation.email)
        else:
            account = await _ensure_account(house, tx, invitation, newcomer, sealed)
        if account is None or account.is_disabled or not account.is_verified:
            raise LinkRejected
        await _join(house, tx, account, invitation)
        await invitations.accept(tx, invitation.id, account.id)
        one = invitation.assignment
        await emit(
            tx,
            InvitationAccepted(
                invitation_id=invitation.id,
                user_id=account.id,
                role=one.role.value,
                cohort=one.cohort,
            ),
        )
        detail = {"role": one.spelled}
        await audit.record(
            tx, "invitation.accept", actor=account.id, target=invitation.id, detail=detail
        )
    await house.one_time_tokens.drop(Purpose.INVITATION, opened.invitation.id)


async def _ensure_account(
    house: House, tx: AsyncSession, invitation: Invitation, newcomer: Newcomer, sealed: str
) -> Account | None:
    """The verified account of the address, which opens with the first password; made when there is none.

    An account that somebody registered but never verified is taken over by whoever got the mail.
    """
    is_new = await accounts.add_account(
        tx,
        account_id=new_id(),
        email=invitation.email,
        display_name=newcomer.display_name,
        locale=newcomer.locale,
        is_verified=True,
    )
    account = await accounts.find_account_by_email(tx, invitation.email)
    if account is None or is_new:
        if account is not None:
            await house.credentials.create(tx, account, sealed)
        return account
    if account.is_disabled or not await accounts.mark_verified(tx, account.id):
        raise LinkRejected
    verified = replace(account, is_verified=True)
    await house.credentials.set_password(tx, account, sealed)
    await house.credentials.follow(tx, verified)
    await house.families.end_all(account.id)
    await deliveries.remove_deliveries(tx, account.id)
    await emit(tx, EmailVerified(user_id=account.id))
    return verified


async def _join(house: House, tx: AsyncSession, account: Account, invitation: Invitation) -> None:
    """The account is a member with the role; whoever comes in for one part of the tenant learns in all of it."""
    one = invitation.assignment
    held = [one] if one.is_tenant_wide else [Assignment(Role.LEARNER), one]
    if await joining.join(tx, account, held):
        return
    if await memberships.find_status(tx, account.id) is not MembershipStatus.ACTIVE:
        raise NotAMember("Your membership here is suspended.")
    await memberships.lock_roles(tx)
    await memberships.add_assignments(tx, account.id, held)
    await members.tell_roles(tx, invitation.invited_by, account.id)
    await house.families.outdate(account.id, before=clock.now())
