"""Rows of webhooks: where people want to be called, and how the calls have gone lately."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.domain.webhooks import Disabled
from kourse.notification.tables import webhook

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_now = func.clock_timestamp()


@dataclass(frozen=True)
class Webhook:
    """An endpoint of somebody's.

    Attributes:
        kinds: Kinds that it wants; None for all.
        sealed: Its secret.
        former_sealed: The secret before, while it signs too.
        former_until: When that ends.
        disabled: Why it is not called; None when it is.
        failing_since: When the failures without a success since began.
        failures: How many there were.
    """

    id: UUID
    user_id: UUID
    url: str
    description: str
    kinds: tuple[str, ...] | None
    sealed: bytes
    former_sealed: bytes | None
    former_until: datetime | None
    created_at: datetime
    disabled: Disabled | None
    disabled_at: datetime | None
    failing_since: datetime | None
    failures: int


async def lock_person(tx: AsyncSession, user_id: UUID) -> None:
    """Nobody else adds a webhook of this person until the transaction ends."""
    await tx.execute(_LOCK, {"key": f"notification.webhook/{tx.info['tenant']}/{user_id}"})


async def count(tx: AsyncSession, user_id: UUID) -> int:
    """How many webhooks the person has."""
    query = select(func.count()).select_from(webhook).where(webhook.c.user_id == user_id)
    return int((await tx.execute(query)).scalar_one())


async def add(tx: AsyncSession, values: Mapping[str, Any]) -> Webhook:
    """A new webhook."""
    row = insert(webhook).values(tenant=tx.info["tenant"], **values).returning(webhook)
    return _webhook((await tx.execute(row)).one())


async def find(
    tx: AsyncSession, user_id: UUID, webhook_id: UUID, *, lock: bool = False
) -> Webhook | None:
    """The person's webhook; None when they have no such."""
    query = select(webhook).where(webhook.c.id == webhook_id, webhook.c.user_id == user_id)
    if lock:
        query = query.with_for_update(key_share=True)  # what is told goes on meanwhile
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _webhook(row)


async def list_own(
    tx: AsyncSession, user_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Webhook]:
    """The person's webhooks, newest first."""
    place = tuple_(webhook.c.created_at, webhook.c.id)
    query = (
        select(webhook)
        .where(webhook.c.user_id == user_id)
        .order_by(webhook.c.created_at.desc(), webhook.c.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(place < after)
    return [_webhook(row) for row in (await tx.execute(query)).all()]


async def change(tx: AsyncSession, webhook_id: UUID, values: Mapping[str, Any]) -> Webhook:
    """The webhook with these values."""
    changed = update(webhook).where(webhook.c.id == webhook_id).values(**values)
    return _webhook((await tx.execute(changed.returning(webhook))).one())


async def rotate(tx: AsyncSession, old: Webhook, sealed: bytes, overlap: timedelta) -> Webhook:
    """The webhook has another secret; the one before signs too for a while."""
    values = {"sealed": sealed, "former_sealed": old.sealed, "former_until": _now + overlap}
    return await change(tx, old.id, values)


async def remove(tx: AsyncSession, webhook_id: UUID) -> None:
    """The webhook is gone with its deliveries."""
    await tx.execute(delete(webhook).where(webhook.c.id == webhook_id))


async def succeed(tx: AsyncSession, webhook_id: UUID) -> None:
    """The endpoint works."""
    works = update(webhook).where(webhook.c.id == webhook_id, webhook.c.failures > 0)
    await tx.execute(works.values(failures=0, failing_since=None))


async def fail(tx: AsyncSession, webhook_id: UUID) -> tuple[Webhook, timedelta]:
    """One failure more; the endpoint, and for how long it has failed."""
    counted = {
        "failures": webhook.c.failures + 1,
        "failing_since": func.coalesce(webhook.c.failing_since, _now),
    }
    failed = (
        update(webhook)
        .where(webhook.c.id == webhook_id)
        .values(**counted)
        .returning(webhook, (_now - webhook.c.failing_since).label("failing_for"))
    )
    row = (await tx.execute(failed)).one()
    return _webhook(row), row.failing_for


async def disable(tx: AsyncSession, webhook_id: UUID, why: Disabled) -> bool:
    """The endpoint is not called any more; False when it was not before."""
    ended = (
        update(webhook)
        .where(webhook.c.id == webhook_id, webhook.c.disabled.is_(None))
        .values(disabled=why.value, disabled_at=_now)
        .returning(webhook.c.id)
    )
    return (await tx.execute(ended)).scalar_one_or_none() is not None


def enabled() -> dict[str, Any]:
    """Values of an endpoint that is called again, as if it had never failed."""
    return {"disabled": None, "disabled_at": None, "failing_since": None, "failures": 0}


def _webhook(row: Row[Any]) -> Webhook:
    return Webhook(
        id=row.id,
        user_id=row.user_id,
        url=row.url,
        description=row.description,
        kinds=None if row.kinds is None else tuple(row.kinds),
        sealed=row.sealed,
        former_sealed=row.former_sealed,
        former_until=row.former_until,
        created_at=row.created_at,
        disabled=Disabled(row.disabled) if row.disabled else None,
        disabled_at=row.disabled_at,
        failing_since=row.failing_since,
        failures=row.failures,
    )
