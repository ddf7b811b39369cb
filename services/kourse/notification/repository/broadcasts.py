"""Rows of notices that everybody in a course is to get, and how far each has come: page by page of learners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.domain.kinds import Kind
from kourse.notification.repository.notices import Notice
from kourse.notification.tables import broadcast, enrolment


@dataclass(frozen=True)
class Broadcast:
    """A notice on its way.

    Attributes:
        after: The last learner who was told; the next page begins behind them.
    """

    id: UUID
    course_id: UUID
    notice: Notice
    after: UUID


async def add(tx: AsyncSession, course_id: UUID, notice: Notice, *, after: UUID) -> None:
    """Everybody in the course behind that learner will be told."""
    await tx.execute(
        insert(broadcast).values(
            tenant=tx.info["tenant"],
            course_id=course_id,
            kind=notice.kind.value,
            params=dict(notice.params),
            source_event=notice.source_event,
            after=after,
        )
    )


async def list_tenants(worker: AsyncSession) -> list[str]:
    """Tenants where somebody is still to be told, under the worker role, which sees all."""
    return list(await worker.scalars(select(broadcast.c.tenant).distinct()))


async def take(tx: AsyncSession) -> Broadcast | None:
    """The oldest that nobody else has in hand; it is this transaction's until that ends."""
    query = (
        select(broadcast).order_by(broadcast.c.begun_at).limit(1).with_for_update(skip_locked=True)
    )
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        return None
    notice = Notice(Kind(row.kind), row.params, row.source_event)
    return Broadcast(row.id, row.course_id, notice, row.after)


async def go_on(tx: AsyncSession, broadcast_id: UUID, *, after: UUID) -> None:
    """Everybody up to that learner was told."""
    await tx.execute(update(broadcast).where(broadcast.c.id == broadcast_id).values(after=after))


async def end(tx: AsyncSession, broadcast_id: UUID) -> None:
    """Everybody was told."""
    await tx.execute(delete(broadcast).where(broadcast.c.id == broadcast_id))


async def list_page(
    tx: AsyncSession, course_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[UUID]:
    """Learners of the course behind that one, in order.

    The lock has an erasure wait for this transaction; it then takes along what was told in it.
    """
    query = (
        select(enrolment.c.learner_id)
        .where(enrolment.c.course_id == course_id, enrolment.c.is_active)
        .order_by(enrolment.c.learner_id)
        .limit(limit)
        .with_for_update(read=True, key_share=True)
    )
    if after is not None:
        query = query.where(enrolment.c.learner_id > after)
    return (await tx.scalars(query)).all()
