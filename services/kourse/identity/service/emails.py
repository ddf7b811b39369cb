"""Changing the address of an account: the new one is verified first, and the former one is told."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.events import EmailChanged, VerificationRequested
from kourse.identity.domain.accounts import Account
from kourse.identity.errors import CodeRejected
from kourse.identity.repository import accounts, audit, deliveries
from kourse.identity.repository.codes import change_of
from kourse.identity.repository.deliveries import DeliveryPurpose
from kourse.identity.repository.one_time_tokens import Purpose
from kourse.identity.service.confirming import Confirmation, ensure_holder
from kourse.identity.service.house import House
from kourse.identity.service.mailed_codes import recognise
from kourse.kit.auth import Actor
from kourse.kit.ids import new_id
from kourse.kit.outbox import emit


async def request_change(
    house: House, actor: Actor, presented: Confirmation, new_email: str
) -> None:
    """The new address gets a code, unless another account has it; nobody is told which.

    Raises:
        InvalidCredentials: What was presented does not open the account.
        FactorRequired: A code of the second factor is missing.
    """
    async with house.database.transaction(actor.tenant) as tx:
        account = await accounts.get_account(tx, actor.user_id)
    await ensure_holder(house, account, presented)
    async with house.database.transaction(actor.tenant) as tx:
        most = house.settings.codes_per_hour
        may_send = await deliveries.may_add(tx, account.id, DeliveryPurpose.CHANGE_EMAIL, most=most)
        if may_send and await accounts.find_account_by_email(tx, new_email) is None:
            await _send_code(tx, account, new_email)
        await audit.record(tx, "account.request-email", actor=account.id, target=account.id)


async def _send_code(tx: AsyncSession, account: Account, new_email: str) -> None:
    delivery_id = new_id()
    await deliveries.add_delivery(
        tx,
        delivery_id=delivery_id,
        account_id=account.id,
        purpose=DeliveryPurpose.CHANGE_EMAIL,
        recipient=new_email,
    )
    await emit(
        tx,
        VerificationRequested(user_id=account.id, delivery_id=delivery_id, locale=account.locale),
    )


async def confirm_change(house: House, actor: Actor, code: str) -> None:
    """The account has the address that the code was mailed to; links sent to the former one are dead.

    Raises:
        CodeRejected: No live delivery to a new address of this account has that code.
        AddressTaken: Another account was faster.
    """
    live = await house.codes.live(change_of(actor.user_id))
    here = {key: one for key, one in live.items() if one.tenant == actor.tenant}
    delivery_id = await recognise(house, here, code)
    if delivery_id is None:
        raise CodeRejected
    async with house.database.transaction(actor.tenant) as tx:
        requested = await deliveries.find_delivery(tx, delivery_id)
        if requested is None or requested.recipient is None:
            raise CodeRejected
        account = await accounts.get_account(tx, actor.user_id)
        new_email = requested.recipient
        await move(tx, account, new_email, actor=actor.user_id)
        await house.credentials.follow(tx, replace(account, email=new_email, is_verified=True))
    await house.one_time_tokens.drop(Purpose.RESET_PASSWORD, actor.user_id)


async def move(tx: AsyncSession, account: Account, new_email: str, *, actor: UUID) -> None:
    """The account's row has the normalised address; the former one is told by mail.

    Raises:
        AddressTaken: Another account has it.
    """
    await accounts.change_email(tx, account.id, new_email)
    await deliveries.remove_deliveries(tx, account.id)
    delivery_id = new_id()
    await deliveries.add_delivery(
        tx,
        delivery_id=delivery_id,
        account_id=account.id,
        purpose=DeliveryPurpose.FORMER_EMAIL,
        recipient=account.email,
    )
    await emit(tx, EmailChanged(user_id=account.id, delivery_id=delivery_id, locale=account.locale))
    await audit.record(tx, "account.change-email", actor=actor, target=account.id)
