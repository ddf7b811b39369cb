"""Rows of personal access tokens: digests alone, in one tenant each; a token that is revoked is gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.permissions import Permission
from kourse.identity.domain.programs import Scope
from kourse.identity.repository.bearers import show, touch
from kourse.identity.tables import personal_token


@dataclass(frozen=True)
class PersonalToken:
    """A token as its holder sees it; the secret itself is nowhere.

    Attributes:
        tenant: The only one that it opens.
        permissions: The most that it allows.
        used_at: About when it was last shown, to the hour; None for never.
    """

    id: UUID
    tenant: str
    account_id: UUID
    name: str
    permissions: frozenset[Permission]
    scope: Scope
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


async def add_token(
    tx: AsyncSession,
    *,
    token_id: UUID,
    account_id: UUID,
    name: str,
    digest: str,
    permissions: Iterable[Permission],
    scope: Scope,
    expires_at: datetime,
) -> PersonalToken:
    """The account has one token more in the tenant."""
    row = await tx.execute(
        insert(personal_token)
        .values(
            id=token_id,
            tenant=tx.info["tenant"],
            account_id=account_id,
            name=name,
            digest=digest,
            permissions=sorted(one.value for one in permissions),
            course=scope.course,
            cohort=scope.cohort,
            expires_at=expires_at,
        )
        .returning(personal_token)
    )
    return _token(row.one())


async def list_tokens(tx: AsyncSession, account_id: UUID) -> list[PersonalToken]:
    """The account's tokens in the tenant, newest first; expired ones too, until they are revoked."""
    statement = (
        select(personal_token)
        .where(personal_token.c.account_id == account_id)
        .order_by(personal_token.c.created_at.desc(), personal_token.c.id)
    )
    return [_token(row) for row in (await tx.execute(statement)).all()]


async def count_tokens(tx: AsyncSession, account_id: UUID) -> int:
    """How many tokens the account has in the tenant."""
    statement = select(func.count()).where(personal_token.c.account_id == account_id)
    return int((await tx.execute(statement)).scalar_one())


async def remove_tokens(
    tx: AsyncSession, account_id: UUID, token_id: UUID | None = None
) -> list[UUID]:
    """Revokes one of the account's tokens in the tenant, or all; returns the ids of those that were there."""
    statement = delete(personal_token).where(personal_token.c.account_id == account_id)
    if token_id is not None:
        statement = statement.where(personal_token.c.id == token_id)
    return list((await tx.execute(statement.returning(personal_token.c.id))).scalars())


async def find_shown(tx: AsyncSession, digest: str) -> PersonalToken | None:
    """The token with this digest, in whichever tenant."""
    await show(tx, digest)
    found = await tx.execute(select(personal_token).where(personal_token.c.digest == digest))
    row = found.one_or_none()
    return None if row is None else _token(row)


async def mark_used(tx: AsyncSession, token_id: UUID) -> None:
    """The token was shown now, as far as an hour's precision tells."""
    await touch(tx, personal_token, token_id)


def _token(row: Row[Any]) -> PersonalToken:
    known = {permission.value for permission in Permission}
    return PersonalToken(
        id=row.id,
        tenant=row.tenant,
        account_id=row.account_id,
        name=row.name,
        permissions=frozenset(Permission(name) for name in row.permissions if name in known),
        scope=Scope(row.course, row.cohort),
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
    )
