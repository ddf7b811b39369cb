"""Credentials in a Keycloak realm, which also counts failures and locks.

Keycloak forgets failures as soon as a password is right, also while the code of a second factor is
still due; guesses of codes are therefore counted here as well, under the same policy. The slot that
is taken before a check bounds guesses in parallel, as it does for local credentials.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.identity.domain.accounts import Account
from kourse.identity.domain.keycloak import factor_of, password_of, user_of
from kourse.identity.domain.passwords import prepared
from kourse.identity.domain.totp import code_at
from kourse.identity.repository import links
from kourse.identity.repository.keycloak import Keycloak
from kourse.identity.repository.keycloak_users import KeycloakUsers
from kourse.identity.repository.lockouts import Ending, Lockouts
from kourse.identity.service.credentials import Check, CredentialState, Outcome
from kourse.identity.service.hashing import HashPool
from kourse.kit import clock
from kourse.kit.db import Database

_NOBODY = "00000000-0000-0000-0000-000000000000"
"""Asked about in place of a user that is unknown, so that strangers take as long as members."""


class KeycloakCredentials:
    """The ``CredentialStore`` behind which a realm of Keycloak stands."""

    def __init__(
        self, database: Database, pool: HashPool, lockouts: Lockouts, keycloak: Keycloak
    ) -> None:
        self._database = database
        self._pool = pool
        self._lockouts = lockouts
        self._keycloak = keycloak
        self._users = KeycloakUsers(keycloak)
        self._issuer = keycloak.realm.issuer

    async def seal(self, password: str) -> str:
        """The password as an argon2id string, which Keycloak takes as it is."""
        return await self._pool.seal(prepared(password))

    async def create(self, tx: AsyncSession, account: Account, sealed: str | None) -> None:
        """Makes the user and the link to it.

        A user that has the address already is linked; it is changed only when the address is known
        to be the account's, for whoever registers somebody's address must not take their user over.
        """
        credentials = [password_of(sealed)] if sealed is not None else []
        user = {**user_of(account), "credentials": credentials}
        subject, is_new = await self._users.add(user)
        if not is_new and account.is_verified:
            await self._users.put(subject, user)
        await links.put_link(tx, self._issuer, subject, account.id)

    async def set_password(self, tx: AsyncSession, account: Account, sealed: str) -> None:
        """Replaces the user's password and ends their log-ins at Keycloak."""
        subject = await self._subject(tx, account)
        await self._users.put(subject, {"credentials": [password_of(sealed)]})
        await self._users.end_sessions(subject)

    async def check(self, email: str, password: str, code: str = "") -> Check:
        """Whether Keycloak takes password and code; it counts what it does not take."""
        slot = await self._lockouts.reserve(email)
        if slot is None:
            return Check(Outcome.WRONG)
        ending: Ending = "dropped"
        try:
            async with self._database.transaction(None) as tx:
                subject = await links.find_subject_by_email(tx, self._issuer, email) or _NOBODY
            outcome, ending = await self._outcome(subject, email, prepared(password), code)
        finally:
            wait = await self._lockouts.settle(email, slot, ending)
        if outcome is not Outcome.WRONG:
            return Check(outcome)
        locked_until = (await self._users.failures(subject)).locked_until
        if locked_until is None:
            return Check(outcome, clock.now() + wait if wait else None)
        is_news = await self._lockouts.announce(email, locked_until)
        return Check(outcome, locked_until if is_news else None)

    async def follow(self, tx: AsyncSession, account: Account) -> None:
        """Gives the user the account's address, name and standing; a disabled one is logged out."""
        subject = await self._subject(tx, account)
        await self._users.put(subject, user_of(account))
        if account.is_disabled:
            await self._users.end_sessions(subject)

    async def delete(self, tx: AsyncSession, account: Account) -> None:
        """Removes the user and the link to it."""
        subject = await links.find_subject(tx, self._issuer, account.id)
        if subject is not None:
            await self._users.remove(subject)
            await links.remove_link(tx, self._issuer, account.id)
        await self._lockouts.forget(account.email)

    async def unlock(self, account: Account) -> None:
        """Forgets the user's failures, here and there."""
        async with self._database.transaction(None) as tx:
            subject = await links.find_subject(tx, self._issuer, account.id)
        if subject is not None:
            await self._users.forget_failures(subject)
        await self._lockouts.forget(account.email)

    async def state(self, tx: AsyncSession, account: Account) -> CredentialState:
        """What Keycloak says of the user, with the codes that were counted here."""
        subject = await links.find_subject(tx, self._issuer, account.id) or _NOBODY
        user = await self._users.find(subject)
        kinds = {one["type"] for one in await self._users.credentials(subject)}
        theirs = await self._users.failures(subject)
        count, locked_until = await self._lockouts.standing(account.email)
        ends = [one for one in (theirs.locked_until, locked_until) if one is not None]
        return CredentialState(
            has_password="password" in kinds,
            has_factor="otp" in kinds,
            is_enabled=user is not None and bool(user["enabled"]),
            failures=max(theirs.count, count),
            locked_until=max(ends, default=None),
        )

    async def put_factor(
        self, tx: AsyncSession, account: Account, secret: bytes, *, spent: int | None = None
    ) -> None:
        """Gives the user this one-time password credential and no other.

        Keycloak remembers a code as used when it has checked it, so it is asked about the spent one.
        """
        subject = await self._subject(tx, account)
        await self._users.remove_credentials(subject, "otp")
        await self._users.put(subject, {"credentials": [factor_of(secret)]})
        if spent is not None:
            await self._keycloak.code_opens(account.email, code_at(secret, spent))

    async def remove_factor(self, tx: AsyncSession, account: Account) -> None:
        """Takes the user's one-time password credentials away."""
        subject = await self._subject(tx, account)
        await self._users.remove_credentials(subject, "otp")

    async def close(self) -> None:
        """Ends the threads that hash and the connections to Keycloak."""
        self._pool.close()
        await self._keycloak.close()

    async def _outcome(
        self, subject: str, email: str, password: str, code: str
    ) -> tuple[Outcome, Ending]:
        """What the credentials are good for, and how that counts here."""
        if not await self._keycloak.password_opens(email, password):
            return Outcome.WRONG, "dropped"
        kinds = {one["type"] for one in await self._users.credentials(subject)}
        if "otp" not in kinds:
            return Outcome.RIGHT, "right"
        if not code:
            return Outcome.FACTOR_NEEDED, "dropped"
        if await self._keycloak.code_opens(email, code):
            return Outcome.RIGHT, "right"
        return Outcome.WRONG, "wrong"

    async def _subject(self, tx: AsyncSession, account: Account) -> str:
        """The account's user, which is made when the realm never heard of the account."""
        found = await links.find_subject(tx, self._issuer, account.id)
        if found is not None:
            return found
        subject, _ = await self._users.add(user_of(account))
        await links.put_link(tx, self._issuer, subject, account.id)
        return subject
