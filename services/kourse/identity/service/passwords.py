"""The password policy with its list of common passwords, and the change of a password by its holder."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from kourse.contracts.events import PasswordChanged
from kourse.identity.domain import passwords
from kourse.identity.errors import WeakPassword
from kourse.identity.repository import accounts, audit
from kourse.identity.repository.one_time_tokens import Purpose
from kourse.identity.service.confirming import Confirmation, ensure_holder
from kourse.identity.service.house import House
from kourse.kit.auth import Actor
from kourse.kit.outbox import emit

_LIST = Path(__file__).parent.parent / "common_passwords.txt"
_DIGITS = 10
_PRODUCT_WORDS = ("kourse", "password", "passwort", "learner", "teacher", "welcome")


async def change(house: House, actor: Actor, presented: Confirmation, password: str) -> None:
    """The account opens with the new password alone; its other sessions and its reset links are dead.

    Raises:
        InvalidCredentials: What was presented does not open the account.
        FactorRequired: A code of the second factor is missing.
        WeakPassword: The new password breaks the policy.
    """
    async with house.database.transaction(actor.tenant) as tx:
        account = await accounts.get_account(tx, actor.user_id)
    await ensure_holder(house, account, presented)
    ensure_good(
        password,
        minimum_length=house.settings.password_min_length,
        email=account.email,
        display_name=account.display_name,
        tenant=actor.tenant,
    )
    sealed = await house.credentials.seal(password)
    async with house.database.transaction(actor.tenant) as tx:
        await house.credentials.set_password(tx, account, sealed)
        await emit(tx, PasswordChanged(user_id=account.id))
        await audit.record(tx, "account.change-password", actor=account.id, target=account.id)
        # Before the commit: a crash may end sessions for nothing, but leaves no stolen one alive.
        await house.one_time_tokens.drop(Purpose.RESET_PASSWORD, account.id)
        await house.families.end_all(account.id, but=actor.session_id)


def ensure_good(
    password: str, *, minimum_length: int, email: str, display_name: str, tenant: str
) -> None:
    """Returns when the password is good enough for this person here.

    Raises:
        WeakPassword: It is not; the error names every fault.
    """
    found = passwords.faults(
        password,
        minimum_length=minimum_length,
        context=[
            *_PRODUCT_WORDS,
            tenant,
            email,
            email.split("@", maxsplit=1)[0],
            *_words(display_name),
        ],
        is_common=is_common,
    )
    if found:
        raise WeakPassword.because(found)


def is_common(text: str) -> bool:
    """Whether a case-folded text is on the list of common passwords."""
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS] in _common()


@cache
def _common() -> frozenset[str]:
    lines = _LIST.read_text(encoding="ascii").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def _words(name: str) -> list[str]:
    return [name, name.replace(" ", ""), *name.split()]
