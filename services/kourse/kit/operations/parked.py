"""Events that a consumer set aside: those that failed, and those that wait for others of their entity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import Conflict, NotFound
from kourse.kit.db import statement

POISON = "poison"
GAP = "gap"
_SHORT = (
    "p.id, p.event_id, p.stream, p.entity, p.seq, p.type, p.reason, p.error, p.tries, p.parked_at"
)
_LIST = f"""
SELECT {_SHORT} FROM {{schema}}.parked_event AS p
WHERE p.tenant = :tenant AND p.id > :after
  AND (CAST(:type AS text) IS NULL OR p.type = :type)
  AND (CAST(:entity AS text) IS NULL OR p.entity = :entity)
  AND (CAST(:reason AS text) IS NULL OR p.reason = :reason)
  AND (CAST(:since AS timestamptz) IS NULL OR p.parked_at >= :since)
ORDER BY p.id LIMIT :limit
"""  # noqa: S608 -- constants of this module
_GET = f"""
SELECT {_SHORT}, p.payload, p.headers, p.consumer, c.last_seq, c.blocked
FROM {{schema}}.parked_event AS p
JOIN {{schema}}.inbox_cursor AS c USING (consumer, tenant, stream, entity)
WHERE p.tenant = :tenant AND p.event_id = :event_id
"""  # noqa: S608 -- constants of this module
_OTHERS = """
SELECT event_id, seq, type, reason FROM {schema}.parked_event
WHERE consumer = :consumer AND tenant = :tenant AND stream = :stream AND entity = :entity
  AND event_id <> :event_id ORDER BY seq
"""
_UNPARK = """
WITH released AS (
  UPDATE {schema}.parked_event SET reason = 'gap'
  WHERE consumer = :consumer AND tenant = :tenant AND stream = :stream AND entity = :entity
)
UPDATE {schema}.inbox_cursor
SET blocked = false, last_seq = greatest(last_seq, :last_seq), updated_at = clock_timestamp()
WHERE consumer = :consumer AND tenant = :tenant AND stream = :stream AND entity = :entity
"""
_DELETE = "DELETE FROM {schema}.parked_event WHERE consumer = :consumer AND event_id = :event_id"


@dataclass(frozen=True)
class Filter:
    """Which parked events; None takes all."""

    type: str | None = None
    entity: str | None = None
    reason: str | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class Found:
    """A parked event with its place.

    Attributes:
        row: The event, and ``last_seq`` and ``blocked`` of its entity.
        before: Parked events of its entity with lower numbers, in their order.
        behind: Those with higher numbers.
    """

    row: Row[Any]
    before: tuple[Row[Any], ...]
    behind: tuple[Row[Any], ...]

    @property
    def missing(self) -> int:
        """Events of the entity that come before this one, and neither took effect nor are parked."""
        return max(int(self.row.seq) - 1 - int(self.row.last_seq) - len(self.before), 0)


async def _execute(tx: AsyncSession, template: str, values: Mapping[str, Any]) -> Any:
    named = {"tenant": tx.info["tenant"], **values}
    return await tx.execute(statement(tx.info["schema"], template), named)


async def search(tx: AsyncSession, wanted: Filter, after: int, limit: int) -> Sequence[Row[Any]]:
    """The tenant's parked events, oldest first.

    Args:
        tx: A transaction of the consumer, bound to the tenant.
        wanted: Which.
        after: ``id`` of the last one seen, 0 for the first page.
        limit: Most of them.
    """
    rows: Sequence[Row[Any]] = (
        await _execute(tx, _LIST, {**vars(wanted), "after": after, "limit": limit})
    ).all()
    return rows


async def get(tx: AsyncSession, event_id: UUID, *, lock: bool = False) -> Found:
    """One parked event; with ``lock``, nobody else takes an event of its entity until the commit.

    Raises:
        NotFound: It is not parked in this tenant: it took effect, was dropped or never came.
    """
    query = _GET + ("FOR UPDATE" if lock else "")
    row = (await _execute(tx, query, {"event_id": event_id})).one_or_none()
    if row is None:
        raise NotFound(
            f"The event {event_id} is not parked here; perhaps it took effect meanwhile."
        )
    others = (await _execute(tx, _OTHERS, {"event_id": event_id, **_entity(row)})).all()
    return Found(
        row,
        tuple(other for other in others if other.seq < row.seq),
        tuple(other for other in others if other.seq > row.seq),
    )


async def replay(tx: AsyncSession, found: Found) -> None:
    """The consumer takes the event and those behind it again, in order, within some seconds.

    Raises:
        Conflict: It did not fail, but waits for another one.
    """
    if found.row.reason != POISON:
        raise Conflict(f"{_waiting(found)} Replay or drop what it waits for instead.")
    await _execute(tx, _UNPARK, {**_entity(found.row), "last_seq": found.row.last_seq})


async def drop(tx: AsyncSession, found: Found, *, accept_gap: bool) -> None:
    """The event never takes effect here, and its entity goes on behind it.

    Raises:
        Conflict: Others of the entity are parked before it; or it and what is missing before it would be
            skipped, and ``accept_gap`` does not say that this is meant.
    """
    row = found.row
    if found.before:
        first = found.before[0]
        raise Conflict(
            f"The event {first.event_id} (number {first.seq}) comes first: deal with it."
        )
    if row.seq > row.last_seq:
        if not accept_gap:
            raise Conflict(
                f"Dropping it skips {_numbers(row)} of {row.stream} {row.entity} for good: their effect "
                "is lost here. Accept the gap if that is meant."
            )
        await _execute(tx, _UNPARK, {**_entity(row), "last_seq": row.seq})
    await _execute(tx, _DELETE, {"consumer": row.consumer, "event_id": row.event_id})


def _entity(row: Row[Any]) -> dict[str, Any]:
    return {"consumer": row.consumer, "stream": row.stream, "entity": row.entity}


def _numbers(row: Row[Any]) -> str:
    first = row.last_seq + 1
    return f"number {row.seq}" if first == row.seq else f"numbers {first} to {row.seq}"


def _waiting(found: Found) -> str:
    poison = next((other for other in found.before if other.reason == POISON), None)
    if poison is not None:
        return f"It waits for the event {poison.event_id} (number {poison.seq}), which failed."
    return f"It waits for number {found.row.last_seq + 1} of its entity, which has not come."
