"""SQL of declared cohorts and of the courses that they need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.kit.rows import equalise
from kourse.profile import tables as t

Rows = list[dict[str, Any]]


def tenant(tx: AsyncSession) -> str:
    """The transaction's tenant."""
    return str(tx.info["tenant"])


async def fetch(tx: AsyncSession, query: Any) -> Sequence[Row[Any]]:
    """Every row of a query, whatever its columns."""
    rows: Sequence[Row[Any]] = (await tx.execute(query)).all()
    return rows


async def find_cohort(tx: AsyncSession, name: str, *, lock: bool = False) -> Row[Any] | None:
    """The cohort of that name, or None; with ``lock`` nobody else changes it until the commit."""
    query = select(t.cohort).where(t.cohort.c.tenant == tenant(tx), t.cohort.c.name == name)
    return (await tx.execute(query.with_for_update() if lock else query)).one_or_none()


async def save_cohort(tx: AsyncSession, cohort_id: UUID, name: str, row: Mapping[str, Any]) -> int:
    """The cohort's row has these values and is in service; 1 when it had not, else 0."""
    values = {"name": name, **row, "retired_at": None, "purge_at": None}
    scope = {"id": cohort_id, "tenant": tenant(tx)}
    return await equalise(tx, t.cohort, scope, [values])


async def save_dates(tx: AsyncSession, cohort_id: UUID, rows: Rows) -> int:
    """The cohort's own dates are these; how many were not."""
    scope = {"cohort_id": cohort_id, "tenant": tenant(tx)}
    return await equalise(tx, t.cohort_date, scope, rows)


async def save_meetings(tx: AsyncSession, cohort_id: UUID, rows: Rows) -> int:
    """The cohort's meetings are these; how many were not."""
    scope = {"cohort_id": cohort_id, "tenant": tenant(tx)}
    return await equalise(tx, t.meeting, scope, rows)


async def list_meetings(tx: AsyncSession, cohort_ids: Iterable[UUID]) -> dict[UUID, list[Row[Any]]]:
    """The meetings of each cohort, in document order."""
    m = t.meeting.c
    query = (
        select(t.meeting).where(m.cohort_id.in_(set(cohort_ids))).order_by(m.cohort_id, m.position)
    )
    found: dict[UUID, list[Row[Any]]] = {}
    for row in await tx.execute(query):
        found.setdefault(row.cohort_id, []).append(row)
    return found


async def list_named(tx: AsyncSession, names: Sequence[str]) -> Sequence[Row[Any]]:
    """The cohorts of these names; those that are not known are left out."""
    c = t.cohort.c
    query = select(t.cohort).where(c.tenant == tenant(tx), c.name.in_(names))
    return await fetch(tx, query)


async def count_members(tx: AsyncSession, cohort_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Members of each cohort; those without any are left out."""
    m = t.membership.c
    query = (
        select(m.cohort_id, func.count().label("members"))
        .where(m.cohort_id.in_(set(cohort_ids)))
        .group_by(m.cohort_id)
    )
    return {row.cohort_id: row.members for row in await tx.execute(query)}


async def has_members(tx: AsyncSession, cohort_id: UUID) -> bool:
    """Whether anybody is a member."""
    m = t.membership.c
    # Only the columns that the operator's role may read.
    query = select(exists(select(m.cohort_id).where(m.cohort_id == cohort_id)))
    return bool(await tx.scalar(query))


async def retire(tx: AsyncSession, cohort_id: UUID, *, purge: bool) -> None:
    """Nobody can join any more; with ``purge`` the sweeper deletes the memberships."""
    c = t.cohort.c
    now = func.clock_timestamp()
    values = {"retired_at": func.coalesce(c.retired_at, now)}
    if purge:
        values["purge_at"] = func.coalesce(c.purge_at, now)
    await tx.execute(update(t.cohort).where(c.id == cohort_id).values(values))


async def list_purges(tx: AsyncSession) -> list[tuple[str, str]]:
    """Tenant and name of the cohorts whose memberships are to go, of all tenants."""
    c = t.cohort.c
    query = select(c.tenant, c.name).where(c.purge_at.is_not(None)).order_by(c.purge_at)
    return [(row.tenant, row.name) for row in await tx.execute(query)]


async def delete_cohort(tx: AsyncSession, cohort_id: UUID) -> None:
    """The cohort, its dates, meetings and code are gone."""
    await tx.execute(delete(t.cohort).where(t.cohort.c.id == cohort_id))


async def unknown_courses(tx: AsyncSession, names: Iterable[str]) -> list[str]:
    """Those of the names under which no course was published yet, sorted."""
    wanted = set(names)
    r = t.course_replica.c
    known = await tx.scalars(select(r.course).where(r.tenant == tenant(tx), r.course.in_(wanted)))
    return sorted(wanted - set(known))


async def save_course(
    tx: AsyncSession, course: str, course_id: UUID, title: str, version: int
) -> bool:
    """The course is known in this version; whether it was not known before."""
    is_new = bool(await unknown_courses(tx, [course]))
    values = {"course_id": course_id, "title": title, "version": version}
    await tx.execute(
        upsert(t.course_replica)
        .values(tenant=tenant(tx), course=course, **values)
        .on_conflict_do_update(
            index_elements=[t.course_replica.c.tenant, t.course_replica.c.course],
            set_={**values, "updated_at": func.clock_timestamp()},
        )
    )
    return is_new


async def list_joined(tx: AsyncSession, user_id: UUID) -> Sequence[Row[Any]]:
    """The cohorts in which the person is a member, but for those that were withdrawn."""
    c, m = t.cohort.c, t.membership.c
    query = (
        select(t.cohort)
        .join(t.membership, m.cohort_id == c.id)
        .where(m.tenant == tenant(tx), m.user_id == user_id, c.retired_at.is_(None))
        .order_by(c.name)
    )
    return await fetch(tx, query)


async def list_due(
    tx: AsyncSession, cohort_ids: Iterable[UUID], since: datetime, until: datetime
) -> Sequence[Row[Any]]:
    """What is due in these cohorts by dates of their own, with the titles of the courses."""
    d, r = t.cohort_date.c, t.course_replica.c
    query = (
        select(d.cohort_id, d.course, d.kind, d.key, d.due_at, r.title)
        .outerjoin(t.course_replica, (r.tenant == d.tenant) & (r.course == d.course))
        .where(d.cohort_id.in_(set(cohort_ids)), d.due_at >= since, d.due_at < until)
        .order_by(d.due_at, d.course, d.kind, d.key)
    )
    return await fetch(tx, query)
