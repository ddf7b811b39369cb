"""SQL of personal plans, and of the links under which calendars are fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.kit.ids import new_id
from kourse.profile import tables as t
from kourse.profile.repository.cohorts import fetch, tenant


async def add(tx: AsyncSession, user_id: UUID, values: Mapping[str, Any]) -> Row[Any]:
    """A new plan."""
    owned = {"id": new_id(), "tenant": tenant(tx), "user_id": user_id}
    statement = upsert(t.plan).values(**owned, **values).returning(*t.plan.c)
    return (await tx.execute(statement)).one()


async def count(tx: AsyncSession, user_id: UUID) -> int:
    """How many plans the person has."""
    p = t.plan.c
    query = select(func.count()).where(p.tenant == tenant(tx), p.user_id == user_id)
    return int(await tx.scalar(query) or 0)


async def find(
    tx: AsyncSession, user_id: UUID, plan_id: UUID, *, lock: bool = False
) -> Row[Any] | None:
    """A plan of the person, or None."""
    p = t.plan.c
    query = select(t.plan).where(p.tenant == tenant(tx), p.user_id == user_id, p.id == plan_id)
    return (await tx.execute(query.with_for_update() if lock else query)).one_or_none()


async def list_own(
    tx: AsyncSession, user_id: UUID, after: UUID | None = None, limit: int | None = None
) -> Sequence[Row[Any]]:
    """The person's plans, oldest first."""
    p = t.plan.c
    query = select(t.plan).where(p.tenant == tenant(tx), p.user_id == user_id)
    if after is not None:
        query = query.where(p.id > after)
    return await fetch(tx, query.order_by(p.id).limit(limit))


async def change(tx: AsyncSession, plan_id: UUID, values: Mapping[str, Any]) -> Row[Any]:
    """The plan with these values, one version on."""
    p = t.plan.c
    statement = (
        update(t.plan)
        .where(p.id == plan_id)
        .values(**values, version=p.version + 1, updated_at=func.clock_timestamp())
        .returning(*p)
    )
    return (await tx.execute(statement)).one()


async def delete_one(tx: AsyncSession, plan_id: UUID) -> None:
    """The plan is gone."""
    await tx.execute(delete(t.plan).where(t.plan.c.id == plan_id))


async def delete_own(tx: AsyncSession, user_id: UUID) -> None:
    """All plans of the person are gone."""
    p = t.plan.c
    await tx.execute(delete(t.plan).where(p.tenant == tenant(tx), p.user_id == user_id))


async def put_link(tx: AsyncSession, user_id: UUID, digest: str) -> Row[Any]:
    """The person's only link from now on."""
    values = {"digest": digest, "made_at": func.clock_timestamp()}
    statement = (
        upsert(t.calendar_link)
        .values(tenant=tenant(tx), user_id=user_id, **values)
        .on_conflict_do_update(constraint=t.calendar_link.primary_key, set_=values)
        .returning(*t.calendar_link.c)
    )
    return (await tx.execute(statement)).one()


async def find_link(tx: AsyncSession, user_id: UUID) -> Row[Any] | None:
    """The person's link, or None."""
    c = t.calendar_link.c
    query = select(t.calendar_link).where(c.tenant == tenant(tx), c.user_id == user_id)
    return (await tx.execute(query)).one_or_none()


async def owner_of_link(tx: AsyncSession, digest: str) -> UUID | None:
    """Whose link this is, or None."""
    c = t.calendar_link.c
    return await tx.scalar(select(c.user_id).where(c.tenant == tenant(tx), c.digest == digest))


async def delete_link(tx: AsyncSession, user_id: UUID) -> bool:
    """The person's link opens nothing any more; whether there was one."""
    c = t.calendar_link.c
    gone = delete(t.calendar_link).where(c.tenant == tenant(tx), c.user_id == user_id)
    return (await tx.execute(gone.returning(c.user_id))).one_or_none() is not None
