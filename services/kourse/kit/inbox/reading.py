"""Reads one partition: whatever has arrived is a batch, acknowledged when all of it is dealt with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog
from aiormq.abc import DeliveredMessage
from aiormq.channel import Channel as WireChannel
from aiormq.exceptions import ChannelNotFoundEntity

from kourse.contracts import names
from kourse.contracts.errors import Unavailable
from kourse.kit import faults
from kourse.kit.backoff import full_jitter, pause
from kourse.kit.bus import Broker, declare_topology
from kourse.kit.delivery import UndecodableError
from kourse.kit.handling import ChannelLostError, StoppedError
from kourse.kit.inbox.cursor import Arrival
from kourse.kit.inbox.taking import TAKEN, Hold, Taker
from kourse.kit.lifetime import Lifetime

log = structlog.get_logger(__name__)

BATCH = 256
"""Most events in hand; more wait at the broker."""


class Reader:
    """Reads one partition for as long as it runs."""

    def __init__(self, broker: Broker, consumer: str, part: int, taker: Taker) -> None:
        """Does not read yet.

        Args:
            broker: Where the queue is.
            consumer: Name of the consumer.
            part: Partition.
            taker: Takes the events.
        """
        self._broker = broker
        self._consumer = consumer
        self._queue = names.consumer_queue(consumer, part)
        self._taker = taker
        self._life = Lifetime()
        self._stopping = self._life.stopping

    async def run(self) -> None:
        """Reads until ``stop``; outlives the broker."""
        with self._life.lived():
            attempt = 0
            while not self._stopping.is_set():
                try:
                    await declare_topology(self._broker)
                    async with self._broker.open(prefetch=BATCH) as wire:
                        attempt = 0
                        await self._read(wire)
                except StoppedError:
                    return
                except ChannelLostError:
                    log.warning("inbox.channel_lost", queue=self._queue)
                except Unavailable as error:
                    if isinstance(error.__cause__, ChannelNotFoundEntity):
                        self._broker.forget_topology()
                    attempt += 1
                    log.warning("inbox.interrupted", queue=self._queue, error=str(error))
                await pause(self._stopping, full_jitter(attempt, base_s=0.2, cap_s=10))

    async def stop(self) -> None:
        """Returns once ``run`` has finished the batch in hand and closed its channel."""
        await self._life.end()

    async def _read(self, wire: WireChannel) -> None:
        async with aclosing(_batches(wire, self._queue, self._stopping)) as arriving:
            async for batch in arriving:
                await self._settle(wire, batch)

    async def _settle(self, wire: WireChannel, batch: list[DeliveredMessage]) -> None:
        """Each message is acknowledged or refused; one acknowledgement covers all that are done."""
        arrivals: list[Arrival] = []
        refused: list[int] = []
        tags: dict[int, int] = {}
        for message in batch:
            tag = message.delivery_tag or 0
            try:
                arrival = Arrival.of(message.header.properties.headers or {}, message.body)
            except UndecodableError as error:
                log.error("inbox.undecodable", queue=self._queue, error=str(error))  # noqa: TRY400
                refused.append(tag)
            else:
                arrivals.append(arrival)
                tags[id(arrival)] = tag
        hold = Hold(self._stopping, lambda: wire.is_closed)
        for unfit in await self._taker.take(arrivals, hold):
            log.error("inbox.undecodable", queue=self._queue, event_id=str(unfit.delivery.id))
            refused.append(tags.pop(id(unfit)))
        for tag in refused:
            TAKEN.labels(self._consumer, "unknown", "dead").inc()
            await wire.basic_reject(tag, requeue=False)
        if tags:
            await wire.basic_ack(max(tags.values()), multiple=True)
        await faults.point("inbox.acknowledged")


async def _batches(
    wire: WireChannel, queue: str, stopping: asyncio.Event
) -> AsyncGenerator[list[DeliveredMessage]]:
    """What has arrived, as soon as anything has, until a stop or the loss of the channel."""
    arrived: asyncio.Queue[DeliveredMessage | None] = asyncio.Queue()

    async def take(message: DeliveredMessage) -> None:
        arrived.put_nowait(message)

    def end(_: object) -> None:
        arrived.put_nowait(None)

    closing = wire.closing
    closing.add_done_callback(end)
    wire.on_consumer_cancel_callbacks.add(end)
    stop = asyncio.create_task(stopping.wait())
    stop.add_done_callback(end)
    try:
        await wire.basic_consume(queue, take, no_ack=False)
        while not stopping.is_set():
            batch = [await arrived.get()]
            while not arrived.empty():
                batch.append(arrived.get_nowait())
            if None in batch or stopping.is_set():
                return
            yield [message for message in batch if message is not None]
    finally:
        stop.cancel()
        wire.on_consumer_cancel_callbacks.discard(end)
        closing.remove_done_callback(end)
