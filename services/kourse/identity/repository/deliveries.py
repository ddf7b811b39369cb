"""Rows of deliveries: secrets that somebody asked to have mailed, before any secret exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.identity.tables import delivery

MOST_REDEMPTIONS = 10
"""Mails for one delivery at most, all but one of them after a crash or a refusing mail server."""
KEPT_FOR = timedelta(days=1)
"""How long a delivery waits for the mail service."""


@dataclass(frozen=True)
class Requested:
    """A delivery, with the sealed password that takes effect when its code comes back."""

    id: UUID
    account_id: UUID
    sealed: str


async def add_delivery(
    tx: AsyncSession, *, delivery_id: UUID, account_id: UUID, purpose: str, sealed: str
) -> None:
    """The secret is owed to the account's address."""
    await tx.execute(
        insert(delivery).values(
            id=delivery_id,
            tenant=tx.info["tenant"],
            account_id=account_id,
            purpose=purpose,
            sealed=sealed,
        )
    )


async def count_recent(tx: AsyncSession, account_id: UUID, period: timedelta) -> int:
    """Deliveries that the account asked for in the tenant within a period up to now."""
    statement = (
        select(func.count())
        .select_from(delivery)
        .where(
            delivery.c.account_id == account_id,
            delivery.c.requested_at > func.clock_timestamp() - period,
        )
    )
    return int((await tx.execute(statement)).scalar_one())


async def claim_redemption(tx: AsyncSession, delivery_id: UUID) -> Requested | None:
    """The delivery, one more redemption counted; None when unknown, too old or spent."""
    statement = (
        update(delivery)
        .where(
            delivery.c.id == delivery_id,
            delivery.c.redemptions < MOST_REDEMPTIONS,
            delivery.c.requested_at > func.clock_timestamp() - KEPT_FOR,
        )
        .values(redemptions=delivery.c.redemptions + 1)
        .returning(delivery.c.id, delivery.c.account_id, delivery.c.sealed)
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Requested(row.id, row.account_id, row.sealed)


async def find_delivery(tx: AsyncSession, delivery_id: UUID) -> Requested | None:
    """The delivery with this id."""
    statement = select(delivery.c.id, delivery.c.account_id, delivery.c.sealed).where(
        delivery.c.id == delivery_id
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Requested(row.id, row.account_id, row.sealed)


async def remove_deliveries(tx: AsyncSession, account_id: UUID) -> None:
    """No password that somebody once proposed for the account is kept in this tenant."""
    await tx.execute(delete(delivery).where(delivery.c.account_id == account_id))
