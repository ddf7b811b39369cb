"""The points ledger: rows are added and never changed, so every point can be explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.kit.ids import new_id
from kourse.notification.domain.points import Earned, Reason
from kourse.notification.tables import points_entry


@dataclass(frozen=True)
class Entry:
    """Points that were given, and what for."""

    id: UUID
    reason: Reason
    points: int
    title: str
    course: str
    earned_at: datetime


async def add_entries(
    tx: AsyncSession,
    learner_id: UUID,
    earned: Sequence[Earned],
    *,
    source_event: UUID,
    earned_at: datetime,
) -> None:
    """The points are the learner's; a deed that earned before earns nothing again."""
    rows = [
        {
            "id": new_id(),
            "tenant": tx.info["tenant"],
            "learner_id": learner_id,
            "reason": one.reason.value,
            "subject": one.subject,
            "points": one.points,
            "title": one.title,
            "course": one.course,
            "source_event": source_event,
            "earned_at": earned_at,
        }
        for one in earned
    ]
    if rows:
        await tx.execute(insert(points_entry).on_conflict_do_nothing(), rows)


async def sum_points(tx: AsyncSession, learner_id: UUID) -> int:
    """All points of a learner."""
    query = select(func.coalesce(func.sum(points_entry.c.points), 0)).where(
        points_entry.c.learner_id == learner_id
    )
    return int((await tx.execute(query)).scalar_one())


async def list_entries(
    tx: AsyncSession, learner_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Entry]:
    """A learner's entries, newest first."""
    query = (
        select(points_entry)
        .where(points_entry.c.learner_id == learner_id)
        .order_by(points_entry.c.earned_at.desc(), points_entry.c.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(points_entry.c.earned_at, points_entry.c.id) < after)
    return [
        Entry(row.id, Reason(row.reason), row.points, row.title, row.course, row.earned_at)
        for row in (await tx.execute(query)).all()
    ]
