"""The inbox's rows: which events took effect, where each entity stands, and what is set aside.

Every function works in the caller's transaction, on events of its one tenant. ``stand`` locks the entities
for the consumer, so two readers of one queue, one of them a zombie, take turns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Result, exc
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.kit.db import statement
from kourse.kit.delivery import UndecodableError
from kourse.kit.inbox.cursor import Arrival, Entity, Standing, Step

POISON = "poison"
DUE_AT_ONCE = 256
"""Events that waited and are handed out at a time."""

_OWN = "{t}.consumer = :consumer AND {t}.tenant = :tenant"
_ENTITIES = "unnest(CAST(:streams AS text[]), CAST(:entities AS text[])) AS r(stream, entity)"
_REACHED = (
    "unnest(CAST(:streams AS text[]), CAST(:entities AS text[]), CAST(:seqs AS bigint[]))"
    " AS r(stream, entity, last_seq)"
)
_TAKEN = (
    "unnest(CAST(:ids AS uuid[]), CAST(:streams AS text[]), CAST(:entities AS text[]),"
    " CAST(:seqs AS bigint[])) AS r(event_id, stream, entity, seq)"
)


def _template(sql: str) -> str:
    for table in ("c", "p"):
        sql = sql.replace(f"{{own {table}}}", _OWN.replace("{t}", table))
    for name, rows in (("entities", _ENTITIES), ("reached", _REACHED), ("taken", _TAKEN)):
        sql = sql.replace(f"{{{name}}}", rows)
    return sql


# A subquery that locks and an upsert look each entity up, whatever the planner thinks of the table.
_LOCK = _template("""
SELECT c.* FROM {entities} CROSS JOIN LATERAL (
  SELECT c.stream, c.entity, c.last_seq, c.blocked
  FROM {schema}.inbox_cursor AS c
  WHERE {own c} AND c.stream = r.stream AND c.entity = r.entity FOR UPDATE
) AS c
""")
_BEGIN = _template("""
INSERT INTO {schema}.inbox_cursor (consumer, tenant, stream, entity, last_seq)
SELECT :consumer, :tenant, stream, entity, 0 FROM {entities} ORDER BY stream, entity
ON CONFLICT DO NOTHING
""")
_RECORD = _template("""
WITH recorded AS (
  INSERT INTO {schema}.inbox (consumer, event_id, tenant, stream, entity, seq)
  SELECT :consumer, event_id, :tenant, stream, entity, seq FROM {taken}
  ON CONFLICT DO NOTHING RETURNING event_id
), moved AS (
  INSERT INTO {schema}.inbox_cursor (consumer, tenant, stream, entity, last_seq)
  SELECT :consumer, :tenant, stream, entity, max(seq) FROM {taken} GROUP BY stream, entity
  ON CONFLICT (consumer, tenant, stream, entity) DO UPDATE
  SET last_seq = excluded.last_seq, updated_at = clock_timestamp()
)
SELECT EXISTS (SELECT FROM {schema}.parked_event AS p WHERE {own p}) AS waits,
  CASE WHEN (SELECT count(*) FROM recorded) < cardinality(CAST(:ids AS uuid[])) THEN ARRAY(
    SELECT unnest(CAST(:ids AS uuid[])) EXCEPT SELECT event_id FROM recorded
  ) END AS known
""")
# Islands of numbers without a gap: what stands at place n behind the cursor has number last_seq + n.
_SETTLE = _template("""
WITH reached AS (
  SELECT * FROM {reached}
), unparked AS (
  DELETE FROM {schema}.parked_event AS p USING reached AS r
  WHERE {own p} AND p.stream = r.stream AND p.entity = r.entity AND p.seq <= r.last_seq
)
SELECT headers, payload FROM (
  SELECT p.headers, p.payload::text AS payload, p.seq - r.last_seq AS distance,
    row_number() OVER (PARTITION BY p.stream, p.entity ORDER BY p.seq) AS place
  FROM reached AS r JOIN {schema}.parked_event AS p USING (stream, entity)
  WHERE {own p} AND p.reason = 'gap' AND p.seq > r.last_seq
) AS waiting WHERE distance = place ORDER BY place LIMIT :limit
""")
_PARK = """
INSERT INTO {schema}.parked_event AS p (consumer, event_id, tenant, stream, entity, seq, type,
  payload, headers, reason, error, tries)
