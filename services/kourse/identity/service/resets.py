"""Forgotten passwords: a link by mail, a new password, and nobody learns who has an account.

The link is for verified members of the tenant. It never locks anything and works while log-in is locked;
its use ends every session and logs nobody in.

Source:
    OWASP Forgot Password Cheat Sheet; OWASP ASVS 5.0 section 6.4.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.events import PasswordReset, ResetRequested
from kourse.identity.domain.accounts import Account, MembershipStatus
from kourse.identity.errors import LinkRejected
from kourse.identity.repository import accounts, audit, deliveries, memberships
from kourse.identity.repository.deliveries import DeliveryPurpose
from kourse.identity.repository.one_time_tokens import Holder, Purpose
from kourse.identity.service import passwords, personal_tokens
from kourse.identity.service.house import House
from kourse.kit import clock
from kourse.kit.ids import new_id
from kourse.kit.outbox import emit

HOUR = timedelta(hours=1)


async def request(house: House, tenant: str, email: str, asker: str) -> None:
    """A link goes to the address when it belongs to a verified member; else nothing happens.

    Args:
        house: Identity's stores and keys.
        tenant: In which tenant.
        email: Normalised address.
        asker: Network address of whoever asks, to bound what they may ask.
    """
    most = house.settings.resets_per_address
    is_allowed = await house.limits.allows("reset", asker, most=most, period=HOUR)
    async with house.database.transaction(tenant) as tx:
        account = await accounts.find_account_by_email(tx, email)
        target = account.id if account else ""
        if account is None or not is_allowed or not await _may_reset(house, tx, account):
            await audit.record(tx, "auth.request-reset", target=target, outcome="refused")
            return
        delivery_id = new_id()
        await deliveries.add_delivery(
            tx,
            delivery_id=delivery_id,
            account_id=account.id,
            purpose=DeliveryPurpose.RESET_PASSWORD,
        )
        await emit(
            tx, ResetRequested(user_id=account.id, delivery_id=delivery_id, locale=account.locale)
        )
        await audit.record(tx, "auth.request-reset", target=target)


async def _may_reset(house: House, tx: AsyncSession, account: Account) -> bool:
    if not account.is_verified or account.is_disabled:
        return False
    if await memberships.find_status(tx, account.id) is not MembershipStatus.ACTIVE:
        return False
    most = house.settings.resets_per_hour
    return await deliveries.may_add(tx, account.id, DeliveryPurpose.RESET_PASSWORD, most=most)


async def reset(house: House, token: str, password: str) -> None:
    """The account opens with the new password alone; its sessions, its tokens and its lock have ended.

    Raises:
        LinkRejected: The token is unknown, spent, too old or not the newest.
        WeakPassword: The password breaks the policy; the token stays good.
        Unavailable: The credential store is away; the token stays good.
    """
    holder = await _live(house, token)
    async with house.database.transaction(None) as tx:
        account = await accounts.find_account(tx, holder.subject)
    if account is None or account.is_disabled:
        raise LinkRejected
    passwords.ensure_good(
        password,
        minimum_length=house.settings.password_min_length,
        email=account.email,
        display_name=account.display_name,
        tenant=holder.tenant,
    )
    sealed = await house.credentials.seal(password)
    async with house.database.transaction(holder.tenant) as tx:
        # Of many who present the token at once, all but the first wait here and find it spent.
        await accounts.lock_account(tx, account.id)
        await _live(house, token)
        await house.credentials.set_password(tx, account, sealed)
        await emit(tx, PasswordReset(user_id=account.id))
        await audit.record(tx, "auth.reset-password", actor=account.id, target=account.id)
        # Before the commit: a crash may end sessions for nothing, but leaves no stolen one alive.
        await house.one_time_tokens.drop(Purpose.RESET_PASSWORD, account.id)
        await personal_tokens.revoke_everywhere(house, tx, account.id)
        await house.families.end_all(account.id)
        await house.families.outdate(account.id, before=clock.now())
    await house.credentials.unlock(account)


async def _live(house: House, token: str) -> Holder:
    holder = await house.one_time_tokens.peek(Purpose.RESET_PASSWORD, token)
    if holder is None:
        raise LinkRejected
    return holder
