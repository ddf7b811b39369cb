"""Credentials in identity's own rows, with lockout in the token store: the embedded default."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.identity.domain import totp
from kourse.identity.domain.accounts import Account
from kourse.identity.domain.passwords import prepared
from kourse.identity.repository import accounts, factors
from kourse.identity.repository.accounts import Sealed
from kourse.identity.repository.lockouts import Ending, Lockouts
from kourse.identity.service.credentials import Check, CredentialState, Outcome
from kourse.identity.service.hashing import HashPool
from kourse.kit import clock
from kourse.kit.db import Database
from kourse.kit.vault import Vault

_ENDINGS: dict[Outcome, Ending] = {
    Outcome.RIGHT: "right",
    Outcome.WRONG: "wrong",
    Outcome.FACTOR_NEEDED: "dropped",
}


class LocalCredentials:
    """The ``CredentialStore`` that needs nothing but PostgreSQL and the token store."""

    def __init__(
        self, database: Database, pool: HashPool, lockouts: Lockouts, vault: Vault
    ) -> None:
        self._database = database
        self._pool = pool
        self._lockouts = lockouts
        self._vault = vault

    async def seal(self, password: str) -> str:
        """The password as an argon2id string."""
        return await self._pool.seal(prepared(password))

    async def create(self, tx: AsyncSession, account: Account, sealed: str | None) -> None:
        """Writes the credential's row when there is a password."""
        if sealed is not None:
            await accounts.put_sealed(tx, account.id, sealed)

    async def set_password(self, tx: AsyncSession, account: Account, sealed: str) -> None:
        """Writes the credential's row in the caller's transaction."""
        await accounts.put_sealed(tx, account.id, sealed)

    async def check(self, email: str, password: str, code: str = "") -> Check:
        """Whether password and code are right and the address is not locked.

        A slot is taken before the hash, so parallel guesses cost at most one set of failures.
        """
        slot = await self._lockouts.reserve(email)
        if slot is None:
            return Check(Outcome.WRONG)
        ending: Ending = "dropped"
        wait = timedelta(0)
        try:
            outcome = await self._outcome(email, prepared(password), code)
            ending = _ENDINGS[outcome]
        finally:
            wait = await self._lockouts.settle(email, slot, ending)
        return Check(outcome, clock.now() + wait if wait else None)

    async def follow(self, tx: AsyncSession, account: Account) -> None:
        """Nothing is left to do: this store reads the account's row itself."""

    async def delete(self, tx: AsyncSession, account: Account) -> None:
        """Removes password and second factor, and forgets failures."""
        await accounts.remove_credential(tx, account.id)
        await factors.remove_factor(tx, account.id)
        await self._lockouts.forget(account.email)

    async def unlock(self, account: Account) -> None:
        """Forgets the failures of the account's address."""
        await self._lockouts.forget(account.email)

    async def state(self, tx: AsyncSession, account: Account) -> CredentialState:
        """What rows and token store say."""
        failures, locked_until = await self._lockouts.standing(account.email)
        return CredentialState(
            has_password=await accounts.has_credential(tx, account.id),
            has_factor=await factors.find_factor(tx, account.id) is not None,
            is_enabled=not account.is_disabled,
            failures=failures,
            locked_until=locked_until,
        )

    async def put_factor(
        self, tx: AsyncSession, account: Account, secret: bytes, *, spent: int | None = None
    ) -> None:
        """Writes the factor's row, its secret encrypted and bound to the account."""
        sealed = self._vault.seal(secret, bound_to=str(account.id))
        await factors.put_factor(tx, account.id, sealed, last_step=spent or 0)

    async def remove_factor(self, tx: AsyncSession, account: Account) -> None:
        """Removes the factor's row."""
        await factors.remove_factor(tx, account.id)

    async def close(self) -> None:
        """Ends the threads that hash."""
        self._pool.close()

    async def _outcome(self, email: str, password: str, code: str) -> Outcome:
        opened = await self._opened(email, password)
        if opened is None:
            return Outcome.WRONG
        if not opened.has_factor:
            return Outcome.RIGHT
        async with self._database.transaction(None) as tx:
            factor = await factors.lock_factor(tx, opened.account_id)
            if factor is None:
                return Outcome.RIGHT
            if not code:
                return Outcome.FACTOR_NEEDED
            secret = self._vault.open(factor.sealed, bound_to=str(opened.account_id))
            step = totp.matching_step(secret, code, clock.now().timestamp(), after=factor.last_step)
            if step is None:
                return Outcome.WRONG
            await factors.spend_step(tx, opened.account_id, step)
        return Outcome.RIGHT

    async def _opened(self, email: str, password: str) -> Sealed | None:
        """What the password opens, as it stood when it was presented."""
        async with self._database.transaction(None) as tx:
            found = await accounts.find_sealed(tx, email)
        if not await self._pool.opens(found.password if found else None, password) or found is None:
            return None
        if self._pool.is_outdated(found.password):
            newer = await self._pool.seal(password)
            async with self._database.transaction(None) as tx:
                await accounts.reseal(tx, found.account_id, old=found.password, new=newer)
        return found
