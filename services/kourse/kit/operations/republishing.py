"""Publishes events again from the archive: for a consumer that was restored, or that is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiormq.channel import Channel as WireChannel
from pamqp.commands import Basic
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts import events, names
from kourse.contracts.errors import Invalid
from kourse.kit.archive import COLUMNS, outgoing
from kourse.kit.bus import CONFIRM_TIMEOUT_S, PERSISTENT, Broker
from kourse.kit.db import statement
from kourse.kit.delivery import CONTENT_TYPE, Outgoing, headers_of

BATCH = 200
"""Most events of one request, so that it ends within seconds."""
_WANTED = """
FROM {schema}.outbox WHERE tenant = :tenant AND created_at >= :since AND id > :after
  AND (CAST(:until AS timestamptz) IS NULL OR created_at < :until)
  AND (CAST(:type AS text) IS NULL OR type = :type)
  AND (CAST(:entity AS text) IS NULL OR entity = :entity)
  AND (CAST(:streams AS text[]) IS NULL OR stream = ANY(:streams))
  AND published_at IS NOT NULL
"""
_COUNT = f"SELECT count(*) {_WANTED}"
_NEXT = f"SELECT {COLUMNS} {_WANTED} ORDER BY id LIMIT :limit"


@dataclass(frozen=True)
class Range:
    """Which archived events, and for whom.

    Attributes:
        since: From this moment on; UTC.
        until: Before this moment; None for no end.
        type: Of this type only.
        entity: Of this entity only.
        consumer: Straight to this in-house consumer; None publishes to everybody who is bound, outside
            feeds included.
    """

    since: datetime
    until: datetime | None = None
    type: str | None = None
    entity: str | None = None
    consumer: str | None = None

    @property
    def streams(self) -> list[str] | None:
        """What the consumer takes, or None for every stream.

        Raises:
            Invalid: The catalog does not know the consumer.
        """
        if self.consumer is None:
            return None
        if self.consumer not in events.consumers():
            raise Invalid(f"There is no consumer {self.consumer!r}.")
        return [stream.value for stream in events.streams_of(self.consumer)]


def _values(tx: AsyncSession, wanted: Range, after: int) -> dict[str, Any]:
    chosen = {name: value for name, value in vars(wanted).items() if name != "consumer"}
    return {**chosen, "streams": wanted.streams, "after": after, "tenant": tx.info["tenant"]}


async def count(tx: AsyncSession, wanted: Range, after: int = 0) -> int:
    """How many archived events there are in the range, behind row ``after``."""
    query = statement(tx.info["schema"], _COUNT)
    found: int = (await tx.execute(query, _values(tx, wanted, after))).scalar_one()
    return found


async def batch(tx: AsyncSession, wanted: Range, after: int) -> list[Outgoing]:
    """The next events of the range, in the order in which they were written."""
    query = statement(tx.info["schema"], _NEXT)
    found = await tx.execute(query, _values(tx, wanted, after) | {"limit": BATCH})
    return [outgoing(row) for row in found]


async def publish(broker: Broker, rows: Sequence[Outgoing], consumer: str | None) -> None:
    """Publishes them in this order; returns once the broker has all of them.

    Raises:
        Unavailable: One was not confirmed; what was published before it is a duplicate at worst.
    """
    async with broker.open(confirms=True) as wire:
        for row in rows:
            await _publish(wire, row, consumer)


async def _publish(wire: WireChannel, row: Outgoing, consumer: str | None) -> None:
    straight = consumer is not None
    await wire.basic_publish(
        row.payload.encode(),
        exchange="" if straight else names.EVENTS_EXCHANGE,
        routing_key=names.consumer_queue(consumer, row.part) if consumer else row.routing_key,
        properties=Basic.Properties(
            content_type=CONTENT_TYPE,
            delivery_mode=PERSISTENT,
            message_id=str(row.event_id),
            message_type=row.type,
            headers=headers_of(row),
        ),
        mandatory=straight,
        timeout=CONFIRM_TIMEOUT_S,
    )
