"""Registration and the verification of addresses, telling nobody whether an address is known.

The password of a registration is bound to its own delivery: it takes effect only when the code of
that very mail comes back. Whoever registers somebody else's address first gains nothing by it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.events import EmailVerified, VerificationRequested
from kourse.contracts.permissions import Role
from kourse.identity.domain.accounts import Account, Assignment
from kourse.identity.errors import CodeRejected, RegistrationClosed
from kourse.identity.repository import accounts, audit, deliveries
from kourse.identity.repository.codes import registration_of
from kourse.identity.repository.deliveries import DeliveryPurpose
from kourse.identity.service import joining, passwords
from kourse.identity.service.house import House
from kourse.identity.service.mailed_codes import recognise
from kourse.kit.ids import new_id
from kourse.kit.outbox import emit

AS_LEARNER = (Assignment(Role.LEARNER),)
_NO_ACCOUNT = UUID(int=0)


@dataclass(frozen=True)
class Register:
    """A person wants an account and membership of a tenant.

    Attributes:
        email: Normalised address.
        password: As typed.
        locale: BCP 47 tag of the language to write to them.
    """

    email: str
    password: str
    display_name: str
    locale: str


async def register(house: House, tenant: str, command: Register) -> None:
    """The address gets a code by mail, unless it belongs to a verified account already.

    Raises:
        RegistrationClosed: People are admitted by administrators only.
        WeakPassword: The password breaks the policy, whoever the address belongs to.
    """
    if house.settings.registration != "open":
        raise RegistrationClosed
    passwords.ensure_good(
        command.password,
        minimum_length=house.settings.password_min_length,
        email=command.email,
        display_name=command.display_name,
        tenant=tenant,
    )
    sealed = await house.credentials.seal(command.password)
    async with house.database.transaction(tenant) as tx:
        await _register(house, tx, command, sealed)


async def _register(house: House, tx: AsyncSession, command: Register, sealed: str) -> None:
    account_id = new_id()
    is_new = await accounts.add_account(
        tx,
        account_id=account_id,
        email=command.email,
        display_name=command.display_name,
        locale=command.locale,
    )
    account = await accounts.find_account_by_email(tx, command.email)
    if is_new and account is not None:
        await house.credentials.create(tx, account, sealed)
    if account is None or account.is_verified or account.is_disabled:
        await audit.record(
            tx, "auth.register", target=account.id if account else "", outcome="known"
        )
        return
    if is_new:
        await joining.join(tx, account, AS_LEARNER)
    await _request_code(house, tx, account, sealed)
    await audit.record(tx, "auth.register", target=account.id)


async def _request_code(house: House, tx: AsyncSession, account: Account, sealed: str) -> None:
    most = house.settings.codes_per_hour
    if not await deliveries.may_add(tx, account.id, DeliveryPurpose.VERIFY_EMAIL, most=most):
        return
    delivery_id = new_id()
    await deliveries.add_delivery(
        tx,
        delivery_id=delivery_id,
        account_id=account.id,
        purpose=DeliveryPurpose.VERIFY_EMAIL,
        sealed=sealed,
    )
    await emit(
        tx,
        VerificationRequested(user_id=account.id, delivery_id=delivery_id, locale=account.locale),
    )


async def verify_email(house: House, email: str, code: str) -> None:
    """The address is verified, and the password of the registration that was mailed is in force.

    Raises:
        CodeRejected: No live delivery of this address has that code.
    """
    async with house.database.transaction(None) as tx:
        account = await accounts.find_account_by_email(tx, email)
    live = await house.codes.live(registration_of(account.id if account else _NO_ACCOUNT))
    delivery_id = await recognise(house, live, code)
    if account is None or delivery_id is None:
        raise CodeRejected
    if not house.settings.require_verified_email:
        await house.families.end_all(account.id)
    async with house.database.transaction(live[delivery_id].tenant) as tx:
        await _activate(house, tx, account, delivery_id)


async def _activate(house: House, tx: AsyncSession, account: Account, delivery_id: UUID) -> None:
    requested = await deliveries.find_delivery(tx, delivery_id)
    if requested is None or not await accounts.mark_verified(tx, account.id):
        return
    await house.credentials.set_password(tx, account, requested.sealed)
    await open_account(house, tx, account)


async def open_account(house: House, tx: AsyncSession, account: Account) -> None:
    """Somebody whose address was verified in this transaction is in, and passwords still unmailed are void."""
    await house.credentials.follow(tx, replace(account, is_verified=True))
    await deliveries.remove_deliveries(tx, account.id)
    await joining.join(tx, account, AS_LEARNER)
    await emit(tx, EmailVerified(user_id=account.id))
    await audit.record(tx, "auth.verify-email", actor=account.id, target=account.id)
