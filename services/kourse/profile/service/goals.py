"""What learners want to reach, and by when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import Conflict, NotFound
from kourse.kit.clock import database_now
from kourse.profile.repository import people

MOST_GOALS = 100


async def add(tx: AsyncSession, user_id: UUID, values: Mapping[str, Any]) -> Row[Any]:
    """A new goal.

    Raises:
        Conflict: The person has as many as are kept.
    """
    if await people.count_goals(tx, user_id) >= MOST_GOALS:
        raise Conflict(f"At most {MOST_GOALS} goals are kept; delete one first.")
    return await people.add_goal(tx, user_id, values)


async def list_own(
    tx: AsyncSession, user_id: UUID, after: tuple[date, UUID] | None, limit: int
) -> Sequence[Row[Any]]:
    """The person's goals, nearest target date first, open-ended ones last."""
    return await people.list_goals(tx, user_id, after, limit)


async def change(
    tx: AsyncSession, user_id: UUID, goal_id: UUID, values: Mapping[str, Any]
) -> Row[Any]:
    """The goal with these values; ``achieved`` sets or clears the moment in which it was reached.

    Raises:
        NotFound: The person has no such goal.
    """
    found = await people.find_goal(tx, user_id, goal_id, lock=True)
    if found is None:
        raise NotFound("You have no such goal.")
    wanted = dict(values)
    achieved = wanted.pop("achieved", None)
    if achieved is not None and achieved != (found.achieved_at is not None):
        wanted["achieved_at"] = await database_now(tx) if achieved else None
    return await people.change_goal(tx, goal_id, wanted) if wanted else found


async def delete(tx: AsyncSession, user_id: UUID, goal_id: UUID) -> None:
    """The goal is gone.

    Raises:
        NotFound: The person has no such goal.
    """
    if not await people.delete_goal(tx, user_id, goal_id):
        raise NotFound("You have no such goal.")
