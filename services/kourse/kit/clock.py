"""The two clocks: the process's for expiries of its own, the database's for every fact.

Nothing else reads the time, so a test or a review finds each use here.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_DATABASE_NOW = text("SELECT clock_timestamp()")


def now() -> datetime:
    """Time of this process, aware, UTC; for token expiry and the like, never for domain facts."""
    return datetime.now(UTC)


async def database_now(tx: AsyncSession) -> datetime:
    """Time of the database at this instant, not at the transaction's start; aware, UTC."""
    moment: datetime = (await tx.execute(_DATABASE_NOW)).scalar_one()
    return moment.astimezone(UTC)
