"""Rows of deliveries to webhooks: claimed by one sender at a time, tried again later, kept as a log.

As with mails, a claim is a lease: its end is the time at which the delivery is due again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, delete, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.domain.kinds import Kind
from kourse.notification.domain.webhooks import LOG_LENGTH
from kourse.notification.repository.deliveries import Claim
from kourse.notification.repository.notices import Told, told_of
from kourse.notification.tables import notification, webhook, webhook_delivery

# Materialized: a subquery may be run for each row, and each run would lock further ones, beyond the limits.
_CLAIM = text("""
WITH due AS MATERIALIZED (
  SELECT taken.id FROM (
    SELECT DISTINCT webhook_id FROM notification.webhook_delivery
    WHERE state = 'pending' AND due_at <= clock_timestamp()
  ) AS busy CROSS JOIN LATERAL (
    SELECT id, due_at FROM notification.webhook_delivery
    WHERE webhook_id = busy.webhook_id AND state = 'pending' AND due_at <= clock_timestamp()
    ORDER BY due_at LIMIT :each
    FOR UPDATE SKIP LOCKED
  ) AS taken
  ORDER BY taken.due_at LIMIT :limit
)
UPDATE notification.webhook_delivery SET
  claim = :claim, attempts = attempts + 1,
  due_at = clock_timestamp() + CAST(:lease AS interval)
WHERE id IN (SELECT id FROM due)
RETURNING id, tenant
""")
"""Few of each endpoint, so that none that is slow keeps the others waiting."""
_d = webhook_delivery.c
_now = func.clock_timestamp()


class State(StrEnum):
    """How far a delivery is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Delivery:
    """A delivery as its owner sees it.

    Attributes:
        id: Also ``webhook-id`` of each attempt.
        kind: What it tells; None for a test.
        due_at: When the next attempt is, while it is pending.
        outcome: What came of the last attempt, in a word.
        status: HTTP status of the last answer.
        took_ms: Time that the last attempt took.
    """

    id: UUID
    kind: Kind | None
    state: State
    attempts: int
    created_at: datetime
    due_at: datetime
    outcome: str | None
    status: int | None
    took_ms: int | None
    settled_at: datetime | None


@dataclass(frozen=True)
class Job:
    """A claimed delivery with where it goes and what it says.

    Attributes:
        told: The notification; None for a test.
        attempts: Attempts begun, this one included.
        age: Time since the delivery was asked for.
        created_at: When what it tells came up.
        former_sealed: The secret before the last rotation, where it signs still.
    """

    id: UUID
    webhook_id: UUID
    user_id: UUID
    told: Told | None
    attempts: int
    age: timedelta
    created_at: datetime
    url: str
    sealed: bytes
    former_sealed: bytes | None


async def add_test(tx: AsyncSession, webhook_id: UUID) -> UUID:
    """Id of a new test delivery, due now."""
    made = uuid4()
    values = {"id": made, "tenant": tx.info["tenant"], "webhook_id": webhook_id}
    await tx.execute(insert(webhook_delivery).values(**values))
    return made


async def claim_due(
    worker: AsyncSession, *, limit: int, each: int, lease: timedelta
) -> list[Claim]:
    """Deliveries that are due, by tenant, at most ``each`` of one endpoint.

    Args:
        worker: A transaction of the worker role, which sees all tenants.
        limit: Most deliveries.
        each: Most deliveries of one endpoint.
        lease: After this they are due again unless settled.
    """
    token = uuid4()
    values = {"claim": token, "lease": lease, "limit": limit, "each": each}
    by_tenant: dict[str, list[UUID]] = {}
    for row in await worker.execute(_CLAIM, values):
        by_tenant.setdefault(row.tenant, []).append(row.id)
    return [Claim(token, tenant, tuple(ids)) for tenant, ids in by_tenant.items()]


