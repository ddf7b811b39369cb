"""SQL of join codes, seats and memberships."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, literal, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.permissions import Place
from kourse.contracts.resources.cohort import JoinPolicy
from kourse.profile import tables as t
from kourse.profile.repository.cohorts import fetch, tenant


async def find_code(tx: AsyncSession, cohort_id: UUID) -> Row[Any] | None:
    """The cohort's code while it is valid, or None."""
    j = t.join_code.c
    query = select(t.join_code).where(
        j.cohort_id == cohort_id, j.expires_at > func.clock_timestamp()
    )
    return (await tx.execute(query)).one_or_none()


async def put_code(
    tx: AsyncSession, cohort_id: UUID, code: str, digest: str, valid_days: int
) -> Row[Any]:
    """The cohort's only code from now on, valid for so many days."""
    now = func.clock_timestamp()
    values = {
        "code": code,
        "digest": digest,
        "made_at": now,
        "expires_at": now + func.make_interval(0, 0, 0, valid_days),
    }
    statement = (
        upsert(t.join_code)
        .values(cohort_id=cohort_id, tenant=tenant(tx), **values)
        .on_conflict_do_update(index_elements=[t.join_code.c.cohort_id], set_=values)
        .returning(*t.join_code.c)
    )
    return (await tx.execute(statement)).one()


async def find_by_code(tx: AsyncSession, digest: str) -> Row[Any] | None:
    """The cohort that lets learners in with this code now, or None."""
    c, j = t.cohort.c, t.join_code.c
    query = (
        select(t.cohort)
        .join(t.join_code, j.cohort_id == c.id)
        .where(
            j.tenant == tenant(tx),
            j.digest == digest,
            j.expires_at > func.clock_timestamp(),
            c.retired_at.is_(None),
            c.join_policy == JoinPolicy.CODE.value,
        )
    )
    return (await tx.execute(query)).one_or_none()


