"""By which time zone each learner's days went, and since when; rows are added and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.domain.calendars import DEFAULT_ZONE, Calendar
from kourse.notification.tables import calendar


async def add_change(
    tx: AsyncSession, learner_id: UUID, time_zone: str, *, since_at: datetime
) -> None:
    """The learner's days go by this zone from then on; a repeat changes nothing."""
    row = insert(calendar).values(
        tenant=tx.info["tenant"], learner_id=learner_id, since_at=since_at, time_zone=time_zone
    )
    await tx.execute(row.on_conflict_do_nothing())


async def calendar_of(tx: AsyncSession, learner_id: UUID) -> Calendar:
    """All that is known of the learner's time zones."""
    return (await calendars_of(tx, [learner_id])).get(learner_id, Calendar())


async def calendars_of(tx: AsyncSession, learners: Sequence[UUID]) -> dict[UUID, Calendar]:
    """The calendar of each of these learners who has ever named a time zone."""
    query = select(calendar).where(calendar.c.learner_id.in_(learners))
    changes: dict[UUID, list[tuple[datetime, str]]] = {}
    for row in (await tx.execute(query)).all():
        changes.setdefault(row.learner_id, []).append((row.since_at, row.time_zone))
    return {learner_id: Calendar.of(found) for learner_id, found in changes.items()}


async def time_zone_of(tx: AsyncSession, learner_id: UUID) -> str:
    """Name of the zone that the learner's days go by now."""
    query = (
        select(calendar.c.time_zone)
        .where(calendar.c.learner_id == learner_id)
        .order_by(calendar.c.since_at.desc())
        .limit(1)
    )
    return (await tx.execute(query)).scalar_one_or_none() or DEFAULT_ZONE
