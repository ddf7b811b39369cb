"""The outgoing half of the event backbone: a fact and its event are one transaction.

``emit`` adds an event to a transaction, ``emit_all`` many in one statement. ``write`` makes a change and
its event one statement, which costs little more than the change alone: for the hot writes. All lock the
entities' sequences until the commit, so numbers are gapless and in the order of the commits. The row stays
as archive after the relay has published it. Relays are woken after the commit and not by it: PostgreSQL
lets transactions that notify commit only one by one, which would halve the writes per second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import literal_column
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import Delete, Insert, Update

from kourse.contracts import names
from kourse.contracts.events import Event
from kourse.kit.db import after_commit, statement
from kourse.kit.delivery import current_traceparent
from kourse.kit.ids import new_id
from kourse.kit.relay import Relay
from kourse.kit.waking import wake

__all__ = ["Change", "Relay", "emit", "emit_all", "write"]

_SEQUENCE = """
INSERT INTO {schema}.event_sequence AS s (tenant, stream, entity, last_seq)
SELECT %(event_tenant)s, %(event_stream)s, %(event_entity)s, 1 {given}
ON CONFLICT (tenant, stream, entity) DO UPDATE SET last_seq = s.last_seq + 1
RETURNING s.last_seq, s.started_at
"""
_EVENT = """
INSERT INTO {schema}.outbox (
  event_id, tenant, stream, entity, seq, started_at, type, version, payload, headers,
  routing_key, part, traceparent)
SELECT %(event_id)s, %(event_tenant)s, %(event_stream)s, %(event_entity)s, last_seq, started_at,
  %(event_type)s, %(event_version)s, CAST(%(event_payload)s AS jsonb),
  CAST(%(event_headers)s AS jsonb), %(event_key)s, %(event_part)s, %(event_traceparent)s
FROM sequence
"""
_EMIT = f"WITH sequence AS ({_SEQUENCE.replace('{given}', '')}) {_EVENT}"
_GIVEN = "FROM (SELECT FROM written LIMIT 1) AS given"
_WRITE = f"""
WITH {{changes}}, sequence AS ({_SEQUENCE.replace("{given}", _GIVEN)}) {_EVENT}
"""
_EMIT_ALL = """
WITH given AS (
  SELECT told.*, count(*) OVER entity AS many,
    row_number() OVER (entity ORDER BY place) AS nth
  FROM json_to_recordset(CAST(%(rows)s AS json)) AS told (
    place integer, event_id uuid, event_stream text, event_entity text, event_type text,
    event_version smallint, event_payload jsonb, event_headers jsonb, event_key text,
    event_part smallint)
  WINDOW entity AS (PARTITION BY event_stream, event_entity)
), sequence AS (
  INSERT INTO {schema}.event_sequence AS s (tenant, stream, entity, last_seq)
  SELECT DISTINCT %(event_tenant)s, event_stream, event_entity, many FROM given ORDER BY 2, 3
  ON CONFLICT (tenant, stream, entity) DO UPDATE SET last_seq = s.last_seq + excluded.last_seq
  RETURNING s.stream, s.entity, s.last_seq, s.started_at
)
INSERT INTO {schema}.outbox (
  event_id, tenant, stream, entity, seq, started_at, type, version, payload, headers,
  routing_key, part, traceparent)
SELECT event_id, %(event_tenant)s, stream, entity, last_seq - many + nth, started_at, event_type,
  event_version, event_payload, event_headers, event_key, event_part, %(event_traceparent)s
