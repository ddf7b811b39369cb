"""Rows that whoever shows a secret may see in any tenant, and the coarse mark of its last use.

A secret does not say its tenant. A policy on such tables shows the one row whose digest the transaction
names; nothing else crosses tenants.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Table, func, or_, text, update
from sqlalchemy.ext.asyncio import AsyncSession

PRECISION = timedelta(hours=1)
"""A use is marked when the last mark is older, so that busy programs do not write all the time."""
_SHOW = text("SELECT set_config('app.bearer', :digest, true)")


async def show(tx: AsyncSession, digest: str) -> None:
    """The transaction sees the rows with this digest, whichever their tenant."""
    await tx.execute(_SHOW, {"digest": digest})


async def touch(tx: AsyncSession, table: Table, row_id: UUID) -> None:
    """The row's ``used_at`` is now, give or take an hour."""
    now = func.clock_timestamp()
    stale = or_(table.c.used_at.is_(None), table.c.used_at < now - PRECISION)
    await tx.execute(update(table).where(table.c.id == row_id, stale).values(used_at=now))
