"""Rows of weekly digests: whose comes when, and from when on it sums up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, Uuid, any_, bindparam, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.domain.kinds import Kind
from kourse.notification.domain.preferences import Preferences
from kourse.notification.repository import wishes
from kourse.notification.tables import digest, notification, recipient


@dataclass(frozen=True)
class Due:
    """A digest whose time has come.

    Attributes:
        since: The end of the one before.
        at: When it was to come.
    """

    user_id: UUID
    since: datetime
    at: datetime
    preferences: Preferences


async def schedule(tx: AsyncSession, user_id: UUID, due_at: datetime) -> None:
    """The person's next digest comes then; the first one sums up what comes up from now on."""
    row = insert(digest).values(tenant=tx.info["tenant"], user_id=user_id, due_at=due_at)
    keys = [digest.c.tenant, digest.c.user_id]
    await tx.execute(row.on_conflict_do_update(index_elements=keys, set_={"due_at": due_at}))


async def move(tx: AsyncSession, user_id: UUID, due_at: datetime) -> None:
    """The person's next digest comes then, if they get any."""
    await tx.execute(update(digest).where(digest.c.user_id == user_id).values(due_at=due_at))


async def cancel(tx: AsyncSession, user_ids: Sequence[UUID]) -> None:
    """These people get no digests."""
    await tx.execute(delete(digest).where(digest.c.user_id.in_(user_ids)))


async def tenants_due(worker: AsyncSession, now: datetime) -> list[str]:
    """Tenants with digests to send, under the worker role, which sees all."""
    return list(
        await worker.scalars(select(digest.c.tenant).where(digest.c.due_at <= now).distinct())
    )


async def take_due(tx: AsyncSession, now: datetime, limit: int) -> list[Due]:
    """Digests to send, longest due first; nobody else has them until the transaction ends."""
    query = (
        select(digest, *wishes.COLUMNS)
        .outerjoin(recipient, recipient.c.user_id == digest.c.user_id)
        .where(digest.c.due_at <= now)
        .order_by(digest.c.due_at)
        .limit(limit)
        .with_for_update(of=digest, skip_locked=True)
    )
    return [
        Due(row.user_id, row.since_at, row.due_at, wishes.preferences_in(row))
        for row in (await tx.execute(query)).all()
    ]


async def unread(
    tx: AsyncSession, due: Sequence[Due], kinds: Iterable[Kind]
) -> dict[UUID, dict[Kind, int]]:
    """How many entries of these kinds have come up in each of these feeds since, and are unread."""
    query = (
        select(notification.c.user_id, notification.c.kind, func.count().label("entries"))
        .join(digest, digest.c.user_id == notification.c.user_id)
        .where(
            notification.c.user_id == any_(literal([one.user_id for one in due], ARRAY(Uuid))),
            notification.c.kind == any_(literal([kind.value for kind in kinds], ARRAY(Text))),
            notification.c.in_feed,
            notification.c.read_at.is_(None),
            notification.c.created_at > digest.c.since_at,
        )
        .group_by(notification.c.user_id, notification.c.kind)
    )
    found: dict[UUID, dict[Kind, int]] = defaultdict(dict)
    for row in (await tx.execute(query)).all():
        found[row.user_id][Kind(row.kind)] = row.entries
    return found


async def go_on(tx: AsyncSession, nexts: Iterable[tuple[UUID, datetime]]) -> None:
    """Each of these people has had a digest up to now, and gets the next one then."""
    values = [{"id": user_id, "at": due_at} for user_id, due_at in nexts]
    if values:
        change = (
            update(digest)
            .where(digest.c.user_id == bindparam("id"))
            .values(due_at=bindparam("at"), since_at=func.clock_timestamp())
        )
        await (await tx.connection()).execute(change, values)
