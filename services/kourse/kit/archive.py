"""What a service has published, read again from its outbox."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.kit.db import statement
from kourse.kit.delivery import Outgoing, headers_of

PAGE = 100
"""Most events in a page."""
PAGE_BYTES = 1 << 20
"""Payload at which a page ends, so that it fits into one gRPC message."""
COLUMNS = (
    "id, event_id, tenant, stream, entity, seq, started_at, type, version, payload::text AS payload,"
    " headers, routing_key, part, traceparent, created_at"
)
"""An outbox row as ``Outgoing`` has it."""

_READ = f"""
SELECT {COLUMNS} FROM {{schema}}.outbox
WHERE tenant = :tenant AND stream = :stream AND entity = :entity
  AND seq > :after_seq AND seq < :before_seq
ORDER BY seq LIMIT :limit
"""  # noqa: S608 -- constants of this module


@dataclass(frozen=True)
class Kept:
    """An archived event as it was on the wire."""

    headers: Mapping[str, Any]
    payload: bytes


async def read(
    tx: AsyncSession, stream: str, entity: str, after_seq: int, before_seq: int
) -> Sequence[Kept]:
    """An entity's events between two numbers, both exclusive, in their order; a bounded page.

    Args:
        tx: A transaction of the producer, bound to the entity's tenant.
        stream: Stream of the entity.
        entity: Its id.
        after_seq: Number before the first one wanted.
        before_seq: Number after the last one wanted.
    """
    found = await tx.execute(
        statement(tx.info["schema"], _READ),
        {
            "tenant": tx.info["tenant"],
            "stream": stream,
            "entity": entity,
            "after_seq": after_seq,
            "before_seq": before_seq,
            "limit": PAGE,
        },
    )
    return first_page(Kept(headers_of(row), row.payload.encode()) for row in map(outgoing, found))


def outgoing(row: Any) -> Outgoing:
    """A row of ``COLUMNS``."""
    return Outgoing(**row._mapping)  # noqa: SLF001 -- SQLAlchemy's name for it


def first_page(events: Iterable[Kept]) -> list[Kept]:
    """The first events that together stay below ``PAGE_BYTES``, but at least one."""
    events = list(events)
    sizes = accumulate(len(event.payload) for event in events)
    return [
        event
        for place, (event, size) in enumerate(zip(events, sizes, strict=True))
        if place == 0 or size <= PAGE_BYTES
    ]
