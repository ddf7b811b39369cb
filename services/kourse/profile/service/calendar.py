"""When cohorts meet next."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.profile.domain.recurrence import Meeting, Occurrence, next_occurrence
from kourse.profile.repository import cohorts
from kourse.rules.dates import zone_of


async def next_meetings(
    tx: AsyncSession, found: Iterable[Row[Any]], after: datetime
) -> dict[UUID, Occurrence]:
    """The next meeting of each cohort that has one before its run ends."""
    rows = {row.id: row for row in found}
    meetings = await cohorts.list_meetings(tx, rows)
    upcoming = {
        cohort_id: next_occurrence(
            [meeting_of_row(entry) for entry in entries],
            zone_of(rows[cohort_id].time_zone),
            rows[cohort_id].ends_on,
            after,
        )
        for cohort_id, entries in meetings.items()
    }
    return {cohort_id: entry for cohort_id, entry in upcoming.items() if entry is not None}


def meeting_of_row(row: Row[Any]) -> Meeting:
    """The recurring meeting that a row describes."""
    return Meeting(row.title, row.starts, row.minutes, row.rrule, tuple(row.exceptions))
