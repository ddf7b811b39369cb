"""The inbox's rows: which events took effect, where each entity stands, and what is set aside.

Every function works in the caller's transaction. ``stand`` locks the entity for the consumer, so two
readers of one queue, one of them a zombie, take turns.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Result, TextClause, exc
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.kit.cursor import Step
from kourse.kit.db import statement
from kourse.kit.delivery import Delivery, UndecodableError

POISON = "poison"

_ENTITY = "consumer = :consumer AND tenant = :tenant AND stream = :stream AND entity = :entity"


def _of_entity(template: str) -> str:
    return template.replace("{entity}", _ENTITY)


_LOCK = _of_entity("SELECT last_seq, blocked FROM {schema}.inbox_cursor WHERE {entity} FOR UPDATE")
_BEGIN = """
INSERT INTO {schema}.inbox_cursor (consumer, tenant, stream, entity, last_seq)
VALUES (:consumer, :tenant, :stream, :entity, 0) ON CONFLICT DO NOTHING
"""
_RECORD = """
INSERT INTO {schema}.inbox (consumer, event_id, tenant, stream, entity, seq)
VALUES (:consumer, :event_id, :tenant, :stream, :entity, :seq)
ON CONFLICT DO NOTHING RETURNING 1
"""
_ADVANCE = _of_entity("""
WITH kept AS (
  DELETE FROM {schema}.parked_event WHERE consumer = :consumer AND event_id = :event_id
), moved AS (
  UPDATE {schema}.inbox_cursor SET last_seq = :seq, updated_at = clock_timestamp() WHERE {entity}
)
SELECT headers, payload::text AS payload FROM {schema}.parked_event
WHERE {entity} AND seq = :seq + 1 AND reason = 'gap'
""")
_PARK = """
INSERT INTO {schema}.parked_event (consumer, event_id, tenant, stream, entity, seq, type, payload,
  headers, reason, error, tries)
VALUES (:consumer, :event_id, :tenant, :stream, :entity, :seq, :type, CAST(:payload AS jsonb),
  CAST(:headers AS jsonb), :reason, :error, :tries)
ON CONFLICT (consumer, event_id) DO UPDATE
SET reason = excluded.reason, error = excluded.error, tries = parked_event.tries + excluded.tries
"""
_BLOCK = _of_entity("""
UPDATE {schema}.inbox_cursor
SET blocked = true, last_seq = greatest(last_seq, :seq - 1), updated_at = clock_timestamp()
WHERE {entity}
""")
_DUE = _of_entity("""
SELECT headers, payload::text AS payload FROM {schema}.parked_event
WHERE {entity} AND seq = :last_seq + 1 AND reason = 'gap'
""")
_START = "INSERT INTO {schema}.inbox_consumer (consumer) VALUES (:consumer) ON CONFLICT DO NOTHING"
_STARTED = "SELECT started_at FROM {schema}.inbox_consumer WHERE consumer = :consumer"


@dataclass(frozen=True)
class Standing:
    """Where an entity stands for a consumer; ``last_seq`` is 0 before its first event."""

    last_seq: int
    blocked: bool


@dataclass(frozen=True)
class Parked:
    """An event that was set aside."""

    headers: dict[str, Any]
    payload: str


def _sql(tx: AsyncSession, template: str) -> TextClause:
    return statement(tx.info["schema"], template)


def _entity(consumer: str, delivery: Delivery) -> dict[str, Any]:
    return {
        "consumer": consumer,
        "tenant": delivery.tenant,
        "stream": delivery.stream,
        "entity": delivery.entity,
    }


def _event(consumer: str, delivery: Delivery) -> dict[str, Any]:
    return _entity(consumer, delivery) | {"event_id": delivery.id, "seq": delivery.seq}


async def started(tx: AsyncSession, consumer: str) -> datetime:
    """When the consumer first ran, marked now if it never did."""
    await tx.execute(_sql(tx, _START), {"consumer": consumer})
    moment: datetime = (await tx.execute(_sql(tx, _STARTED), {"consumer": consumer})).scalar_one()
    return moment


async def stand(tx: AsyncSession, consumer: str, delivery: Delivery) -> Standing:
    """Where the entity stands, locked until the transaction ends."""
    names = _entity(consumer, delivery)
    row = (await tx.execute(_sql(tx, _LOCK), names)).one_or_none()
    if row is None:
        await tx.execute(_sql(tx, _BEGIN), names)
        row = (await tx.execute(_sql(tx, _LOCK), names)).one()
    return Standing(row.last_seq, row.blocked)


async def record(tx: AsyncSession, consumer: str, delivery: Delivery) -> bool:
    """Notes that the event takes effect; False when it did before."""
    done = await tx.execute(_sql(tx, _RECORD), _event(consumer, delivery))
    return done.scalar_one_or_none() is not None


async def advance(tx: AsyncSession, consumer: str, delivery: Delivery) -> Parked | None:
    """The entity stands at this event; the next one, if it was set aside and is now due."""
    return _parked(await tx.execute(_sql(tx, _ADVANCE), _event(consumer, delivery)))


async def due(
    tx: AsyncSession, consumer: str, delivery: Delivery, standing: Standing
) -> Parked | None:
    """The event that was set aside and follows where the entity stands, or None."""
    if standing.blocked:
        return None
    at = _entity(consumer, delivery) | {"last_seq": standing.last_seq}
    return _parked(await tx.execute(_sql(tx, _DUE), at))


def _parked(found: Result[Any]) -> Parked | None:
    row = found.one_or_none()
    return None if row is None else Parked(row.headers, row.payload)


async def set_aside(
    tx: AsyncSession, consumer: str, delivery: Delivery, body: bytes, step: Step
) -> None:
    """Keeps an event that waits for others.

    Raises:
        UndecodableError: The body is not JSON.
    """
    await _park(tx, consumer, delivery, body, step.value, "", 0)


async def poison(
    tx: AsyncSession, consumer: str, delivery: Delivery, body: bytes, error: str, tries: int
) -> None:
    """Keeps an event that failed, and blocks its entity; the caller holds ``stand``'s lock.

    Raises:
        UndecodableError: The body is not JSON.
    """
    await _park(tx, consumer, delivery, body, POISON, error, tries)
    await tx.execute(_sql(tx, _BLOCK), _event(consumer, delivery))


async def _park(
    tx: AsyncSession,
    consumer: str,
    delivery: Delivery,
    body: bytes,
    reason: str,
    error: str,
    tries: int,
) -> None:
    try:
        row = _event(consumer, delivery) | {
            "type": delivery.type,
            "payload": body.decode(),
            "headers": orjson.dumps(delivery.headers, default=str).decode(),
            "reason": reason,
            "error": error[:2000].replace("\0", ""),
            "tries": tries,
        }
        await tx.execute(_sql(tx, _PARK), row)
    except (UnicodeDecodeError, exc.DataError) as unfit:
        raise UndecodableError("the body is not JSON that the database can keep") from unfit
