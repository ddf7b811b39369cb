"""What people plan for themselves: weekly study times and the like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import Conflict, InvalidDates, NotFound
from kourse.kit.clock import database_now
from kourse.profile.domain import recurrence
from kourse.profile.domain.recurrence import Meeting
from kourse.profile.errors import PlanChanged
from kourse.profile.repository import plans
from kourse.rules.dates import local_of, zone_of

MOST_PLANS = 50
OLDEST = timedelta(days=366)
"""How long ago a plan may begin: every look at it counts from its first day."""
REACH = timedelta(days=3660)
"""Within so long of its start a plan has to take place once."""

_MEETING = ("title", "starts", "minutes", "rrule", "exceptions", "additions")


async def add(tx: AsyncSession, user_id: UUID, values: Mapping[str, Any]) -> Row[Any]:
    """A new plan.

    Raises:
        Conflict: The person has as many as are kept.
        UnknownTimeZone: The time zone is not in the IANA database.
        InvalidDates: A time is on no calendar, or the plan begins too long ago.
        InvalidRecurrence: The rule cannot be used.
    """
    _check(values, await database_now(tx))
    if await plans.count(tx, user_id) >= MOST_PLANS:
        raise Conflict(f"At most {MOST_PLANS} plans are kept; delete one first.")
    return await plans.add(tx, user_id, values)


def _check(values: Mapping[str, Any], now: datetime) -> None:
    zone = zone_of(values["time_zone"])
    first = local_of(values["starts"], zone)
    earliest, latest = now.replace(tzinfo=None) - OLDEST, now.replace(tzinfo=None) + REACH
    if not earliest <= first <= latest:
        raise InvalidDates("A plan begins within the last year or the next ten.")
    if not all(earliest <= local_of(text, zone) <= latest + REACH for text in values["additions"]):
        raise InvalidDates("An addition lies within the last year or the next twenty.")
    meeting = Meeting(**{name: values[name] for name in _MEETING})
    recurrence.check(meeting, zone, (first + REACH).date())


def meeting_of(plan: Row[Any]) -> Meeting:
    """The recurring appointment that a plan is."""
    return Meeting(**{name: getattr(plan, name) for name in _MEETING})


async def get(tx: AsyncSession, user_id: UUID, plan_id: UUID, *, lock: bool = False) -> Row[Any]:
    """A plan of the person.

    Raises:
        NotFound: They have no such plan.
    """
    found = await plans.find(tx, user_id, plan_id, lock=lock)
    if found is None:
        raise NotFound("You have no such plan.")
    return found


async def list_own(
    tx: AsyncSession, user_id: UUID, after: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """The person's plans, oldest first."""
    return await plans.list_own(tx, user_id, after, limit)


async def replace(
    tx: AsyncSession,
    user_id: UUID,
    plan_id: UUID,
    values: Mapping[str, Any],
    *,
    seen_version: int | None,
) -> Row[Any]:
    """The plan with these values.

    Args:
        tx: The transaction.
        user_id: The person.
        plan_id: The plan.
        values: All its columns.
        seen_version: Version that the caller has read, or None for any.

    Raises:
        NotFound: They have no such plan.
        PlanChanged: It changed since it was read.
        UnknownTimeZone: The time zone is not in the IANA database.
        InvalidDates: A time is on no calendar, or the plan begins too long ago.
        InvalidRecurrence: The rule cannot be used.
    """
    found = await get(tx, user_id, plan_id, lock=True)
    if seen_version is not None and seen_version != found.version:
        raise PlanChanged(f"It is at version {found.version} now; read it again.")
    if all(getattr(found, name) == value for name, value in values.items()):
        return found
    # Counted from when the plan was made, so that an old one can still be given another title.
    _check(values, found.created_at)
    return await plans.change(tx, plan_id, values)


async def delete(tx: AsyncSession, user_id: UUID, plan_id: UUID) -> None:
    """The plan is gone.

    Raises:
        NotFound: They have no such plan.
    """
    await plans.delete_one(tx, (await get(tx, user_id, plan_id, lock=True)).id)
