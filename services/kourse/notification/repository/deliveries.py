"""Rows of deliveries: claimed by one sender at a time, settled by the one that holds the claim.

A claim is a lease: its end is the time at which the delivery is due again, so that nothing has to be
cleaned up after a sender that died.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, case, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.domain.calendars import DEFAULT_ZONE
from kourse.notification.domain.kinds import Lane
from kourse.notification.domain.preferences import OPTIONAL, Preferences
from kourse.notification.repository import bell, wishes
from kourse.notification.repository.notices import Told, told_of
from kourse.notification.tables import calendar, delivery, notification, recipient

# Materialized: a subquery may be run for each row, and each run would lock further ones, beyond the limit.
_CLAIM = text("""
WITH due AS MATERIALIZED (
  SELECT id FROM notification.delivery
  WHERE state = 'pending' AND due_at <= clock_timestamp()
    AND urgency BETWEEN :most_urgent AND :least_urgent
  ORDER BY urgency, due_at
  LIMIT :limit
  FOR UPDATE SKIP LOCKED
)
UPDATE notification.delivery SET
  claim = :claim, attempts = attempts + 1,
  due_at = clock_timestamp() + CAST(:lease AS interval)
WHERE id IN (SELECT id FROM due)
RETURNING id, tenant
""")

_SETTLE = text("""
UPDATE notification.delivery SET
  state = ended.state, outcome = ended.outcome, settled_at = clock_timestamp()
FROM unnest(
  CAST(:ids AS uuid[]), CAST(:claims AS uuid[]), CAST(:states AS text[]), CAST(:outcomes AS text[])
) AS ended(id, claim, state, outcome)
WHERE delivery.id = ended.id AND delivery.claim = ended.claim AND delivery.state = 'pending'
RETURNING delivery.id
""")
_TIME_ZONE = (
    select(calendar.c.time_zone)
    .where(calendar.c.learner_id == notification.c.user_id)
    .order_by(calendar.c.since_at.desc())
    .limit(1)
    .scalar_subquery()
)
_earlier, _earlier_sent = notification.alias("earlier"), delivery.alias("earlier_sent")
_SENT_LATELY = (
    select(func.count())
    .select_from(_earlier.join(_earlier_sent, _earlier_sent.c.notification_id == _earlier.c.id))
    .where(
        _earlier.c.user_id == notification.c.user_id,
        _earlier.c.kind.in_([kind.value for kind in OPTIONAL]),
        _earlier_sent.c.state == "sent",
        _earlier_sent.c.settled_at > func.clock_timestamp() - timedelta(hours=24),
    )
    .correlate(notification)
    .scalar_subquery()
)

HASTENED = "hastened"
"""Outcome of a delivery that a sender holds while its address is verified: it need not wait afterwards."""


class Settled(StrEnum):
    """How a delivery ended."""

    SENT = "sent"
    DROPPED = "dropped"
    FAILED = "failed"


@dataclass(frozen=True)
class Claim:
    """Deliveries of one tenant that this sender alone may send until the lease ends."""

    token: UUID
    tenant: str
    ids: tuple[UUID, ...]


@dataclass(frozen=True)
class Settlement:
    """How one delivery ended.

    Attributes:
        token: Of the claim under which it was dealt with.
        delivery_id: Which one.
        state: How it ended.
        outcome: Why, in a word for operators.
    """

    token: UUID
    delivery_id: UUID
    state: Settled
    outcome: str


@dataclass(frozen=True)
class Letter:
    """A claimed delivery with what it is to say.

    Attributes:
        id: The delivery's id, from which the message id follows.
        attempts: Attempts begun, this one included.
        age: Time since the notification came up.
        time_zone: Name of the zone that the recipient's days go by now.
        sent_lately: Mails that the recipient could have refused and got within the last 24 hours.
        unsubscribe_key: Opens the recipient's way out; None while the person is not known here.
    """

    id: UUID
    told: Told
    user_id: UUID
    attempts: int
    age: timedelta
    preferences: Preferences
    time_zone: str
    sent_lately: int
    unsubscribe_key: UUID | None


async def claim_due(
    worker: AsyncSession, lane: Lane, *, limit: int, lease: timedelta
) -> list[Claim]:
    """Deliveries of a lane that are due, most urgent first, by tenant.

    Args:
        worker: A transaction of the worker role, which sees all tenants.
        lane: Which of them.
        limit: Most deliveries.
        lease: After this they are due again unless settled.
    """
    token = uuid4()
    values = {
        "claim": token,
        "lease": lease,
        "limit": limit,
        "most_urgent": int(min(lane.value)),
        "least_urgent": int(max(lane.value)),
    }
    rows = await worker.execute(_CLAIM, values)
    by_tenant: dict[str, list[UUID]] = {}
    for row in rows:
        by_tenant.setdefault(row.tenant, []).append(row.id)
    return [Claim(token, tenant, tuple(ids)) for tenant, ids in by_tenant.items()]


async def list_letters(tx: AsyncSession, claim: Claim) -> list[Letter]:
    """The claimed deliveries that are still this sender's, most urgent first."""
    query = (
        select(
            notification,
            delivery.c.id.label("delivery_id"),
            delivery.c.attempts,
            (func.clock_timestamp() - delivery.c.created_at).label("age"),
            *wishes.COLUMNS,
            recipient.c.unsubscribe_key,
            _TIME_ZONE.label("time_zone"),
            _SENT_LATELY.label("sent_lately"),
        )
        .join(notification, notification.c.id == delivery.c.notification_id)
        .outerjoin(recipient, recipient.c.user_id == notification.c.user_id)
        .where(
            delivery.c.id.in_(claim.ids),
            delivery.c.claim == claim.token,
            delivery.c.state == "pending",
        )
        .order_by(delivery.c.urgency, delivery.c.created_at)
    )
    return [
        Letter(
            id=row.delivery_id,
            told=told_of(row),
            user_id=row.user_id,
            attempts=row.attempts,
            age=row.age,
            preferences=wishes.preferences_in(row),
            time_zone=row.time_zone or DEFAULT_ZONE,
            sent_lately=row.sent_lately,
            unsubscribe_key=row.unsubscribe_key,
        )
        for row in (await tx.execute(query)).all()
    ]