async def take_seat(tx: AsyncSession, cohort_id: UUID, seats: int) -> bool:
    """One more seat is taken, or False when there is none left; the count stays locked.

    The row is the queue in which all who join at once stand, so no seat is given twice.
    """
    s, m = t.seat_count.c, t.membership.c
    taken = select(func.count()).where(m.cohort_id == cohort_id).scalar_subquery()
    await tx.execute(
        upsert(t.seat_count)
        .values(cohort_id=cohort_id, tenant=tenant(tx), taken=taken)
        .on_conflict_do_nothing()
    )
    statement = (
        update(t.seat_count)
        .where(s.cohort_id == cohort_id, s.taken < seats)
        .values(taken=s.taken + 1)
        .returning(s.taken)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def give_seat_back(tx: AsyncSession, cohort_id: UUID) -> None:
    """A seat that was taken is free again."""
    s = t.seat_count.c
    await tx.execute(update(t.seat_count).where(s.cohort_id == cohort_id).values(taken=s.taken - 1))


async def is_member(tx: AsyncSession, cohort_id: UUID, user_id: UUID) -> bool:
    """Whether the person is a member."""
    m = t.membership.c
    query = select(m.user_id).where(m.cohort_id == cohort_id, m.user_id == user_id)
    return await tx.scalar(query) is not None


async def place_of(tx: AsyncSession, cohort_id: UUID, user_id: UUID) -> Place | None:
    """The person's place in the cohort, or None for whoever is no member."""
    m = t.membership.c
    found = await tx.scalar(select(m.role).where(m.cohort_id == cohort_id, m.user_id == user_id))
    return None if found is None else Place(found)


async def leader_of(tx: AsyncSession, cohort_id: UUID) -> UUID | None:
    """The member who leads the cohort, or None."""
    m = t.membership.c
    query = select(m.user_id).where(m.cohort_id == cohort_id, m.role == Place.LEADER)
    found: UUID | None = await tx.scalar(query)
    return found


async def clear_leader(tx: AsyncSession, cohort_id: UUID) -> None:
    """Nobody leads the cohort."""
    m = t.membership.c
    await tx.execute(
        update(t.membership)
        .where(m.cohort_id == cohort_id, m.role == Place.LEADER)
        .values(role=Place.LEARNER)
    )


async def set_leader(tx: AsyncSession, cohort_id: UUID, user_id: UUID) -> bool:
    """The member leads the cohort, which nobody did; whether there is such a member."""
    m = t.membership.c
    statement = (
        update(t.membership)
        .where(m.cohort_id == cohort_id, m.user_id == user_id)
        .values(role=Place.LEADER)
        .returning(m.user_id)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def add_member(tx: AsyncSession, cohort_id: UUID, user_id: UUID) -> bool:
    """The person is a member; whether they were not before."""
    statement = (
        upsert(t.membership)
        .values(cohort_id=cohort_id, user_id=user_id, tenant=tenant(tx))
        .on_conflict_do_nothing()
        .returning(t.membership.c.user_id)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def remove_member(tx: AsyncSession, cohort_id: UUID, user_id: UUID) -> bool:
    """The person is no member; whether they were one."""
    m = t.membership.c
    gone = delete(t.membership).where(m.cohort_id == cohort_id, m.user_id == user_id)
    return (await tx.execute(gone.returning(m.user_id))).one_or_none() is not None


async def list_members(
    tx: AsyncSession, cohort_id: UUID, after: tuple[datetime, UUID] | None, limit: int | None
) -> Sequence[Row[Any]]:
    """Members with their names, in the order in which they joined."""
    m, p = t.membership.c, t.profile.c
    query = (
        select(m.user_id, m.role, m.joined_at, p.display_name)
        .outerjoin(t.profile, (p.tenant == m.tenant) & (p.user_id == m.user_id))
        .where(m.cohort_id == cohort_id)
        .order_by(m.joined_at, m.user_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(m.joined_at, m.user_id) > after)
    return await fetch(tx, query)


async def list_members_of(tx: AsyncSession, cohort_ids: Collection[UUID]) -> Sequence[Row[Any]]:
    """Members of these cohorts, in the order in which they joined."""
    m = t.membership.c
    query = (
        select(m.cohort_id, m.user_id, m.role)
        .where(m.cohort_id.in_(list(cohort_ids)))
        .order_by(m.cohort_id, m.joined_at, m.user_id)
    )
    return await fetch(tx, query)


async def list_cohorts(
    tx: AsyncSession,
    user_id: UUID,
    taught: Collection[str] | None,
    after: str | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Cohorts in which the person is a member or a teacher, by name.

    Args:
        tx: The transaction.
        user_id: The person.
        taught: Names of the cohorts that they teach; None for all.
        after: Name after which to begin.
        limit: Most rows.
    """
    c, m = t.cohort.c, t.membership.c
    joined = (m.cohort_id == c.id) & (m.user_id == user_id)
    query = select(t.cohort, m.role.label("role")).outerjoin(t.membership, joined)
    query = query.where(c.tenant == tenant(tx))
    if taught is None:
        query = query.where(or_(c.retired_at.is_(None), m.user_id.is_not(None)))
    else:
        in_scope = c.name.in_(taught) & c.retired_at.is_(None)
        query = query.where(or_(m.user_id.is_not(None), in_scope))
    if after is not None:
        query = query.where(c.name > literal(after))
    return await fetch(tx, query.order_by(c.name).limit(limit))


async def delete_members(tx: AsyncSession, cohort_id: UUID, limit: int) -> int:
    """Some memberships of a cohort are gone; how many."""
    m = t.membership.c
    doomed = select(m.user_id).where(m.cohort_id == cohort_id).limit(limit).scalar_subquery()
    gone = await tx.execute(
        delete(t.membership)
        .where(m.cohort_id == cohort_id, m.user_id.in_(doomed))
        .returning(m.user_id)
    )
    return len(gone.all())
