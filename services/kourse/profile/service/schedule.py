"""A person's schedule: what they planned, when their classes meet, and what is due there."""

from __future__ import annotations

import hashlib
import heapq
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import Invalid, NotFound
from kourse.kit.clock import database_now
from kourse.profile.domain import calendars, recurrence
from kourse.profile.domain.recurrence import Occurrence
from kourse.profile.repository import cohorts, plans
from kourse.profile.service.calendar import meeting_of_row
from kourse.profile.service.dues import Due
from kourse.profile.service.plans import REACH, meeting_of
from kourse.rules.dates import Irregularity, zone_of

BEFORE = timedelta(days=31)
AFTER = timedelta(days=184)
"""What a calendar shows, counted from today."""
MOST_WARNED = 3
WARNED_FOR = timedelta(days=366)


@dataclass(frozen=True)
class Entry:
    """Something that takes place at one time.

    Attributes:
        kind: plan, class or due.
        source: Stable name of what it comes from.
        title: What it is called.
        starts_at: Instant.
        ends_at: Instant; the start for a moment.
        changed_at: When its source changed last.
        plan_id: The person's own plan, where it is one.
        cohort: Name of the cohort, where it is one's.
        warning: A sentence, where its wall-clock time is not exactly one instant.
    """

    kind: str
    source: str
    title: str
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
    plan_id: UUID | None = None
    cohort: str | None = None
    warning: str | None = None


@dataclass(frozen=True)
class Sources:
    """All that a person's schedule follows from, in some stretch of time."""

    plans: Sequence[Row[Any]]
    cohorts: Sequence[Row[Any]]
    meetings: Sequence[tuple[Row[Any], Row[Any]]]
    due: Sequence[Row[Any]]
    since: datetime
    until: datetime
    assignments: Sequence[Due] | None = None

    def digest(self) -> str:
        """SHA-256 that changes whenever what is shown may have changed."""
        stated = [str(self.since.date())]
        stated += [f"{row.id}.{row.version}" for row in self.plans]
        stated += [f"{row.id}.{row.updated_at}" for row in self.cohorts]
        stated += [repr(tuple(meeting)) for _, meeting in self.meetings]
        stated += [repr(tuple(row)) for row in self.due]
        stated += [repr(one) for one in self.assignments or ()]
        return hashlib.sha256("\n".join(stated).encode()).hexdigest()

    def entries(self) -> Iterator[Entry]:
        """What takes place, by its start."""
        parts = [self._planned(), self._classes(), self._due(), self._assignments()]
        every = [sorted(part, key=_order) for part in parts]
        return heapq.merge(*every, key=_order)

    def _planned(self) -> Iterator[Entry]:
        for row in self.plans:
            meeting, zone = meeting_of(row), zone_of(row.time_zone)
            found = recurrence.between(meeting, zone, date.max, self.since, self.until)
            for at in found:
                yield _entry("plan", str(row.id), row.updated_at, at, plan_id=row.id)

    def _classes(self) -> Iterator[Entry]:
        for cohort, row in self.meetings:
            meeting, zone = meeting_of_row(row), zone_of(cohort.time_zone)
            found = recurrence.between(meeting, zone, cohort.ends_on, self.since, self.until)
            source = f"{cohort.id}-{row.key}"
            for at in found:
                yield _entry("class", source, cohort.updated_at, at, cohort=cohort.name)

    def _due(self) -> Iterator[Entry]:
        """By dates that cohorts state; of assignments only where nobody knows the learner's own."""
        known = {row.id: row for row in self.cohorts}
        for row in self.due:
            if row.kind == "assignment" and self.assignments is not None:
                continue
            cohort = known[row.cohort_id]
            yield Entry(
                kind="due",
                source=f"{cohort.id}-{row.course}-{row.kind}-{row.key}",
                title=f"Due: {row.key} ({row.title or row.course})",
                starts_at=row.due_at,
                ends_at=row.due_at,
                changed_at=cohort.updated_at,
                cohort=cohort.name,
            )

    def _assignments(self) -> Iterator[Entry]:
        for one in self.assignments or ():
            if self.since <= one.due_at < self.until:
                yield Entry(
                    kind="due",
                    source=f"{one.course}-assignment-{one.assignment}",
                    title=f"Due: {one.title} ({one.course})",
                    starts_at=one.due_at,
                    ends_at=one.due_at,
                    changed_at=self.since,
                )


def _order(entry: Entry) -> tuple[datetime, str]:
    # In UTC, as a time that the clocks show twice equals no time of another zone (PEP 495).
    return (entry.starts_at.astimezone(UTC), entry.source)


