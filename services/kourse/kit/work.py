"""Plain work queues: any worker takes any message, at least once, in no order.

Repeats are the handler's to absorb, for example by a unique key over what it writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

import structlog
from aiormq.abc import DeliveredMessage
from aiormq.channel import Channel as WireChannel
from prometheus_client import Counter

from kourse.contracts.errors import Unavailable
from kourse.contracts.events import Event
from kourse.kit import faults
from kourse.kit.backoff import full_jitter, pause
from kourse.kit.bus import LOST, Broker, declare_topology, messages
from kourse.kit.delivery import (
    Delivery,
    UndecodableError,
    UnknownEventError,
    delivery_of,
    event_of,
)
from kourse.kit.handling import (
    POISON_TRIES,
    ChannelLostError,
    StoppedError,
    is_retriable,
    span_of,
)
from kourse.kit.lifetime import Lifetime

log = structlog.get_logger(__name__)

HANDLED = Counter("kourse_work_total", "Messages of a work queue.", ["queue", "outcome"])


@dataclass(frozen=True)
class Work:
    """What takes the messages of a work queue.

    Attributes:
        queue: The queue's name.
        handler: Gets the runtime, the event and its delivery; opens its own transactions.
        prefetch: How many are in hand at a time.
    """

    queue: str
    handler: Callable[[Any, Event, Delivery], Awaitable[None]]
    prefetch: int = 8


class WorkQueue:
    """Works on one queue for as long as it runs."""

    def __init__(self, broker: Broker, work: Work, runtime: Any = None) -> None:
        """Does not consume yet.

        Args:
            broker: Where the queue is.
            work: Queue and handler.
            runtime: Handed to the handler.
        """
        self._broker = broker
        self._work = work
        self._runtime = runtime
        self._life = Lifetime()
        self._stopping = self._life.stopping

    async def run(self) -> None:
        """Works until ``stop``; outlives the broker."""
        with self._life.lived():
            await self._work_again_and_again()

    async def _work_again_and_again(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            try:
                await declare_topology(self._broker)
                async with self._broker.open(prefetch=self._work.prefetch) as wire:
                    attempt = 0
                    await self._work_over(wire)
            except Unavailable as error:
                attempt += 1
                log.warning("work.interrupted", queue=self._work.queue, error=str(error))
                await pause(self._stopping, full_jitter(attempt, base_s=0.2, cap_s=10))

    async def stop(self) -> None:
        """Returns once ``run`` has finished the messages in hand."""
        await self._life.end()

    async def _work_over(self, wire: WireChannel) -> None:
        in_hand: set[asyncio.Task[None]] = set()
        try:
            async with aclosing(messages(wire, self._work.queue, self._stopping)) as arriving:
                async for message in arriving:
                    task = asyncio.create_task(self._settle(wire, message))
                    in_hand.add(task)
                    task.add_done_callback(in_hand.discard)
        finally:
            await asyncio.gather(*in_hand)

    async def _settle(self, wire: WireChannel, message: DeliveredMessage) -> None:
        tag = message.delivery_tag
        if tag is None:
            return
        try:
            outcome = await self._handle(wire, message)
        except (StoppedError, ChannelLostError):
            return
        HANDLED.labels(self._work.queue, outcome).inc()
        with suppress(*LOST):  # an acknowledgement that is lost means one more delivery
            if outcome == "done":
                await wire.basic_ack(tag)
            else:
                await wire.basic_reject(tag, requeue=False)

    async def _handle(self, wire: WireChannel, message: DeliveredMessage) -> str:
        try:
            delivery = delivery_of(message.header.properties.headers or {})
            event = event_of(delivery, message.body)
        except (UndecodableError, UnknownEventError) as error:
            log.error("work.undecodable", queue=self._work.queue, error=str(error))  # noqa: TRY400
            return "undecodable"
        with span_of(f"work {delivery.type}", delivery):
            return await self._try(wire, event, delivery)

    async def _try(self, wire: WireChannel, event: Event, delivery: Delivery) -> str:
        failures = waits = 0
        while failures < POISON_TRIES:
            try:
                await self._work.handler(self._runtime, event, delivery)
                await faults.point("work.handled")
            except Exception as error:
                if is_retriable(error):
                    waits += 1
                else:
                    failures += 1
                    log.exception("work.failed", queue=self._work.queue, failures=failures)
                if await pause(self._stopping, full_jitter(max(waits, failures))):
                    raise StoppedError from error
                if wire.is_closed:
                    raise ChannelLostError from error
            else:
                return "done"
        return "dead"
