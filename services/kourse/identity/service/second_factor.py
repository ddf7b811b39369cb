"""The second factor of an account: offered, confirmed, removed, and the codes for a lost device."""

from __future__ import annotations

import secrets
from base64 import b32encode
from dataclasses import dataclass

from kourse.contracts.events import FactorAdded, FactorRemoved
from kourse.identity.domain import tokens, totp
from kourse.identity.domain.accounts import Account
from kourse.identity.errors import CodeRejected, FactorExists
from kourse.identity.repository import accounts, audit, recovery_codes
from kourse.identity.service.confirming import Confirmation, ensure_holder
from kourse.identity.service.house import House
from kourse.kit import clock
from kourse.kit.auth import Actor
from kourse.kit.outbox import emit

ISSUER = "kourse"
RECOVERY_CODES = 10
_RECOVERY_BYTES = 10


@dataclass(frozen=True)
class Offer:
    """A secret for an authenticator application, as text and as the address of a QR code."""

    secret: str
    address: str


async def offer(house: House, actor: Actor, presented: Confirmation) -> Offer:
    """A new secret; it counts for nothing until a code of it came back.

    Raises:
        InvalidCredentials: What was presented does not open the account.
        FactorExists: The account has a second factor already.
        Unavailable: The installation has no key to keep secrets under.
    """
    account = await _account(house, actor)
    await ensure_holder(house, account, presented)
    async with house.database.transaction(None) as tx:
        if (await house.credentials.state(tx, account)).has_factor:
            raise FactorExists
    secret = secrets.token_bytes(totp.SECRET_BYTES)
    sealed = house.vault.seal(secret, bound_to=_offer_to(account))
    await house.factor_offers.put(account.id, sealed)
    return Offer(totp.spelled(secret), totp.address(secret, account=account.email, issuer=ISSUER))


async def confirm(house: House, actor: Actor, code: str) -> list[str]:
    """Log-in asks for codes from now on; returns the recovery codes, which are shown this once.

    The code that confirms opens nothing afterwards (RFC 6238 section 5.2).

    Raises:
        CodeRejected: The code is not of the offered secret, or nothing is offered any more.
    """
    account = await _account(house, actor)
    sealed = await house.factor_offers.attempt(account.id)
    secret = sealed and house.vault.open(sealed, bound_to=_offer_to(account))
    step = secret and totp.matching_step(secret, code, clock.now().timestamp(), after=0)
    if not secret or not step or not await house.factor_offers.take(account.id):
        raise CodeRejected
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    async with house.database.transaction(actor.tenant) as tx:
        await house.credentials.put_factor(tx, account, secret, spent=step)
        digests = [tokens.recovery_digest(one) for one in codes]
        await recovery_codes.replace_codes(tx, account.id, digests)
        await emit(tx, FactorAdded(user_id=account.id))
        await audit.record(tx, "account.add-factor", actor=account.id, target=account.id)
    return codes


async def remove(house: House, actor: Actor, presented: Confirmation) -> None:
    """Log-in asks for the password alone, and no recovery code is left.

    Raises:
        InvalidCredentials: What was presented does not open the account.
        FactorRequired: A code of the factor itself is missing.
    """
    account = await _account(house, actor)
    await ensure_holder(house, account, presented)
    async with house.database.transaction(actor.tenant) as tx:
        await house.credentials.remove_factor(tx, account)
        await recovery_codes.replace_codes(tx, account.id, [])
        await emit(tx, FactorRemoved(user_id=account.id, actor_id=actor.user_id))
        await audit.record(tx, "account.remove-factor", actor=account.id, target=account.id)


async def _account(house: House, actor: Actor) -> Account:
    async with house.database.transaction(actor.tenant) as tx:
        return await accounts.get_account(tx, actor.user_id)


def _offer_to(account: Account) -> str:
    return f"offer/{account.id}"


def _recovery_code() -> str:
    """Eighty random bits, in groups that people can copy."""
    letters = b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))
