"""Whether it is the holder of an account who asks: password, second factor, or a recovery code."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kourse.identity.domain import tokens
from kourse.identity.domain.accounts import Account
from kourse.identity.errors import FactorRequired, InvalidCredentials
from kourse.identity.repository import accounts, recovery_codes
from kourse.identity.service.credentials import Check, Outcome
from kourse.identity.service.house import House


@dataclass(frozen=True)
class Confirmation:
    """What somebody presents to show that an account is theirs.

    Attributes:
        password: As typed.
        code: Of the second factor; empty when none was given.
        recovery_code: In its place, as typed; empty when none was given.
    """

    password: str
    code: str = ""
    recovery_code: str = ""


async def check(house: House, email: str, presented: Confirmation) -> Check:
    """As the credential store answers; a recovery code stands in for the second factor, once."""
    found = await house.credentials.check(email, presented.password, presented.code)
    if found.outcome is not Outcome.FACTOR_NEEDED or not presented.recovery_code:
        return found
    digest = tokens.recovery_digest(presented.recovery_code)
    async with house.database.transaction(None) as tx:
        account = await accounts.find_account_by_email(tx, email)
        is_spent = account and await recovery_codes.spend_code(tx, account.id, digest)
    return replace(found, outcome=Outcome.RIGHT if is_spent else Outcome.WRONG)


def refusal_of(outcome: Outcome) -> InvalidCredentials | FactorRequired | None:
    """Why credentials alone let nobody in; None when they do."""
    if outcome is Outcome.FACTOR_NEEDED:
        return FactorRequired()
    return None if outcome is Outcome.RIGHT else InvalidCredentials()


async def ensure_holder(house: House, account: Account, presented: Confirmation) -> None:
    """Returns when the account opens with what was presented.

    Raises:
        InvalidCredentials: It does not, or is locked.
        FactorRequired: A code is missing.
    """
    refusal = refusal_of((await check(house, account.email, presented)).outcome)
    if refusal is not None:
        raise refusal
