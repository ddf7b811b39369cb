"""Profiles and goals of the person who asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.contracts.events import UserRegistered
from kourse.kit.clock import database_now
from kourse.kit.ids import new_id
from kourse.profile.errors import ProfileChanged, ProfileNotReady
from kourse.profile.repository import people
from kourse.rules.dates import zone_of


async def welcome(tx: AsyncSession, event: UserRegistered) -> None:
    """The new member has a profile, made once."""
    await people.make_profile(tx, event.user_id, event.display_name, event.locale)


async def read(tx: AsyncSession, user_id: UUID) -> Row[Any]:
    """The person's profile.

    Raises:
        ProfileNotReady: The event that makes it has not arrived yet.
    """
    found = await people.find_profile(tx, user_id)
    if found is None:
        raise ProfileNotReady(retry_after_s=1)
    return found


async def change(
    tx: AsyncSession, user_id: UUID, changes: Mapping[str, Any], version: int | None
) -> Row[Any]:
    """The profile with these changes.

    Args:
        tx: The transaction.
        user_id: Whose.
        changes: New values by column.
        version: Version that was read; None to overwrite whatever is there.

    Raises:
        UnknownTimeZone: The zone is not in the IANA database.
        ProfileNotReady: The event that makes it has not arrived yet.
        ProfileChanged: It has another version by now.
    """
    if "time_zone" in changes:
        zone_of(changes["time_zone"])
    if not changes:
        return await read(tx, user_id)
    changed = await people.change_profile(tx, user_id, changes, version)
    if changed is None:
        await read(tx, user_id)
        raise ProfileChanged("Read it again, then send the change with its new ETag.")
    return changed


async def add_goal(tx: AsyncSession, user_id: UUID, goal: Mapping[str, Any]) -> Row[Any]:
    """The new goal of the person."""
    return await people.add_goal(tx, {"id": new_id(), "user_id": user_id, **goal})


async def change_goal(
    tx: AsyncSession, user_id: UUID, goal_id: UUID, changes: dict[str, Any]
) -> Row[Any]:
    """The goal with these changes; ``achieved`` stamps or clears the moment.

    Raises:
        NotFound: The person has no such goal.
    """
    if "achieved" in changes:
        achieved = changes.pop("achieved")
        changes["achieved_at"] = await database_now(tx) if achieved else None
    found = await people.change_goal(tx, user_id, goal_id, changes)
    if found is None:
        raise NotFound("You have no such goal.")
    return found


async def delete_goal(tx: AsyncSession, user_id: UUID, goal_id: UUID) -> None:
    """The goal is gone.

    Raises:
        NotFound: The person has no such goal.
    """
    if not await people.delete_goal(tx, user_id, goal_id):
        raise NotFound("You have no such goal.")


async def list_goals(
    tx: AsyncSession, user_id: UUID, after: tuple[str, str] | None, limit: int
) -> Sequence[Row[Any]]:
    """The person's goals, the nearest target first."""
    return await people.list_goals(tx, user_id, after, limit)
