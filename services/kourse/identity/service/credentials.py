"""Where passwords live, behind one port: our own rows, or an identity provider that stands in."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.identity.domain.passwords import prepared
from kourse.identity.repository import accounts
from kourse.identity.repository.lockouts import Ending, Lockouts
from kourse.identity.service.hashing import HashPool
from kourse.kit.db import Database


class CredentialStore(Protocol):
    """Keeps passwords and decides whether one opens an account."""

    async def seal(self, password: str) -> str:
        """The password in a form that may be stored: a PHC string of argon2id."""

    async def adopt(self, tx: AsyncSession, account_id: UUID, sealed: str) -> None:
        """The account opens with this sealed password from the commit on, and with no other."""

    async def opens(self, email: str, password: str) -> bool:
        """Whether the password opens the account of a normalised address.

        Unknown, disabled and locked accounts answer as a wrong password does, after the same work.

        Raises:
            Unavailable: The store cannot tell right now.
        """


class LocalCredentials:
    """Credentials in identity's own rows, with lockout in the token store."""

    def __init__(self, database: Database, pool: HashPool, lockouts: Lockouts) -> None:
        self._database = database
        self._pool = pool
        self._lockouts = lockouts

    async def seal(self, password: str) -> str:
        """The password as an argon2id string."""
        return await self._pool.seal(prepared(password))

    async def adopt(self, tx: AsyncSession, account_id: UUID, sealed: str) -> None:
        """Writes the credential's row in the caller's transaction."""
        await accounts.put_sealed(tx, account_id, sealed)

    async def opens(self, email: str, password: str) -> bool:
        """Whether the password is right and the address is not locked.

        A slot is taken before the hash, so parallel guesses cost at most one set of failures.
        """
        slot = await self._lockouts.reserve(email)
        if slot is None:
            return False
        ending: Ending = "dropped"
        try:
            ending = "right" if await self._matches(email, prepared(password)) else "wrong"
        finally:
            await self._lockouts.settle(email, slot, ending)
        return ending == "right"

    async def _matches(self, email: str, password: str) -> bool:
        async with self._database.transaction(None) as tx:
            found = await accounts.find_sealed(tx, email)
        if not await self._pool.opens(found[1] if found else None, password) or found is None:
            return False
        account_id, sealed = found
        if self._pool.is_outdated(sealed):
            newer = await self._pool.seal(password)
            async with self._database.transaction(None) as tx:
                await accounts.reseal(tx, account_id, old=sealed, new=newer)
        return True
