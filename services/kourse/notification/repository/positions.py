"""Positions of feed entries: a person's first is 1, and each that is seen later has a greater one.

The times of entries do not tell in which order they were committed, so a reader who goes on after a time
would miss one that was told before it and committed after it. A position is given when somebody looks,
to what is committed then, under a lock of that person: what is after a position now, was never before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.repository.notices import Told, told_of
from kourse.notification.tables import notification

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_NUMBER = text("""
UPDATE notification.notification AS entry SET position = last.position + fresh.place
FROM (
  SELECT id, row_number() OVER (ORDER BY created_at, id) AS place
  FROM notification.notification
  WHERE tenant = :tenant AND user_id = :user_id AND in_feed AND position IS NULL
) AS fresh, (
  SELECT coalesce(max(position), 0) AS position
  FROM notification.notification
  WHERE tenant = :tenant AND user_id = :user_id AND in_feed
) AS last
WHERE entry.id = fresh.id
""")
_place = notification.c.position


@dataclass(frozen=True)
class Placed:
    """A feed entry at its position."""

    position: int
    told: Told


async def settle(tx: AsyncSession, user_id: UUID) -> None:
    """Every entry of the person's feed that is committed now has its position."""
    fresh = select(notification.c.id).where(*_of(user_id), _place.is_(None)).limit(1)
    if await tx.scalar(fresh) is None:
        return
    tenant = tx.info["tenant"]
    await tx.execute(_LOCK, {"key": f"notification.feed/{tenant}/{user_id}"})
    await tx.execute(_NUMBER, {"tenant": tenant, "user_id": user_id})


async def last_of(tx: AsyncSession, user_id: UUID) -> int:
    """The greatest position in the person's feed, 0 where there is none."""
    query = select(func.coalesce(func.max(_place), 0)).where(*_of(user_id))
    return int((await tx.execute(query)).scalar_one())


async def list_after(tx: AsyncSession, user_id: UUID, position: int, limit: int) -> list[Placed]:
    """The entries of the person's feed after the position, in their order."""
    query = (
        select(notification).where(*_of(user_id), _place > position).order_by(_place).limit(limit)
    )
    return [Placed(row.position, told_of(row)) for row in (await tx.execute(query)).all()]


def _of(user_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return notification.c.user_id == user_id, notification.c.in_feed
