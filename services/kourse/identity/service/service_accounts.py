"""Service accounts: programs of a tenant that act for themselves, with secrets that overlap and expire.

Nobody makes, changes or gets a secret of a service account that may do more than they may themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.contracts.permissions import Permission
from kourse.identity import policies
from kourse.identity.domain import program_secrets, tokens
from kourse.identity.domain.accounts import Assignment
from kourse.identity.errors import TooMany
from kourse.identity.repository import audit
from kourse.identity.repository import service_accounts as rows
from kourse.identity.repository.service_accounts import Secret, ServiceAccount
from kourse.identity.service import personal_tokens
from kourse.identity.service.house import House
from kourse.kit import clock
from kourse.kit.auth import Actor
from kourse.kit.ids import new_id

MOST_ACCOUNTS = 100
"""Service accounts of one tenant."""
MOST_SECRETS = 2
"""Living secrets of one service account: the one in use and the one that follows it."""


@dataclass(frozen=True)
class Rights:
    """What a service account may do.

    Attributes:
        roles: What it holds and where.
        permissions: The most that the roles allow it; None for all but what is people's alone.
    """

    roles: tuple[Assignment, ...]
    permissions: frozenset[Permission] | None


async def create(
    tx: AsyncSession, actor: Actor, name: str, description: str, rights: Rights
) -> ServiceAccount:
    """A service account without a secret yet.

    Raises:
        Forbidden: The actor does not hold all of it.
        NameTaken: The tenant has one of this name.
        TooMany: The tenant has as many as it may have.
    """
    _ensure_not_above(actor, rights)
    if await rows.count_accounts(tx) >= MOST_ACCOUNTS:
        raise TooMany("Delete a service account before you make another.")
    made = await rows.add_account(
        tx,
        account_id=new_id(),
        name=name,
        description=description,
        roles=rights.roles,
        permissions=rights.permissions,
        created_by=actor.user_id,
    )
    await _record(tx, actor, "create", made.id, rights)
    return made


async def list_all(tx: AsyncSession) -> list[ServiceAccount]:
    """The tenant's service accounts with their secrets, by name."""
    return await rows.list_accounts(tx)


async def change_rights(house: House, actor: Actor, account_id: UUID, rights: Rights) -> None:
    """The service account holds exactly this, and no access token says otherwise.

    Raises:
        NotFound: There is no such service account.
        Forbidden: The actor does not hold all that it had or is to have.
    """
    async with house.database.transaction(actor.tenant) as tx:
        account = await rows.get_account(tx, account_id, change=True)
        _ensure_not_above(actor, Rights(account.roles, account.permissions))
        _ensure_not_above(actor, rights)
        await rows.set_roles(tx, account_id, rights.roles, rights.permissions)
        await _record(tx, actor, "change-rights", account_id, rights)
        await house.families.outdate(account_id, before=clock.now())


async def set_disabled(house: House, actor: Actor, account_id: UUID, *, is_disabled: bool) -> None:
    """The service account gets no token and those it has are dead, or it may go on.

    Raises:
        NotFound: There is no such service account.
    """
    async with house.database.transaction(actor.tenant) as tx:
        account = await rows.get_account(tx, account_id, change=True)
        if account.is_disabled == is_disabled:
            return
        await rows.set_disabled(tx, account_id, is_disabled=is_disabled)
        await _record(tx, actor, "disable" if is_disabled else "enable", account_id)
        if is_disabled:
            await house.families.outdate(account_id, before=clock.now())


async def delete(house: House, actor: Actor, account_id: UUID) -> None:
    """The service account is gone with its secrets and its access tokens.

    Raises:
        NotFound: There is no such service account.
    """
    async with house.database.transaction(actor.tenant) as tx:
        await rows.get_account(tx, account_id, change=True)
        await rows.remove_account(tx, account_id)
        await _record(tx, actor, "delete", account_id)
        await house.families.outdate(account_id, before=clock.now())


async def add_secret(
    house: House, actor: Actor, account_id: UUID, lifetime: timedelta
) -> tuple[Secret, str]:
    """A secret and its text, which is shown this once; an older one stays good beside it.

    Raises:
        NotFound: There is no such service account.
        Forbidden: The actor does not hold all that the service account may do.
        TooMany: It has two that have not expired.
    """
    text = program_secrets.make(program_secrets.Kind.SERVICE_ACCOUNT)
    async with house.database.transaction(actor.tenant) as tx:
        account = await rows.get_account(tx, account_id, change=True)
        _ensure_not_above(actor, Rights(account.roles, account.permissions))
        for each in _expired(account.secrets):
            await rows.remove_secret(tx, account_id, each.id)
        if len(account.secrets) - len(_expired(account.secrets)) >= MOST_SECRETS:
            raise TooMany("Delete one of the two secrets before you make another.")
        made = await rows.add_secret(
            tx,
            account_id,
            secret_id=new_id(),
            digest=tokens.digest(text),
            expires_at=clock.now() + lifetime,
        )
        await _record(tx, actor, "add-secret", account_id, secret=made.id)
    return made, text


async def delete_secret(house: House, actor: Actor, account_id: UUID, secret_id: UUID) -> None:
    """The secret opens nothing, and what it was exchanged for is denied.

    Raises:
        NotFound: There is no such secret.
    """
    async with house.database.transaction(actor.tenant) as tx:
        if not await rows.remove_secret(tx, account_id, secret_id):
            raise NotFound("There is no such secret.")
        await _record(tx, actor, "delete-secret", account_id, secret=secret_id)
        await personal_tokens.deny(house, [secret_id])


def _ensure_not_above(actor: Actor, rights: Rights) -> None:
    policies.ensure(policies.may_grant(actor, rights.roles, rights.permissions))


def _expired(held: Sequence[Secret]) -> list[Secret]:
    now = clock.now()
    return [one for one in held if one.expires_at <= now]


async def _record(
    tx: AsyncSession,
    actor: Actor,
    act: str,
    account_id: UUID,
    rights: Rights | None = None,
    *,
    secret: UUID | None = None,
) -> None:
    detail: dict[str, object] = {}
    if rights is not None:
        detail["roles"] = sorted(one.spelled for one in rights.roles)
        detail["permissions"] = rights.permissions and sorted(rights.permissions)
    if secret is not None:
        detail["secret"] = str(secret)
    action = f"service-account.{act}"
    await audit.record(tx, action, actor=actor.user_id, target=account_id, detail=detail)