async def list_jobs(tx: AsyncSession, claim: Claim) -> list[Job]:
    """The claimed deliveries that are still this sender's."""
    former = func.coalesce(webhook.c.former_until > _now, False)
    query = (
        select(
            notification,
            _d.id.label("delivery_id"),
            _d.webhook_id,
            _d.attempts,
            (_now - _d.asked_at).label("age"),
            _d.created_at.label("begun_at"),
            webhook.c.user_id.label("owner"),
            webhook.c.url,
            webhook.c.sealed,
            webhook.c.former_sealed,
            former.label("has_former"),
        )
        .select_from(webhook_delivery)
        .join(webhook, webhook.c.id == _d.webhook_id)
        .outerjoin(notification, notification.c.id == _d.notification_id)
        .where(_d.id.in_(claim.ids), _d.claim == claim.token, _d.state == "pending")
        .order_by(_d.created_at)
    )
    return [
        Job(
            id=row.delivery_id,
            webhook_id=row.webhook_id,
            user_id=row.owner,
            told=None if row.id is None else told_of(row),
            attempts=row.attempts,
            age=row.age,
            created_at=row.begun_at,
            url=row.url,
            sealed=row.sealed,
            former_sealed=row.former_sealed if row.has_former else None,
        )
        for row in (await tx.execute(query)).all()
    ]


async def settle(
    tx: AsyncSession, claim: Claim, job: Job, state: State, result: Mapping[str, Any]
) -> bool:
    """Whether the delivery is done by this call; False when the claim had lapsed. Old ones are forgotten."""
    done = (
        update(webhook_delivery)
        .where(*_held(claim, job.id))
        .values(state=state.value, settled_at=_now, claim=None, **result)
        .returning(_d.id)
    )
    if (await tx.execute(done)).scalar_one_or_none() is None:
        return False
    settled = select(_d.id).where(_d.webhook_id == job.webhook_id, _d.state != "pending")
    old = settled.order_by(_d.created_at.desc(), _d.id.desc()).offset(LOG_LENGTH)
    await tx.execute(delete(webhook_delivery).where(_d.id.in_(old)))
    return True


async def postpone(
    tx: AsyncSession, claim: Claim, job: Job, wait: timedelta, result: Mapping[str, Any]
) -> bool:
    """Whether the delivery is due again after a while by this call; False when the claim had lapsed."""
    later = (
        update(webhook_delivery)
        .where(*_held(claim, job.id))
        .values(due_at=_now + wait, claim=None, **result)
        .returning(_d.id)
    )
    return (await tx.execute(later)).scalar_one_or_none() is not None


async def drop_pending(tx: AsyncSession, webhook_id: UUID, outcome: str) -> None:
    """Nothing is on its way to the endpoint any more."""
    await tx.execute(
        update(webhook_delivery)
        .where(_d.webhook_id == webhook_id, _d.state == "pending")
        .values(state=State.DROPPED.value, outcome=outcome, settled_at=_now, claim=None)
    )


async def again(tx: AsyncSession, delivery_id: UUID) -> bool:
    """Whether a settled delivery is due once more by this call."""
    repeated = (
        update(webhook_delivery)
        .where(_d.id == delivery_id, _d.state != "pending")
        .values(state="pending", attempts=0, due_at=_now, asked_at=_now, settled_at=None)
        .returning(_d.id)
    )
    return (await tx.execute(repeated)).scalar_one_or_none() is not None


async def find(tx: AsyncSession, webhook_id: UUID, delivery_id: UUID) -> Delivery | None:
    """The endpoint's delivery; None when there is no such."""
    row = (await tx.execute(_listed(webhook_id).where(_d.id == delivery_id))).one_or_none()
    return None if row is None else _delivery(row)


async def list_log(
    tx: AsyncSession, webhook_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Delivery]:
    """The endpoint's deliveries, newest first."""
    query = _listed(webhook_id).order_by(_d.created_at.desc(), _d.id.desc()).limit(limit)
    if after is not None:
        query = query.where(tuple_(_d.created_at, _d.id) < after)
    return [_delivery(row) for row in (await tx.execute(query)).all()]


def _listed(webhook_id: UUID) -> Select[Any]:
    return (
        select(webhook_delivery, notification.c.kind)
        .outerjoin(notification, notification.c.id == _d.notification_id)
        .where(_d.webhook_id == webhook_id)
    )


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        kind=Kind(row.kind) if row.kind else None,
        state=State(row.state),
        attempts=row.attempts,
        created_at=row.created_at,
        due_at=row.due_at,
        outcome=row.outcome,
        status=row.status,
        took_ms=row.took_ms,
        settled_at=row.settled_at,
    )


def _held(claim: Claim, delivery_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return _d.id == delivery_id, _d.claim == claim.token, _d.state == "pending"
