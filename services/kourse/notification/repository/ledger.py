"""The points ledger: rows are added and never changed, so every point can be explained."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, Select, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.domain.points import STUDY, Entry, Reason
from kourse.notification.tables import points_entry

_ADD = text("""
INSERT INTO notification.points_entry (
  id, tenant, learner_id, reason, subject, points, title, course, source_event, earned_at)
SELECT id, tenant, learner_id, reason, subject, points, title, course, source_event, earned_at
FROM json_populate_recordset(CAST(NULL AS notification.points_entry), CAST(:rows AS json))
ON CONFLICT DO NOTHING
RETURNING learner_id
""")


async def add_entries(tx: AsyncSession, earned: Sequence[tuple[UUID, Entry]]) -> set[UUID]:
    """The entries are in the ledgers of their learners, once; for whom any of them is new."""
    rows = [
        {
            "id": str(one.id),
            "tenant": tx.info["tenant"],
            "learner_id": str(learner_id),
            "reason": one.reason.value,
            "subject": str(one.subject),
            "points": one.points,
            "title": one.title,
            "course": one.course,
            "source_event": str(one.source_event),
            "earned_at": one.earned_at.isoformat(),
        }
        for learner_id, one in sorted(earned, key=lambda pair: pair[1].id)
    ]
    if not rows:
        return set()
    return set((await tx.scalars(_ADD, {"rows": orjson.dumps(rows).decode()})).all())


async def ledger_of(tx: AsyncSession, learner_id: UUID) -> list[Entry]:
    """All entries of a learner, those too that count for nothing."""
    return (await ledgers_of(tx, [learner_id])).get(learner_id, [])


async def ledgers_of(tx: AsyncSession, learners: Sequence[UUID]) -> dict[UUID, list[Entry]]:
    """All entries of each of these learners who has any."""
    query = select(points_entry).where(points_entry.c.learner_id.in_(learners))
    found: dict[UUID, list[Entry]] = {}
    for row in (await tx.execute(query)).all():
        found.setdefault(row.learner_id, []).append(_entry(row))
    return found


async def sum_points(tx: AsyncSession, learner_id: UUID) -> int:
    """All points of a learner."""
    counted = _counted(learner_id).subquery()
    return int(await tx.scalar(select(func.coalesce(func.sum(counted.c.points), 0))) or 0)


async def list_counted(
    tx: AsyncSession, learner_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Entry]:
    """The entries of a learner that count, newest first."""
    counted = _counted(learner_id).subquery()
    query = select(counted).order_by(counted.c.earned_at.desc(), counted.c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(tuple_(counted.c.earned_at, counted.c.id) < after)
    return [_entry(row) for row in (await tx.execute(query)).all()]


async def study_moments(tx: AsyncSession, learner_id: UUID) -> Sequence[datetime]:
    """When the learner studied."""
    query = select(points_entry.c.earned_at).where(
        points_entry.c.learner_id == learner_id,
        points_entry.c.reason.in_([reason.value for reason in STUDY]),
    )
    return (await tx.execute(query)).scalars().all()


def _counted(learner_id: UUID) -> Select[Any]:
    """What ``points.counted`` says, in SQL."""
    entry = points_entry.c
    return (
        select(points_entry)
        .ext(distinct_on(entry.reason, entry.subject))
        .where(entry.learner_id == learner_id)
        .order_by(entry.reason, entry.subject, entry.earned_at, entry.source_event)
    )


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        reason=Reason(row.reason),
        subject=row.subject,
        points=row.points,
        title=row.title,
        course=row.course,
        earned_at=row.earned_at,
        source_event=row.source_event,
    )
