"""Secrets of mails that are about to leave: made at the last moment, so that none waits in a row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from kourse.contracts.errors import NotFound
from kourse.identity.domain.accounts import Account
from kourse.identity.repository import accounts, deliveries, invitations
from kourse.identity.repository.codes import change_of, registration_of
from kourse.identity.repository.deliveries import DeliveryPurpose, Requested
from kourse.identity.repository.one_time_tokens import Purpose
from kourse.identity.service.house import House
from kourse.identity.service.mailed_codes import make_code
from kourse.kit import clock


@dataclass(frozen=True)
class Redeemed:
    """The secret part of a mail, and whom it goes to.

    Attributes:
        email: Where the mail goes; not always the account's present address.
        display_name: What the person wants to be called.
        locale: BCP 47 tag.
        secret: Code or token; empty for a mail that only tells something.
        lifetime: For how long the secret is good.
    """

    email: str
    display_name: str
    locale: str
    secret: str
    lifetime: timedelta


async def redeem_delivery(house: House, tenant: str, delivery_id: UUID) -> Redeemed:
    """A fresh secret for a mail that is about to leave; each secret is handed out once.

    A sender that died before the mail left redeems again and gets another; the earlier is dead.

    Raises:
        NotFound: The delivery is unknown here, too old, or needed no more.
    """
    invitation = await _redeem_invitation(house, tenant, delivery_id)
    if invitation is not None:
        return invitation
    async with house.database.transaction(tenant) as tx:
        requested = await deliveries.claim_redemption(tx, delivery_id)
        account = await accounts.find_account(tx, requested.account_id) if requested else None
        if requested is None or account is None or not _is_needed(requested, account):
            raise NotFound("There is nothing to deliver.")
    secret = await _secret(house, tenant, requested, account)
    return Redeemed(
        email=requested.recipient or account.email,
        display_name=account.display_name,
        locale=account.locale,
        secret=secret,
        lifetime=house.codes.lifetime,
    )


async def _redeem_invitation(house: House, tenant: str, delivery_id: UUID) -> Redeemed | None:
    async with house.database.transaction(tenant) as tx:
        found = await invitations.claim_redemption(tx, delivery_id)
    if found is None:
        return None
    lifetime = found.expires_at - clock.now()
    token = await house.one_time_tokens.issue(Purpose.INVITATION, found.id, tenant, lifetime)
    return Redeemed(found.email, "", found.locale, token, lifetime)


def _is_needed(requested: Requested, account: Account) -> bool:
    if account.is_disabled:
        return False
    return not (requested.purpose is DeliveryPurpose.VERIFY_EMAIL and account.is_verified)


async def _secret(house: House, tenant: str, requested: Requested, account: Account) -> str:
    match requested.purpose:
        case DeliveryPurpose.VERIFY_EMAIL:
            return await make_code(house, registration_of(account.id), tenant, requested.id)
        case DeliveryPurpose.CHANGE_EMAIL:
            return await make_code(house, change_of(account.id), tenant, requested.id)
        case DeliveryPurpose.RESET_PASSWORD:
            return await house.one_time_tokens.issue(
                Purpose.RESET_PASSWORD, account.id, tenant, house.codes.lifetime
            )
        case DeliveryPurpose.FORMER_EMAIL:
            return ""