def _entry(kind: str, source: str, changed_at: datetime, at: Occurrence, **of: Any) -> Entry:
    return Entry(
        kind=kind,
        source=source,
        title=at.title,
        starts_at=at.starts_at,
        ends_at=at.ends_at,
        changed_at=changed_at,
        warning=warning_of(at),
        **of,
    )


def warning_of(at: Occurrence) -> str | None:
    """What is to be known of a wall-clock time that is not exactly one instant, in a sentence.

    Source:
        RFC 5545, section 3.3.5.
    """
    shown = f"{at.starts_at:%d %B %Y} at {at.starts_at:%H:%M} ({at.starts_at:%z})"
    if at.irregularity is Irregularity.GAP:
        return f"The clocks jump over this time; it takes place on {shown}."
    if at.irregularity is Irregularity.FOLD:
        return f"The clocks show this time twice; the first is meant, on {shown}."
    return None


async def upcoming(
    tx: AsyncSession,
    user_id: UUID,
    since: datetime | None,
    length: timedelta,
    assignments: Sequence[Due] | None,
) -> Sources:
    """What the person's schedule follows from, for so long from ``since`` or from now on.

    Raises:
        Invalid: ``since`` lies more than ten years away.
    """
    now = await database_now(tx)
    first = since or now
    if not now - REACH <= first <= now + REACH:
        raise Invalid("`since` lies within ten years.")
    return await sources(tx, user_id, first, first + length, assignments)


async def sources(
    tx: AsyncSession,
    user_id: UUID,
    since: datetime,
    until: datetime,
    assignments: Sequence[Due] | None,
) -> Sources:
    """What the person's schedule follows from in this stretch of time.

    Args:
        tx: The transaction.
        user_id: Whose schedule.
        since: Its beginning.
        until: Its end.
        assignments: What course says is due for them; None where it did not answer.
    """
    joined = await cohorts.list_joined(tx, user_id)
    by_id = {row.id: row for row in joined}
    meetings = await cohorts.list_meetings(tx, by_id) if by_id else {}
    return Sources(
        plans=await plans.list_own(tx, user_id),
        cohorts=joined,
        meetings=[(by_id[one], entry) for one in by_id for entry in meetings.get(one, ())],
        due=await cohorts.list_due(tx, by_id, since, until) if by_id else [],
        since=since,
        until=until,
        assignments=assignments,
    )


async def warnings(tx: AsyncSession, plan: Row[Any]) -> list[str]:
    """What is to be known of a plan's next irregular times, within a year."""
    now, zone = await database_now(tx), zone_of(plan.time_zone)
    last_day = (now + WARNED_FOR).date()
    found = recurrence.irregular(meeting_of(plan), zone, last_day, now, MOST_WARNED)
    return [sentence for at in found if (sentence := warning_of(at))]


async def next_of(tx: AsyncSession, plan: Row[Any]) -> Occurrence | None:
    """When the plan takes place next within ten years, or None when it does not."""
    now, zone = await database_now(tx), zone_of(plan.time_zone)
    last_day = (now + REACH).date()
    return recurrence.next_occurrence([meeting_of(plan)], zone, last_day, now)


async def make_link(tx: AsyncSession, user_id: UUID) -> tuple[str, Row[Any]]:
    """A new secret under which the person's calendar is fetched; the one before opens nothing."""
    key = secrets.token_urlsafe(32)
    return key, await plans.put_link(tx, user_id, _digest(key))


async def get_link(tx: AsyncSession, user_id: UUID) -> Row[Any]:
    """When the person's link was made; the secret itself is not kept.

    Raises:
        NotFound: There is none.
    """
    found = await plans.find_link(tx, user_id)
    if found is None:
        raise NotFound("Your calendar has no link.")
    return found


async def revoke_link(tx: AsyncSession, user_id: UUID) -> None:
    """The person's link opens nothing any more.

    Raises:
        NotFound: There is none.
    """
    if not await plans.delete_link(tx, user_id):
        raise NotFound("Your calendar has no link.")


async def owner_of(tx: AsyncSession, key: str) -> UUID:
    """Whose calendar this secret opens.

    Raises:
        NotFound: It opens nothing, or no longer.
    """
    user_id = await plans.owner_of_link(tx, _digest(key))
    if user_id is None:
        raise NotFound("There is no such calendar.")
    return user_id


async def published(tx: AsyncSession, user_id: UUID, assignments: Sequence[Due] | None) -> Sources:
    """What the person's calendar shows."""
    today = datetime.combine((await database_now(tx)).astimezone(UTC).date(), time(), UTC)
    return await sources(tx, user_id, today - BEFORE, today + AFTER, assignments)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def written(found: Sources) -> bytes:
    """The calendar as a file."""
    return calendars.write(
        "kourse",
        (
            calendars.Entry(one.source, one.title, one.starts_at, one.ends_at, one.changed_at)
            for one in found.entries()
        ),
    )
