"""Personal access tokens: made by somebody who has just shown who they are, revoked at once.

A token is narrower than its holder twice: it names permissions and perhaps one course or cohort, and it
never allows more than its holder may at the moment it is exchanged (``service.exchange``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.contracts.events import TokenCreated
from kourse.contracts.permissions import HOLDERS_ALONE, Permission
from kourse.identity import policies
from kourse.identity.domain import program_secrets, tokens
from kourse.identity.domain.programs import Scope
from kourse.identity.errors import TooMany
from kourse.identity.repository import accounts, audit, memberships, personal_tokens
from kourse.identity.repository.personal_tokens import PersonalToken
from kourse.identity.service.confirming import Confirmation, ensure_holder
from kourse.identity.service.house import House
from kourse.kit import clock
from kourse.kit.auth import Actor
from kourse.kit.ids import new_id
from kourse.kit.outbox import emit

MOST_TOKENS = 50
"""Tokens of one person in one tenant."""


@dataclass(frozen=True)
class NewToken:
    """What somebody wants a token for.

    Attributes:
        name: What they call it.
        permissions: The most that it is to allow; at least one.
        lifetime: After which it opens nothing; whole days.
    """

    name: str
    permissions: frozenset[Permission]
    scope: Scope
    lifetime: timedelta


async def create(
    house: House, actor: Actor, presented: Confirmation, wanted: NewToken
) -> tuple[PersonalToken, str]:
    """The token and its secret, which is shown this once; its holder gets a mail.

    Raises:
        InvalidCredentials: What was presented does not open the account.
        FactorRequired: A code of the second factor is missing.
        Forbidden: The actor does not hold a permission there, or it is no program's.
        TooMany: They have as many as one person may have.
    """
    policies.ensure(
        policies.may_limit(actor, wanted.permissions, wanted.scope, barred=HOLDERS_ALONE)
    )
    async with house.database.transaction(actor.tenant) as tx:
        account = await accounts.get_account(tx, actor.user_id)
    await ensure_holder(house, account, presented)
    secret = program_secrets.make(program_secrets.Kind.PERSONAL_TOKEN)
    async with house.database.transaction(actor.tenant) as tx:
        await accounts.lock_account(tx, account.id)
        if await personal_tokens.count_tokens(tx, account.id) >= MOST_TOKENS:
            raise TooMany("Revoke a token before you make another.")
        made = await personal_tokens.add_token(
            tx,
            token_id=new_id(),
            account_id=account.id,
            name=wanted.name,
            digest=tokens.digest(secret),
            permissions=wanted.permissions,
            scope=wanted.scope,
            expires_at=clock.now() + wanted.lifetime,
        )
        await emit(
            tx,
            TokenCreated(user_id=account.id, grant_id=made.id, expires_at=made.expires_at),
        )
        await audit.record(
            tx,
            "account.create-token",
            actor=account.id,
            target=made.id,
            detail={
                "permissions": sorted(wanted.permissions),
                "course": wanted.scope.course,
                "cohort": wanted.scope.cohort,
                "expiresAt": made.expires_at.isoformat(),
            },
        )
    return made, secret


async def list_own(tx: AsyncSession, actor: Actor) -> list[PersonalToken]:
    """The actor's tokens in this tenant, newest first; expired ones too, until they are revoked."""
    return await personal_tokens.list_tokens(tx, actor.user_id)


async def revoke(house: House, actor: Actor, token_id: UUID | None = None) -> None:
    """One of the actor's tokens in this tenant, or all, open nothing, nor does what they were exchanged for.

    Raises:
        NotFound: They have no such token here.
    """
    async with house.database.transaction(actor.tenant) as tx:
        removed = await personal_tokens.remove_tokens(tx, actor.user_id, token_id)
        if token_id is not None and not removed:
            raise NotFound("There is no such token.")
        for each in removed:
            await audit.record(tx, "account.revoke-token", actor=actor.user_id, target=each)
        await deny(house, removed)


async def revoke_everywhere(house: House, tx: AsyncSession, account_id: UUID) -> None:
    """No token of the account opens anything in any tenant; for when its password was lost.

    Args:
        house: Identity's stores and keys.
        tx: The transaction in which the account is taken back; it stays in its tenant.
        account_id: Whose tokens.
    """
    here = tx.info["tenant"]
    for tenant in await memberships.list_tenants(tx, account_id):
        await memberships.enter(tx, tenant)
        for each in await personal_tokens.remove_tokens(tx, account_id):
            await audit.record(tx, "account.revoke-token", actor=account_id, target=each)
            await deny(house, [each])
    await memberships.enter(tx, here)


async def deny(house: House, secret_ids: Iterable[UUID]) -> None:
    """No access token that these secrets were exchanged for is good any more.

    Called before the commit: a crash may deny a token for nothing, but leaves no revoked one alive.
    """
    for each in secret_ids:
        await house.families.end(str(each))
