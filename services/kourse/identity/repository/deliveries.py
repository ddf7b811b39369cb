"""Rows of deliveries: secrets that somebody asked to have mailed, before any secret exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.identity.repository.accounts import lock_account
from kourse.identity.tables import delivery

MOST_REDEMPTIONS = 10
"""Mails for one delivery at most, all but one of them after a crash or a refusing mail server."""
KEPT_FOR = timedelta(days=1)
"""How long a delivery waits for the mail service."""
_HOUR = timedelta(hours=1)


class DeliveryPurpose(StrEnum):
    """Why somebody gets a mail that asks identity for its content."""

    VERIFY_EMAIL = "verify-email"
    CHANGE_EMAIL = "change-email"
    RESET_PASSWORD = "reset-password"  # noqa: S105 - a purpose's name
    FORMER_EMAIL = "former-email"


@dataclass(frozen=True)
class Requested:
    """A delivery.

    Attributes:
        sealed: Password that takes effect when the code of a registration comes back; else empty.
        recipient: Where it goes; None for the account's present address.
    """

    id: UUID
    account_id: UUID
    purpose: DeliveryPurpose
    sealed: str
    recipient: str | None


_COLUMNS = (
    delivery.c.id,
    delivery.c.account_id,
    delivery.c.purpose,
    delivery.c.sealed,
    delivery.c.recipient,
)


async def add_delivery(
    tx: AsyncSession,
    *,
    delivery_id: UUID,
    account_id: UUID,
    purpose: DeliveryPurpose,
    sealed: str = "",
    recipient: str | None = None,
) -> None:
    """The secret is owed to the recipient, which is by default the account's address."""
    await tx.execute(
        insert(delivery).values(
            id=delivery_id,
            tenant=tx.info["tenant"],
            account_id=account_id,
            purpose=purpose.value,
            sealed=sealed,
            recipient=recipient,
        )
    )


async def may_add(
    tx: AsyncSession, account_id: UUID, purpose: DeliveryPurpose, *, most: int
) -> bool:
    """Whether fewer than ``most`` were asked for in the tenant within the hour up to now.

    Whoever asks for the same account waits until this transaction ends, so that a limit holds however
    many ask at once.
    """
    await lock_account(tx, account_id)
    recent = (
        select(func.count())
        .select_from(delivery)
        .where(
            delivery.c.account_id == account_id,
            delivery.c.purpose == purpose.value,
            delivery.c.requested_at > func.clock_timestamp() - _HOUR,
        )
    )
    return int((await tx.execute(recent)).scalar_one()) < most


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
        .returning(*_COLUMNS)
    )
    return _requested((await tx.execute(statement)).one_or_none())


async def find_delivery(tx: AsyncSession, delivery_id: UUID) -> Requested | None:
    """The delivery with this id."""
    statement = select(*_COLUMNS).where(delivery.c.id == delivery_id)
    return _requested((await tx.execute(statement)).one_or_none())


async def remove_deliveries(tx: AsyncSession, account_id: UUID) -> None:
    """Nothing is owed to the account in this tenant, and no password once proposed for it is kept."""
    await tx.execute(delete(delivery).where(delivery.c.account_id == account_id))


def _requested(row: Any) -> Requested | None:
    if row is None:
        return None
    purpose = DeliveryPurpose(row.purpose)
    return Requested(row.id, row.account_id, purpose, row.sealed, row.recipient)
