"""SQL of announcements to a cohort, and of messages to one learner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Table, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.kit.ids import new_id
from kourse.profile import tables as t
from kourse.profile.repository.cohorts import fetch, tenant


async def add_announcement(
    tx: AsyncSession, cohort_id: UUID, author_id: UUID, values: Mapping[str, Any]
) -> UUID:
    """A new announcement; its id."""
    return await _add(tx, t.announcement, {"cohort_id": cohort_id, "author_id": author_id}, values)


async def add_message(
    tx: AsyncSession,
    cohort_id: UUID,
    author_id: UUID,
    learner_id: UUID,
    values: Mapping[str, Any],
) -> UUID:
    """A new message; its id."""
    about = {"cohort_id": cohort_id, "author_id": author_id, "learner_id": learner_id}
    return await _add(tx, t.message, about, values)


async def _add(
    tx: AsyncSession, table: Table, about: Mapping[str, UUID], values: Mapping[str, Any]
) -> UUID:
    post_id = new_id()
    await tx.execute(insert(table).values(id=post_id, tenant=tenant(tx), **about, **values))
    return post_id


def _signed(table: Table) -> Select[Any]:
    """Rows with the names of their authors and of their cohorts."""
    p, c = t.profile.c, t.cohort.c
    return (
        select(table, p.display_name.label("author"), c.name.label("cohort"))
        .join(t.cohort, c.id == table.c.cohort_id)
        .outerjoin(t.profile, (p.tenant == table.c.tenant) & (p.user_id == table.c.author_id))
    )


async def _page(
    tx: AsyncSession, table: Table, condition: Any, after: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    query = _signed(table).where(condition).order_by(table.c.id.desc()).limit(limit)
    return await fetch(tx, query if after is None else query.where(table.c.id < after))


async def list_announcements(
    tx: AsyncSession, cohort_id: UUID, after: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """A cohort's announcements, newest first."""
    return await _page(tx, t.announcement, t.announcement.c.cohort_id == cohort_id, after, limit)


async def get_announcement(tx: AsyncSession, announcement_id: UUID) -> Row[Any]:
    """An announcement that is there."""
    return await _get(tx, t.announcement, announcement_id)


async def _get(tx: AsyncSession, table: Table, post_id: UUID) -> Row[Any]:
    row: Row[Any] = (await tx.execute(_signed(table).where(table.c.id == post_id))).one()
    return row


async def delete_announcement(tx: AsyncSession, cohort_id: UUID, announcement_id: UUID) -> bool:
    """The cohort's announcement is gone; whether it was there."""
    a = t.announcement.c
    gone = delete(t.announcement).where(a.cohort_id == cohort_id, a.id == announcement_id)
    return (await tx.execute(gone.returning(a.id))).one_or_none() is not None


async def list_sent(
    tx: AsyncSession, cohort_id: UUID, learner_id: UUID, after: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """What teachers of a cohort wrote to one of its learners, newest first."""
    m = t.message.c
    mine = (m.learner_id == learner_id) & (m.cohort_id == cohort_id)
    return await _page(tx, t.message, (m.tenant == tenant(tx)) & mine, after, limit)


async def list_received(
    tx: AsyncSession, learner_id: UUID, after: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """What was written to a learner, newest first."""
    m = t.message.c
    mine = (m.tenant == tenant(tx)) & (m.learner_id == learner_id)
    return await _page(tx, t.message, mine, after, limit)


async def get_message(tx: AsyncSession, message_id: UUID) -> Row[Any]:
    """A message that is there."""
    return await _get(tx, t.message, message_id)


async def mark_read(tx: AsyncSession, learner_id: UUID, message_id: UUID) -> bool:
    """The learner's message is read, since the first time that this was said; whether it is there."""
    m = t.message.c
    statement = (
        update(t.message)
        .where(m.tenant == tenant(tx), m.learner_id == learner_id, m.id == message_id)
        .values(read_at=func.coalesce(m.read_at, func.clock_timestamp()))
        .returning(m.id)
    )
    return (await tx.execute(statement)).one_or_none() is not None
