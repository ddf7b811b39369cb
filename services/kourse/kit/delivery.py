"""An event as it arrives: its CloudEvents attributes read from AMQP headers, its payload decoded."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Delivery:
    """Where an event comes from and where it stands in its sequence.

    Attributes:
        id: The event's id, the same in every redelivery and republication.
        tenant: Tenant it belongs to.
        type: Wire name from the catalog.
        stream: Stream of its sequence.
        entity: Id of the entity, the CloudEvents subject.
        seq: Place in the sequence of (stream, entity), from 1, without gaps.
        time: When the fact was committed, by the producer's database; UTC.
        started_at: When the entity's sequence began, by the same clock.
        traceparent: W3C trace context of the producer, or None.
        headers: All AMQP headers, kept for parking.
    """

    id: UUID
    tenant: str
    type: str
    stream: str
    entity: str
    seq: int
    time: datetime
    started_at: datetime
    traceparent: str | None = None
    headers: dict[str, Any] = field(default_factory=dict, repr=False)
