"""What the broker takes at most, and what plain aio-pika reaches by merely publishing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

import aio_pika
from pamqp.base import Frame as Method
from pamqp.commands import Basic, Confirm

from hack.bench.events_rooms import CONSUMER, OneConsumer
from kourse.contracts import names
from kourse.kit import amqp
from kourse.kit.amqp import codec
from kourse.kit.amqp.channel import Channel
from kourse.kit.bus import declare_topology
from kourse.kit.delivery import CONTENT_TYPE, Outgoing, encoded_headers, headers_of

BATCH = 1000
IN_FLIGHT = 4
"""Batches of the raw publisher that are not confirmed yet."""
TASKS = 500
"""Messages of aio-pika that are not confirmed yet."""


class _Raw(Channel):
    """Sends frames that are made already, and counts confirms."""

    def __init__(self, connection: amqp.Connection) -> None:
        super().__init__(connection)
        self._confirmed = 0
        self._singles: set[int] = set()
        self._progress = asyncio.Event()

    async def _prepare(self) -> None:
        await self._ask(Confirm.Select())

    async def publish(self, batches: Sequence[bytes]) -> None:
        """Returns when the broker has confirmed all messages."""
        for number, batch in enumerate(batches):
            await self._until((number - IN_FLIGHT + 1) * BATCH)
            self._connection.write(batch)
        await self._until(len(batches) * BATCH)

    async def _until(self, confirmed: int) -> None:
        while self._confirmed < confirmed:
            self.check()
            self._progress.clear()
            await self._progress.wait()

    def _take(self, item: amqp.Message | Method) -> None:
        if not isinstance(item, Basic.Ack):
            super()._take(item)
        elif item.multiple:
            self._confirmed = max(self._confirmed, item.delivery_tag)
        else:
            self._singles.add(item.delivery_tag)
        while self._confirmed + 1 in self._singles:
            self._confirmed += 1
            self._singles.discard(self._confirmed)
        self._progress.set()


def _frames(row: Outgoing) -> bytes:
    id_ = str(row.event_id)
    properties = codec.properties(
        content_type=CONTENT_TYPE,
        headers=encoded_headers(row),
        message_id=id_,
        message_type=row.type,
    )
    route = codec.route(names.EVENTS_EXCHANGE, row.routing_key, mandatory=True)
    return codec.publication(1, route, properties, row.payload.encode(), frame_max=131_072)


async def raw_rate(broker_url: str, rows: Sequence[Outgoing]) -> float:
    """Messages per second that the broker confirms, from frames that are made beforehand.

    Args:
        broker_url: The virtual host.
        rows: Messages, a multiple of ``BATCH``.
    """
    frames = [_frames(row) for row in rows]
    batches = [b"".join(frames[at : at + BATCH]) for at in range(0, len(frames), BATCH)]
    connection = await amqp.Connection.open(broker_url, name="bench raw")
    try:
        async with _Raw(connection) as channel:
            begun = time.perf_counter()
            await channel.publish(batches)
            return len(rows) / (time.perf_counter() - begun)
    finally:
        await connection.close()


async def aio_pika_rate(broker_url: str, rows: Sequence[Outgoing]) -> float:
    """Messages per second that aio-pika has confirmed, with ``TASKS`` in flight."""
    made: Iterator[tuple[Outgoing, aio_pika.Message]] = iter([(row, _message(row)) for row in rows])
    async with await aio_pika.connect(broker_url) as connection:
        channel = await connection.channel(publisher_confirms=True)
        exchange = await channel.get_exchange(names.EVENTS_EXCHANGE)

        async def publish() -> None:
            for row, message in made:
                await exchange.publish(message, row.routing_key, mandatory=True)

        begun = time.perf_counter()
        await asyncio.gather(*(publish() for _ in range(TASKS)))
        return len(rows) / (time.perf_counter() - begun)


def _message(row: Outgoing) -> aio_pika.Message:
    return aio_pika.Message(
        row.payload.encode(),
        content_type=CONTENT_TYPE,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=str(row.event_id),
        type=row.type,
        headers=headers_of(row),
    )


async def empty_queues(broker_url: str) -> None:
    """The queues are there and hold nothing."""
    broker = OneConsumer(broker_url, name="bench")
    try:
        await declare_topology(broker)
        async with broker.open() as wire:
            for part in range(names.PARTITIONS):
                await wire.queue_purge(names.consumer_queue(CONSUMER, part))
    finally:
        await broker.close()