FROM given JOIN sequence ON (stream, entity) = (event_stream, event_entity) ORDER BY place
"""
_DIALECT = psycopg.dialect()  # type: ignore[no-untyped-call]


class Change:
    """An insert, update or delete that is told of in the same statement; made once, used often."""

    def __init__(self, change: Insert | Update | Delete, **first: Insert | Update | Delete) -> None:
        """Compiles the statement.

        Args:
            change: Without ``returning``; what varies is a ``bindparam`` whose type the driver knows
                (text, numbers, times, UUIDs).
            first: Changes made in the same statement, by the name under which ``change`` and those after
                them may select what they return. They tell of nothing themselves.
        """
        parts = {
            **{name: part.compile(dialect=_DIALECT) for name, part in first.items()},
            "written": change.returning(literal_column("1")).compile(dialect=_DIALECT),
        }
        self._schema = str(change.table.schema)
        changes = ", ".join(f"{name} AS ({part})" for name, part in parts.items())
        self._sql = _for_schema(self._schema, _WRITE).replace("{changes}", changes)
        binds = [bind for part in parts.values() for bind in part.binds.items()]
        self._varying = {name for name, bind in binds if bind.required}
        self._fixed = {name: bind.value for name, bind in binds if not bind.required}

    async def make(self, tx: AsyncSession, values: Mapping[str, Any], row: dict[str, Any]) -> bool:
        """Executes it with these values and this outbox row; whether any row changed.

        Raises:
            ValueError: The transaction is another service's.
            TypeError: A value is missing or one too many.
        """
        if values.keys() != self._varying:
            raise TypeError(f"the change takes {sorted(self._varying)}")
        if tx.info["schema"] != self._schema:
            raise ValueError(f"the change is made in {self._schema}")
        return await _execute(tx, self._sql, {**self._fixed, **values, **row}) > 0


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
    event_id = event_id or new_id()
    await _execute(tx, _for_schema(tx.info["schema"], _EMIT), _row(tx, event, event_id))
    after_commit(tx, wake)
    return event_id


async def emit_all(tx: AsyncSession, events: Sequence[Event]) -> None:
    """Writes events of one tenant in one statement, each with a new id; see ``emit``.

    Raises:
        ValueError: As ``emit``.
    """
    if not events:
        return
    rows = [_row(tx, event, new_id()) for event in events]
    for place, row in enumerate(rows):
        row["place"] = place
        for name in ("event_payload", "event_headers"):
            row[name] = orjson.Fragment(row[name])
    shared = {name: rows[0][name] for name in ("event_tenant", "event_traceparent")}
    told = orjson.dumps(rows).decode()
    await _execute(tx, _for_schema(tx.info["schema"], _EMIT_ALL), {**shared, "rows": told})
    after_commit(tx, wake)


async def write(
    tx: AsyncSession,
    change: Change,
    values: Mapping[str, Any],
    event: Event,
    *,
    event_id: UUID | None = None,
) -> UUID | None:
    """Makes the change and tells of it, in one statement; where nothing changes, nothing is told.

    Args:
        tx: As in ``emit``.
        change: What to write.
        values: What varies in it, by name.
        event: The one fact that it makes, however many rows it touches.
        event_id: As in ``emit``.

    Returns:
        The event's id, or None when no row changed, so there is no event.

    Raises:
        ValueError: As ``emit``.
        TypeError: A value is missing or one too many.
    """
    event_id = event_id or new_id()
    if not await change.make(tx, values, _row(tx, event, event_id)):
        return None
    after_commit(tx, wake)
    return event_id


@cache
def _for_schema(schema: str, template: str) -> str:
    return statement(schema, template).text


async def _execute(tx: AsyncSession, sql: str, values: dict[str, Any]) -> int:
    """Straight to the driver, since building and looking up the statement would cost as much as running it."""
    return await tx.run_sync(
        lambda session: session.connection().exec_driver_sql(sql, values).rowcount
    )


def _row(tx: AsyncSession, event: Event, event_id: UUID) -> dict[str, Any]:
    kind, tenant, schema = event.kind, tx.info.get("tenant"), tx.info["schema"]
    if not tenant:
        raise ValueError("an event needs a transaction bound to a tenant")
    if schema != kind.producer:
        raise ValueError(f"{kind.name} comes from {kind.producer}, not from {schema}")
    entity = event.entity
    return {
        "event_id": event_id,
        "event_tenant": tenant,
        "event_stream": kind.stream.value,
        "event_entity": entity,
        "event_type": kind.name,
        "event_version": kind.version,
        "event_payload": event.model_dump_json(),
        "event_headers": _headers(event),
        "event_key": event.routing_key(tenant),
        "event_part": names.partition(entity),
        "event_traceparent": current_traceparent(),
    }


def _headers(event: Event) -> str:
    """Plain headers that bindings match, as JSON: graders' queues are bound by exam."""
    if "exam_id" not in type(event).model_fields:
        return "{}"
    exam_id = event.exam_id  # type: ignore[attr-defined]
    return "{}" if exam_id is None else orjson.dumps({"exam": str(exam_id)}).decode()
