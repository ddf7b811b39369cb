"""SQL of profiles and goals."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, literal, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.kit.ids import new_id
from kourse.profile import tables as t
from kourse.profile.repository.cohorts import fetch, tenant

OPEN_ENDED = date(9999, 12, 31)
"""Sorts goals without a target date last."""


async def add_profile(tx: AsyncSession, user_id: UUID, display_name: str, locale: str) -> None:
    """The person has a profile; one that is there already stays as it is."""
    await tx.execute(
        upsert(t.profile)
        .values(tenant=tenant(tx), user_id=user_id, display_name=display_name, locale=locale)
        .on_conflict_do_nothing()
    )


async def find_profile(tx: AsyncSession, user_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    """The person's profile, or None."""
    p = t.profile.c
    query = select(t.profile).where(p.tenant == tenant(tx), p.user_id == user_id)
    return (await tx.execute(query.with_for_update() if lock else query)).one_or_none()


async def list_profiles(tx: AsyncSession, user_ids: Collection[UUID]) -> Sequence[Row[Any]]:
    """The profiles of these people; those without one are left out."""
    p = t.profile.c
    query = select(t.profile).where(p.tenant == tenant(tx), p.user_id.in_(user_ids))
    return await fetch(tx, query)


async def change_profile(tx: AsyncSession, user_id: UUID, values: Mapping[str, Any]) -> Row[Any]:
    """The profile with these values, one version on."""
    p = t.profile.c
    statement = (
        update(t.profile)
        .where(p.tenant == tenant(tx), p.user_id == user_id)
        .values(**values, version=p.version + 1, updated_at=func.clock_timestamp())
        .returning(*t.profile.c)
    )
    return (await tx.execute(statement)).one()


async def reset_profile(tx: AsyncSession, user_id: UUID) -> None:
    """Learning attributes and preferences are those of a new profile, one version on."""
    p = t.profile.c
    fresh = {name: text("DEFAULT") for name in ("level", "pace", "preferences")}
    await tx.execute(
        update(t.profile)
        .where(p.tenant == tenant(tx), p.user_id == user_id)
        .values(**fresh, version=p.version + 1, updated_at=func.clock_timestamp())
    )


async def delete_goals(tx: AsyncSession, user_id: UUID) -> None:
    """All goals of the person are gone."""
    g = t.goal.c
    await tx.execute(delete(t.goal).where(g.tenant == tenant(tx), g.user_id == user_id))


async def add_goal(tx: AsyncSession, user_id: UUID, values: Mapping[str, Any]) -> Row[Any]:
    """A new goal."""
    statement = (
        upsert(t.goal)
        .values(id=new_id(), tenant=tenant(tx), user_id=user_id, **values)
        .returning(*t.goal.c)
    )
    return (await tx.execute(statement)).one()


async def count_goals(tx: AsyncSession, user_id: UUID) -> int:
    """How many goals the person has."""
    g = t.goal.c
    query = select(func.count()).where(g.tenant == tenant(tx), g.user_id == user_id)
    return int(await tx.scalar(query) or 0)


async def find_goal(
    tx: AsyncSession, user_id: UUID, goal_id: UUID, *, lock: bool = False
) -> Row[Any] | None:
    """A goal of the person, or None."""
    g = t.goal.c
    query = select(t.goal).where(g.tenant == tenant(tx), g.user_id == user_id, g.id == goal_id)
    return (await tx.execute(query.with_for_update() if lock else query)).one_or_none()


async def list_goals(
    tx: AsyncSession, user_id: UUID, after: tuple[date, UUID] | None, limit: int
) -> Sequence[Row[Any]]:
    """The person's goals, nearest target date first, open-ended ones last."""
    g = t.goal.c
    target = func.coalesce(g.target_on, literal(OPEN_ENDED))
    query = (
        select(t.goal)
        .where(g.tenant == tenant(tx), g.user_id == user_id)
        .order_by(target, g.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(target, g.id) > after)
    return await fetch(tx, query)


async def list_goals_of(tx: AsyncSession, user_ids: Collection[UUID]) -> Sequence[Row[Any]]:
    """The goals of these people, nearest target date first, open-ended ones last."""
    g = t.goal.c
    query = (
        select(t.goal)
        .where(g.tenant == tenant(tx), g.user_id.in_(user_ids))
        .order_by(g.user_id, func.coalesce(g.target_on, literal(OPEN_ENDED)), g.id)
    )
    return await fetch(tx, query)


async def change_goal(tx: AsyncSession, goal_id: UUID, values: Mapping[str, Any]) -> Row[Any]:
    """The goal with these values."""
    statement = update(t.goal).where(t.goal.c.id == goal_id).values(**values).returning(*t.goal.c)
    return (await tx.execute(statement)).one()


async def delete_goal(tx: AsyncSession, user_id: UUID, goal_id: UUID) -> bool:
    """The goal is gone; whether it was there."""
    g = t.goal.c
    statement = (
        delete(t.goal)
        .where(g.tenant == tenant(tx), g.user_id == user_id, g.id == goal_id)
        .returning(g.id)
    )
    return (await tx.execute(statement)).one_or_none() is not None
