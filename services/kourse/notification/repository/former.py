"""People whose accounts are gone: what is still on its way about them brings nobody back."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import exists, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.tables import former_person

_WRITE = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:key, 0))")
_ERASE = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


async def is_former(tx: AsyncSession, user_id: UUID) -> bool:
    """Whether the person's account is gone; the answer holds until the transaction ends."""
    await tx.execute(_WRITE, _key(tx, user_id))
    query = select(exists().where(former_person.c.user_id == user_id))
    return bool((await tx.execute(query)).scalar_one())


async def add_former(tx: AsyncSession, user_id: UUID) -> None:
    """The person's account is gone; returns when nobody is writing about them any more."""
    await tx.execute(_ERASE, _key(tx, user_id))
    row = insert(former_person).values(tenant=tx.info["tenant"], user_id=user_id)
    await tx.execute(row.on_conflict_do_nothing())


def _key(tx: AsyncSession, user_id: UUID) -> dict[str, str]:
    return {"key": f"notification.person/{tx.info['tenant']}/{user_id}"}
