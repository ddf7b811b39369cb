"""The port behind which credentials live: our own rows, or an identity provider that stands in.

Identity's ``account`` row is the truth about who there is: id, address, name, whether verified and
whether disabled. The store behind the port holds what opens an account (password, second factor) and
counts failures. Whoever changes the row calls ``follow`` in the same transaction, so that both agree;
a store that cannot be reached raises ``Unavailable`` and the transaction rolls back. A store outside
the database may be one step ahead of a transaction that failed at its commit, so every method may be
repeated with the same outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.identity.domain.accounts import Account


class Outcome(StrEnum):
    """What presented credentials are good for."""

    RIGHT = "right"
    WRONG = "wrong"
    FACTOR_NEEDED = "factor-needed"


@dataclass(frozen=True)
class Check:
    """The answer to presented credentials.

    Attributes:
        outcome: ``FACTOR_NEEDED`` only when the password is right and no code came with it.
        locked_until: End of the lock that this very failure began, else None.
    """

    outcome: Outcome
    locked_until: datetime | None = None


@dataclass(frozen=True)
class CredentialState:
    """What a store knows of an account.

    Attributes:
        has_password: Whether a password opens it.
        has_factor: Whether log-in asks for a code too.
        is_enabled: Whether it opens at all, apart from locks.
        failures: Wrong credentials in a row.
        locked_until: End of the lock in force, else None.
    """

    has_password: bool
    has_factor: bool
    is_enabled: bool
    failures: int
    locked_until: datetime | None


class CredentialStore(Protocol):
    """Keeps what opens accounts and decides whether something does.

    Every method raises ``Unavailable`` when the store cannot be reached.
    """

    async def seal(self, password: str) -> str:
        """The password in a form that may be stored: a PHC string of argon2id."""

    async def create(self, tx: AsyncSession, account: Account, sealed: str | None) -> None:
        """The store knows the account, which this password opens; none does when it is None."""

    async def set_password(self, tx: AsyncSession, account: Account, sealed: str) -> None:
        """The account opens with this sealed password from the commit on, and with no other."""

    async def check(self, email: str, password: str, code: str = "") -> Check:
        """Whether password and code open the account of a normalised address; failures are counted.

        Unknown, disabled and locked accounts answer as a wrong password does, after the same work.
        A code that was used before is wrong.

        Args:
            email: Normalised address.
            password: As typed.
            code: Six digits of the second factor; empty when the person gave none.
        """

    async def follow(self, tx: AsyncSession, account: Account) -> None:
        """The store agrees with the account's row, as it is in this transaction."""

    async def delete(self, tx: AsyncSession, account: Account) -> None:
        """The store knows nothing of the account any more."""

    async def unlock(self, account: Account) -> None:
        """No failure is counted and no lock is in force."""

    async def state(self, tx: AsyncSession, account: Account) -> CredentialState:
        """What the store knows of the account."""

    async def put_factor(
        self, tx: AsyncSession, account: Account, secret: bytes, *, spent: int | None = None
    ) -> None:
        """Log-in asks for codes of this TOTP secret (RFC 6238: SHA-1, six digits, 30 s).

        Args:
            tx: The caller's transaction.
            account: Whose factor.
            secret: What its codes follow from.
            spent: Time step, of now or next to it, whose code was used already.
        """

    async def remove_factor(self, tx: AsyncSession, account: Account) -> None:
        """Log-in asks for the password alone."""

    async def close(self) -> None:
        """The store holds nothing open any more; it is not used afterwards."""