async def settle(tx: AsyncSession, settlements: Sequence[Settlement]) -> set[UUID]:
    """Those deliveries that are done by this call; without those whose claim had lapsed.

    Args:
        tx: A transaction of the deliveries' tenant.
        settlements: How each of them ended.
    """
    columns: dict[str, list[object]] = {
        "ids": [one.delivery_id for one in settlements],
        "claims": [one.token for one in settlements],
        "states": [one.state.value for one in settlements],
        "outcomes": [one.outcome for one in settlements],
    }
    return set((await tx.scalars(_SETTLE, columns)).all())


async def postpone(
    tx: AsyncSession, claim: Claim, delivery_id: UUID, wait: timedelta, outcome: str
) -> None:
    """The delivery is due again after a while, or at once if it was hastened under the claim.

    Nothing happens when the claim had lapsed.
    """
    now = func.clock_timestamp()
    due_at = case((delivery.c.outcome == HASTENED, now), else_=now + wait)
    await tx.execute(
        update(delivery)
        .where(*_held(claim, delivery_id))
        .values(due_at=due_at, outcome=outcome, claim=None)
    )


async def hasten(tx: AsyncSession, user_id: UUID) -> None:
    """What waits for a person's address is due now; what a sender holds is, when it gives it back."""
    bell.ring_after(tx)
    waiting = select(notification.c.id).where(notification.c.user_id == user_id)
    is_held = delivery.c.claim.is_not(None)
    await tx.execute(
        update(delivery)
        .where(delivery.c.notification_id.in_(waiting), delivery.c.state == "pending")
        .values(
            due_at=case((is_held, delivery.c.due_at), else_=func.clock_timestamp()),
            outcome=case((is_held, HASTENED), else_=delivery.c.outcome),
        )
    )


def _held(claim: Claim, delivery_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        delivery.c.id == delivery_id,
        delivery.c.claim == claim.token,
        delivery.c.state == "pending",
    )
