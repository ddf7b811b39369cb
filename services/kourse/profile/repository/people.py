"""SQL of profiles and goals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.profile import tables as t
from kourse.profile.repository.cohorts import tenant


async def make_profile(tx: AsyncSession, user_id: UUID, display_name: str, locale: str) -> None:
    """The profile is there; one that was there already stays as it is."""
    values = {"user_id": user_id, "display_name": display_name, "locale": locale}
    await tx.execute(upsert(t.profile).values(tenant=tenant(tx), **values).on_conflict_do_nothing())


async def find_profile(tx: AsyncSession, user_id: UUID) -> Row[Any] | None:
    """The profile, or None."""
    p = t.profile.c
    query = select(t.profile).where(p.tenant == tenant(tx), p.user_id == user_id)
    return (await tx.execute(query)).one_or_none()


async def change_profile(
    tx: AsyncSession, user_id: UUID, changes: Mapping[str, Any], version: int | None
) -> Row[Any] | None:
    """The changed profile; None when there is none, or it no longer has this version."""
    p = t.profile.c
    where = [p.tenant == tenant(tx), p.user_id == user_id]
    if version is not None:
        where.append(p.version == version)
    stamped = {**changes, "version": p.version + 1, "updated_at": func.clock_timestamp()}
    query = update(t.profile).where(*where).values(stamped).returning(t.profile)
    changed: Row[Any] | None = (await tx.execute(query)).one_or_none()
    return changed


async def list_profiles(tx: AsyncSession, user_ids: Sequence[UUID]) -> Sequence[Row[Any]]:
    """The profiles of these people; those without one are left out."""
    p = t.profile.c
    query = select(t.profile).where(p.tenant == tenant(tx), p.user_id.in_(user_ids))
    return (await tx.execute(query)).all()


async def add_goal(tx: AsyncSession, row: Mapping[str, Any]) -> Row[Any]:
    """The new goal."""
    query = upsert(t.goal).values(tenant=tenant(tx), **row).returning(t.goal)
    made: Row[Any] = (await tx.execute(query)).one()
    return made


async def change_goal(
    tx: AsyncSession, user_id: UUID, goal_id: UUID, changes: Mapping[str, Any]
) -> Row[Any] | None:
    """The person's changed goal, or None when it is not theirs."""
    g = t.goal.c
    query = update(t.goal).where(g.id == goal_id, g.user_id == user_id).values(changes)
    found: Row[Any] | None = (await tx.execute(query.returning(t.goal))).one_or_none()
    return found


async def delete_goal(tx: AsyncSession, user_id: UUID, goal_id: UUID) -> bool:
    """Whether the goal was the person's; it is gone then."""
    g = t.goal.c
    query = delete(t.goal).where(g.id == goal_id, g.user_id == user_id).returning(g.id)
    return (await tx.execute(query)).one_or_none() is not None


async def list_goals(
    tx: AsyncSession, user_id: UUID, after: tuple[str, str] | None = None, limit: int = 200
) -> Sequence[Row[Any]]:
    """The person's goals, the nearest target first, those without one last."""
    g = t.goal.c
    target = func.coalesce(g.target_on, func.date("9999-12-31"))
    query = select(t.goal).where(g.tenant == tenant(tx), g.user_id == user_id)
    if after is not None:
        query = query.where(tuple_(target, g.id) > tuple_(func.date(after[0]), UUID(after[1])))
    return (await tx.execute(query.order_by(target, g.id).limit(limit))).all()
