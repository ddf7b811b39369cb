"""Rows of second factors; global like accounts, their secrets encrypted by whoever calls."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.identity.tables import factor


@dataclass(frozen=True)
class Factor:
    """A second factor.

    Attributes:
        sealed: Its secret, encrypted.
        last_step: Time step of the last code that was used; no earlier one is taken again.
    """

    sealed: bytes
    last_step: int


async def find_factor(tx: AsyncSession, account_id: UUID) -> Factor | None:
    """The account's second factor."""
    return await _one(tx, _select(account_id))


async def lock_factor(tx: AsyncSession, account_id: UUID) -> Factor | None:
    """The account's second factor, which no other transaction checks meanwhile."""
    return await _one(tx, _select(account_id).with_for_update())


async def put_factor(tx: AsyncSession, account_id: UUID, sealed: bytes, *, last_step: int) -> None:
    """The account's second factor is this one from the commit on; steps up to the last are spent."""
    await tx.execute(
        insert(factor)
        .values(account_id=account_id, sealed=sealed, last_step=last_step)
        .on_conflict_do_update(
            index_elements=[factor.c.account_id],
            set_={
                "sealed": sealed,
                "last_step": last_step,
                "added_at": func.clock_timestamp(),
            },
        )
    )


async def spend_step(tx: AsyncSession, account_id: UUID, step: int) -> None:
    """Codes of this step and of those before it are spent."""
    await tx.execute(update(factor).where(factor.c.account_id == account_id).values(last_step=step))


async def remove_factor(tx: AsyncSession, account_id: UUID) -> None:
    """The account has no second factor."""
    await tx.execute(delete(factor).where(factor.c.account_id == account_id))


def _select(account_id: UUID) -> Select[tuple[bytes, int]]:
    return select(factor.c.sealed, factor.c.last_step).where(factor.c.account_id == account_id)


async def _one(tx: AsyncSession, statement: Select[tuple[bytes, int]]) -> Factor | None:
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Factor(row.sealed, row.last_step)
