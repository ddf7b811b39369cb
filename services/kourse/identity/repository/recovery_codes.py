"""Rows of recovery codes, as digests; global like accounts."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.identity.tables import recovery_code


async def replace_codes(tx: AsyncSession, account_id: UUID, digests: Sequence[str]) -> None:
    """The account has these recovery codes and no others."""
    await tx.execute(delete(recovery_code).where(recovery_code.c.account_id == account_id))
    if digests:
        rows = [{"account_id": account_id, "digest": one} for one in digests]
        await tx.execute(insert(recovery_code), rows)


async def spend_code(tx: AsyncSession, account_id: UUID, digest: str) -> bool:
    """Whether the account had this code, which is used up by this call."""
    statement = (
        delete(recovery_code)
        .where(recovery_code.c.account_id == account_id, recovery_code.c.digest == digest)
        .returning(recovery_code.c.digest)
    )
    return (await tx.execute(statement)).scalar_one_or_none() is not None
