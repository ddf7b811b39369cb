"""SQL of join codes, seats and memberships."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.profile import tables as t
from kourse.profile.repository.cohorts import tenant


async def find_code(tx: AsyncSession, cohort_id: UUID) -> Row[Any] | None:
    """The cohort's code while it is valid, or None."""
    j = t.join_code.c
    query = select(t.join_code).where(
        j.cohort_id == cohort_id, j.expires_at > func.clock_timestamp()
    )
    return (await tx.execute(query)).one_or_none()


async def save_code(
    tx: AsyncSession, cohort_id: UUID, code: str, digest: str, valid: timedelta
) -> Row[Any]:
    """The cohort's only code from now on."""
    now = func.clock_timestamp()
    values = {"code": code, "digest": digest, "made_at": now, "expires_at": now + valid}
    query = (
        upsert(t.join_code)
        .values(cohort_id=cohort_id, tenant=tenant(tx), **values)
        .on_conflict_do_update(index_elements=[t.join_code.c.cohort_id], set_=values)
        .returning(t.join_code)
    )
    saved: Row[Any] = (await tx.execute(query)).one()
    return saved


async def find_by_code(tx: AsyncSession, digest: str) -> Row[Any] | None:
    """The cohort that a valid code opens, or None."""
    j = t.join_code.c
    query = (
        select(t.cohort)
        .join(t.join_code, j.cohort_id == t.cohort.c.id)
        .where(j.tenant == tenant(tx), j.digest == digest, j.expires_at > func.clock_timestamp())
    )
    return (await tx.execute(query)).one_or_none()


async def is_member(tx: AsyncSession, cohort_id: UUID, user_id: UUID) -> bool:
    """Whether the person is in the cohort."""
    m = t.membership.c
    query = select(m.user_id).where(m.cohort_id == cohort_id, m.user_id == user_id)
    return (await tx.execute(query)).one_or_none() is not None


async def take_seat(tx: AsyncSession, cohort_id: UUID, seats: int) -> bool:
    """Whether a seat was free; it is taken then, and others wait here until the commit."""
    s = t.seat_count.c
    await tx.execute(
        upsert(t.seat_count)
        .values(cohort_id=cohort_id, tenant=tenant(tx), taken=0)
        .on_conflict_do_nothing()
    )
    query = (
        update(t.seat_count)
        .where(s.cohort_id == cohort_id, s.taken < seats)
        .values(taken=s.taken + 1)
        .returning(s.taken)
    )
    return (await tx.execute(query)).one_or_none() is not None


async def add_member(tx: AsyncSession, cohort_id: UUID, user_id: UUID) -> bool:
    """Whether the person was not a member before; they are one now."""
    query = (
        upsert(t.membership)
        .values(cohort_id=cohort_id, user_id=user_id, tenant=tenant(tx))
        .on_conflict_do_nothing()
        .returning(t.membership.c.user_id)
    )
    return (await tx.execute(query)).one_or_none() is not None


async def list_members(
    tx: AsyncSession, cohort_id: UUID, after: UUID | None = None, limit: int = 10_000
) -> Sequence[Row[Any]]:
    """Members with the names of their profiles, in order of their ids."""
    m, p = t.membership.c, t.profile.c
    query = (
        select(t.membership, p.display_name)
        .outerjoin(t.profile, (p.tenant == m.tenant) & (p.user_id == m.user_id))
        .where(m.cohort_id == cohort_id)
    )
    if after is not None:
        query = query.where(m.user_id > after)
    return (await tx.execute(query.order_by(m.user_id).limit(limit))).all()


async def list_visible(
    tx: AsyncSession,
    user_id: UUID,
    scoped: Iterable[str] | None,
    after: str | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Cohorts in service by name: the person's own and those in scope; all where ``scoped`` is None."""
    c, m = t.cohort.c, t.membership.c
    query = select(t.cohort).where(c.tenant == tenant(tx), c.retired_at.is_(None))
    if scoped is not None:
        own = select(m.cohort_id).where(m.user_id == user_id)
        query = query.where(or_(c.id.in_(own), c.name.in_(list(scoped))))
    if after is not None:
        query = query.where(c.name > after)
    return (await tx.execute(query.order_by(c.name).limit(limit))).all()


async def purge_members(tx: AsyncSession, cohort_id: UUID, limit: int) -> int:
    """Deletes memberships of a cohort that is to go, some at a time; how many."""
    m = t.membership.c
    some = select(m.user_id).where(m.cohort_id == cohort_id).limit(limit)
    query = (
        t.membership.delete()
        .where(m.cohort_id == cohort_id, m.user_id.in_(some))
        .returning(m.user_id)
    )
    return len((await tx.execute(query)).all())


async def list_purges(tx: AsyncSession) -> list[tuple[str, str, UUID]]:
    """Cohorts of all tenants whose members are to go: tenant, name and id."""
    c = t.cohort.c
    query = select(c.tenant, c.name, c.id).where(c.purge_at.is_not(None)).order_by(c.id)
    return [(row.tenant, row.name, row.id) for row in await tx.execute(query)]
