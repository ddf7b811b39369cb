"""People whose accounts are gone: what is still on its way about them brings nobody back."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid, any_, exists, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.tables import former_person

_WRITE = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:key, 0))")
_WRITE_ALL = text(
    "SELECT pg_advisory_xact_lock_shared(hashtextextended(key, 0))"
    " FROM unnest(CAST(:keys AS text[])) AS key"
)
_ERASE = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


async def is_former(tx: AsyncSession, user_id: UUID) -> bool:
    """Whether the person's account is gone; the answer holds until the transaction ends."""
    await tx.execute(_WRITE, _key(tx, user_id))
    query = select(exists().where(former_person.c.user_id == user_id))
    return bool((await tx.execute(query)).scalar_one())


async def without_former(tx: AsyncSession, user_ids: Sequence[UUID]) -> list[UUID]:
    """Those whose accounts are there, in the order given; the answer holds until the transaction ends."""
    await tx.execute(_WRITE_ALL, {"keys": [_key(tx, one)["key"] for one in user_ids]})
    query = select(former_person.c.user_id).where(
        former_person.c.user_id == any_(literal(list(user_ids), ARRAY(Uuid)))
    )
    gone = set((await tx.execute(query)).scalars())
    return [one for one in user_ids if one not in gone]


async def add_former(tx: AsyncSession, user_id: UUID) -> None:
    """The person's account is gone; returns when nobody is writing about them any more."""
    await tx.execute(_ERASE, _key(tx, user_id))
    row = insert(former_person).values(tenant=tx.info["tenant"], user_id=user_id)
    await tx.execute(row.on_conflict_do_nothing())


def _key(tx: AsyncSession, user_id: UUID) -> dict[str, str]:
    return {"key": f"notification.person/{tx.info['tenant']}/{user_id}"}
