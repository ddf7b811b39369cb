"""The outgoing half of the event backbone: a fact and its event are one transaction.

``emit`` locks the entity's sequence until the commit, so numbers are gapless and in the order of the
commits. The row stays as archive after the relay has published it. ``NOTIFY`` only wakes the relay early;
what it must publish is what has no ``published_at``.
"""

from __future__ import annotations

from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts import names
from kourse.contracts.events import Event
from kourse.kit.db import statement
from kourse.kit.delivery import current_traceparent
from kourse.kit.ids import new_id
from kourse.kit.relay import CHANNEL, Relay

__all__ = ["Relay", "emit"]

_EMIT = """
WITH sequence AS (
  INSERT INTO {schema}.event_sequence AS s (tenant, stream, entity, last_seq)
  VALUES (:tenant, :stream, :entity, 1)
  ON CONFLICT (tenant, stream, entity) DO UPDATE SET last_seq = s.last_seq + 1
  RETURNING s.last_seq, s.started_at
), event AS (
  INSERT INTO {schema}.outbox (
    event_id, tenant, stream, entity, seq, started_at, type, version, payload, headers,
    routing_key, part, traceparent)
  SELECT :event_id, :tenant, :stream, :entity, last_seq, started_at, :type, :version,
    CAST(:payload AS jsonb), CAST(:headers AS jsonb), :routing_key, :part, :traceparent
  FROM sequence
)
SELECT pg_notify(:channel, :schema) FROM sequence
"""


async def emit(tx: AsyncSession, event: Event, *, event_id: UUID | None = None) -> UUID:
    """Writes the event into the outbox of ``tx``; it leaves when, and only when, the transaction commits.

    The entity's sequence stays locked until the commit, so emit late in a transaction that does more.

    Args:
        tx: A transaction of the service that produces the event, bound to a tenant.
        event: The fact.
        event_id: Its id; a derived one (``uuid5``) makes a second emission of the same fact fail.

    Returns:
        The event's id.

    Raises:
        ValueError: The transaction is bound to no tenant, or to another service's schema.
    """
    kind, tenant, schema = event.kind, tx.info.get("tenant"), tx.info["schema"]
    if not tenant:
        raise ValueError("an event needs a transaction bound to a tenant")
    if schema != kind.producer:
        raise ValueError(f"{kind.name} comes from {kind.producer}, not from {schema}")
    event_id = event_id or new_id()
    await tx.execute(
        statement(schema, _EMIT),
        {
            "event_id": event_id,
            "tenant": tenant,
            "stream": kind.stream.value,
            "entity": event.entity,
            "type": kind.name,
            "version": kind.version,
            "payload": event.model_dump_json(),
            "headers": orjson.dumps(_headers(event)).decode(),
            "routing_key": event.routing_key(tenant),
            "part": names.partition(event.entity),
            "traceparent": current_traceparent(),
            "channel": CHANNEL,
            "schema": schema,
        },
    )
    return event_id


def _headers(event: Event) -> dict[str, str]:
    """Plain headers that bindings match: graders' queues are bound by exam."""
    exam_id = getattr(event, "exam_id", None)
    return {} if exam_id is None else {"exam": str(exam_id)}