SELECT :consumer, event_id, :tenant, stream, entity, seq, type, CAST(payload AS jsonb), headers,
  reason, error, tries
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(event_id uuid, stream text, entity text,
  seq bigint, type text, payload text, headers jsonb, reason text, error text, tries integer)
ON CONFLICT (consumer, event_id) DO UPDATE
SET reason = excluded.reason, error = excluded.error, tries = p.tries + excluded.tries
WHERE p.reason <> 'poison' OR excluded.reason = 'poison'
"""
_BLOCK = """
UPDATE {schema}.inbox_cursor
SET blocked = true, last_seq = greatest(last_seq, :seq - 1), updated_at = clock_timestamp()
WHERE consumer = :consumer AND tenant = :tenant AND stream = :stream AND entity = :entity
"""
_SKIP = """
UPDATE {schema}.inbox_cursor SET last_seq = :last_seq, updated_at = clock_timestamp()
WHERE consumer = :consumer AND tenant = :tenant AND stream = :stream AND entity = :entity
  AND last_seq < :last_seq AND NOT blocked
"""
_START = "INSERT INTO {schema}.inbox_consumer (consumer) VALUES (:consumer) ON CONFLICT DO NOTHING"
_CONSUMER = "SELECT started_at, epoch FROM {schema}.inbox_consumer WHERE consumer = :consumer"
_NEW_EPOCH = """
UPDATE {schema}.inbox_consumer SET epoch = gen_random_uuid() WHERE consumer = :consumer
RETURNING epoch
"""


@dataclass(frozen=True)
class Begun:
    """A consumer as its schema knows it.

    Attributes:
        started_at: When it first ran.
        epoch: Part of the names of its marks in Redis; marks of other epochs count for nothing.
    """

    started_at: datetime
    epoch: UUID


@dataclass(frozen=True)
class Recorded:
    """What ``record`` found.

    Attributes:
        known: Ids of events that took effect before, seldom any.
        waits: Whether anything of the tenant is set aside, which may be due now.
    """

    known: frozenset[UUID]
    waits: bool


async def _execute(tx: AsyncSession, template: str, consumer: str, **values: object) -> Result[Any]:
    names = {"consumer": consumer, "tenant": tx.info["tenant"]}
    taken = {name: value for name, value in names.items() if f":{name}" in template}
    return await tx.execute(statement(tx.info["schema"], template), taken | values)


def _json(rows: object) -> str:
    return orjson.dumps(rows, default=str).decode()


def _columns(entities: Iterable[Entity]) -> dict[str, list[str]]:
    pairs = list(entities)
    return {"streams": [stream for stream, _ in pairs], "entities": [id_ for _, id_ in pairs]}


async def begun(tx: AsyncSession, consumer: str) -> Begun:
    """When the consumer first ran, marked now if it never did, and its epoch."""
    await _execute(tx, _START, consumer)
    row = (await _execute(tx, _CONSUMER, consumer)).one()
    return Begun(row.started_at, row.epoch)


async def renew_epoch(tx: AsyncSession, consumer: str) -> UUID | None:
    """Makes all marks in Redis worthless, as after a restore; None when it never ran here.

    Running consumers follow within ``marks.TRUST_S`` seconds; replay nothing before that.
    """
    found: UUID | None = (await _execute(tx, _NEW_EPOCH, consumer)).scalar_one_or_none()
    return found


async def stand(
    tx: AsyncSession, consumer: str, entities: Iterable[Entity]
) -> dict[Entity, Standing]:
    """Where the entities stand, locked until the transaction ends."""
    wanted = sorted(entities)
    found = await _lock(tx, consumer, wanted)
    if missing := [entity for entity in wanted if entity not in found]:
        await _execute(tx, _BEGIN, consumer, **_columns(missing))
        found |= await _lock(tx, consumer, missing)
    return found


async def _lock(
    tx: AsyncSession, consumer: str, entities: Sequence[Entity]
) -> dict[Entity, Standing]:
    found = await _execute(tx, _LOCK, consumer, **_columns(entities))
    return {(row.stream, row.entity): Standing(row.last_seq, row.blocked) for row in found.all()}


async def record(tx: AsyncSession, consumer: str, arrivals: Sequence[Arrival]) -> Recorded:
    """Notes that the events take effect: their entities, which ``stand`` locked, stand at their last ones."""
    found = await _execute(
        tx,
        _RECORD,
        consumer,
        **_columns(arrival.entity for arrival in arrivals),
        ids=[arrival.delivery.id for arrival in arrivals],
        seqs=[arrival.delivery.seq for arrival in arrivals],
    )
    row = found.one()
    return Recorded(frozenset(row.known or ()), row.waits)


async def settle(tx: AsyncSession, consumer: str, reached: Mapping[Entity, int]) -> list[Arrival]:
    """Nothing is set aside any more up to where the entities stand.

    Returns:
        The next of their events that waited and are now due.
    """
    found = await _execute(
        tx,
        _SETTLE,
        consumer,
        **_columns(reached),
        seqs=list(reached.values()),
        limit=DUE_AT_ONCE,
    )
    try:
        return [Arrival.of(row.headers, row.payload.encode()) for row in found]
    except UndecodableError as unfit:  # nothing that the event at hand is to blame for
        raise RuntimeError("what was set aside cannot be read") from unfit


async def set_aside(
    tx: AsyncSession, consumer: str, waiting: Sequence[tuple[Arrival, Step]]
) -> None:
    """Keeps events that wait for others.

    Raises:
        UndecodableError: A body is not JSON.
    """
    await _park(tx, consumer, [_row(arrival, step.value) for arrival, step in waiting])


async def poison(tx: AsyncSession, consumer: str, arrival: Arrival, error: str, tries: int) -> None:
    """Keeps an event that failed, and blocks its entity; the caller holds ``stand``'s lock.

    Raises:
        UndecodableError: The body is not JSON.
    """
    await _park(tx, consumer, [_row(arrival, POISON, error, tries)])
    stream, entity = arrival.entity
    await _execute(tx, _BLOCK, consumer, stream=stream, entity=entity, seq=arrival.delivery.seq)


async def skip_to(tx: AsyncSession, consumer: str, entity: Entity, last_seq: int) -> None:
    """The entity stands at ``last_seq`` although what came before never arrived, unless it is past that."""
    stream, id_ = entity
    await _execute(tx, _SKIP, consumer, stream=stream, entity=id_, last_seq=last_seq)


def _row(arrival: Arrival, reason: str, error: str = "", tries: int = 0) -> dict[str, Any]:
    delivery = arrival.delivery
    try:
        payload = arrival.body.decode()
    except UnicodeDecodeError as unfit:
        raise UndecodableError("the body is not text") from unfit
    return {
        "event_id": delivery.id,
        "stream": delivery.stream,
        "entity": delivery.entity,
        "seq": delivery.seq,
        "type": delivery.type,
        "payload": payload,
        "headers": delivery.headers,
        "reason": reason,
        "error": error[:2000].replace("\0", ""),
        "tries": tries,
    }


async def _park(tx: AsyncSession, consumer: str, rows: Sequence[Mapping[str, Any]]) -> None:
    try:
        await _execute(tx, _PARK, consumer, rows=_json(rows))
    except (exc.DataError, orjson.JSONEncodeError) as unfit:
        raise UndecodableError("the body is not JSON that the database can keep") from unfit
