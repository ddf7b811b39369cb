"""The broker: connections that come back after a loss, topology made so, and plain work queues.

Nothing here restores state behind the caller's back. A lost channel raises ``Unavailable`` or ends the
iteration, and the caller's own loop starts over, which keeps order and acknowledgements honest.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Literal, cast

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.abc import DeliveredMessage
from aiormq.channel import Channel as WireChannel
from aiormq.exceptions import (
    AMQPError,
    ChannelInvalidStateError,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
)
from pamqp.commands import Basic
from prometheus_client import Gauge
from yarl import URL

from kourse.contracts.errors import Unavailable
from kourse.kit import amqp
from kourse.kit.topology import Binding, Exchange, Item, Queue, platform_topology

__all__ = [
    "LOST",
    "Binding",
    "Broker",
    "Exchange",
    "Item",
    "Queue",
    "declare_topology",
    "messages",
    "unavailable_when_lost",
]

log = structlog.get_logger(__name__)

MISMATCHES = Gauge(
    "kourse_topology_mismatches",
    "Exchanges and queues that this process found at the broker with other properties than declared.",
)
CONNECT_TIMEOUT_S = 5.0
HEARTBEAT_S = 10
"""A silent broker is given up after two of these."""
CONFIRM_TIMEOUT_S = 10.0
RETRY_AFTER_S = 5.0
PERSISTENT = 2
LOST = (AMQPError, ChannelInvalidStateError, ConnectionError, OSError, TimeoutError)
"""What the client library raises when connection or channel is gone."""


Use = Literal["publish", "consume"]


class Broker:
    """Connections to one RabbitMQ virtual host, those for publishing apart from those for consuming.

    They are apart because a broker short of memory or disk stops reading from those who publish.
    Events go over ``publishing`` and ``reading`` (``kit.amqp``), all else over aio-pika.

    Attributes:
        mismatches: What ``ensure`` found with other properties at the broker, a sentence each.
    """

    def __init__(self, url: str, *, name: str = "kourse") -> None:
        """Does not connect yet, so a service starts and serves while the broker is down.

        Args:
            url: ``amqp://user:password@host:port/vhost``; never log it.
            name: Shown in the broker's list of connections.
        """
        self._url = URL(url).update_query(heartbeat=HEARTBEAT_S)
        self._name = name
        self._connections: dict[str, AbstractConnection] = {}
        self._wires: dict[str, amqp.Connection] = {}
        self._locks = {"publish": asyncio.Lock(), "consume": asyncio.Lock()}
        self._declaring = asyncio.Lock()
        self._declared_on: AbstractConnection | None = None
        self.mismatches: tuple[str, ...] = ()

    async def _connection(self, use: Use) -> AbstractConnection:
        async with self._locks[use]:
            known = self._connections.get(use)
            # ``is_closed`` only tells whether somebody called ``close``.
            if known is not None and known.connected.is_set():
                return known
            await _close_quietly(known)
            self._connections[use] = await self._connect(f"{self._name} {use}")
            return self._connections[use]

    async def _connect(self, name: str) -> AbstractConnection:
        try:
            return await aio_pika.connect(
                self._url,
                timeout=CONNECT_TIMEOUT_S,
                client_properties={"connection_name": name},
            )
        except StopAsyncIteration as lost:  # so the library says that the broker hung up half way
            raise ConnectionError("the broker hung up during the handshake") from lost

    async def _wire(self, use: Use) -> amqp.Connection:
        async with self._locks[use]:
            known = self._wires.get(use)
            if known is None or not known.is_open:
                known = self._wires[use] = await amqp.Connection.open(
                    self._url,
                    name=f"{self._name} {use} events",
                    heartbeat_s=HEARTBEAT_S,
                    timeout_s=CONNECT_TIMEOUT_S,
                )
            return known

    @asynccontextmanager
    async def publishing(self) -> AsyncIterator[amqp.Publisher]:
        """A channel that publishes batches with confirms.

        Raises:
            Unavailable: The broker is or becomes unreachable.
        """
        with unavailable_when_lost():
            async with amqp.Publisher(await self._wire("publish")) as publisher:
                yield publisher

    @asynccontextmanager
    async def reading(
        self, queue: str, *, prefetch: int, stopping: asyncio.Event
    ) -> AsyncIterator[amqp.Reader]:
        """A channel that reads a queue in batches until ``stopping`` is set.

        Raises:
            Unavailable: The broker is or becomes unreachable; the cause is a ``LostError`` whose
                ``code`` is ``NOT_FOUND`` when the queue is missing.
        """
        with unavailable_when_lost():
            wire = await self._wire("consume")
            async with amqp.Reader(wire, queue, prefetch=prefetch, stopping=stopping) as reader:
                yield reader

    async def channel(self, *, confirms: bool = False, prefetch: int = 0) -> AbstractChannel:
        """A new channel; the caller closes it.

        Args:
            confirms: For publishing: every message is confirmed, an unroutable mandatory one raises.
            prefetch: For consuming: unacknowledged messages at a time, for each consumer.

        Raises:
            Unavailable: The broker cannot be reached.
        """
        with unavailable_when_lost():
            connection = await self._connection("publish" if confirms else "consume")
            channel = connection.channel(publisher_confirms=confirms, on_return_raises=confirms)
            try:
                await channel.initialize(timeout=CONNECT_TIMEOUT_S)
            except RuntimeError as error:  # a connection that was lost, but does not show it yet
                raise ConnectionError(str(error)) from error
            if prefetch:
                await channel.set_qos(prefetch_count=prefetch)
            return channel

    async def publish(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        *,
        headers: Mapping[str, Any] | None = None,
        mandatory: bool = False,
    ) -> None:
        """Publishes one persistent message and returns once the broker has it safe.

        Raises:
            Unavailable: It was not confirmed, or no queue took a mandatory one.
        """
        async with self.open(confirms=True) as wire:
            properties = Basic.Properties(headers=dict(headers or {}), delivery_mode=PERSISTENT)
            await wire.basic_publish(
                body,
                exchange=exchange,
                routing_key=routing_key,
                properties=properties,
                mandatory=mandatory,
                timeout=CONFIRM_TIMEOUT_S,
            )

    @asynccontextmanager
    async def open(
        self, *, confirms: bool = False, prefetch: int = 0
    ) -> AsyncIterator[WireChannel]:
        """A channel of the wire protocol, closed at the end.

        Raises:
            Unavailable: The broker is or becomes unreachable.
        """
        channel = await self.channel(confirms=confirms, prefetch=prefetch)
        try:
            with unavailable_when_lost():
                yield cast("WireChannel", await channel.get_underlay_channel())
        finally:
            with suppress(*LOST):
                await channel.close()

    async def declare(self, items: Iterable[Item]) -> list[str]:
        """Makes each item exist, in this order; an equal one that exists is fine.

        Returns:
            A sentence for each that exists with other arguments; it is left as it is.

        Raises:
            Unavailable: The broker cannot be reached.
        """
        mismatches: list[str] = []
        remaining = iter(items)
        while (mismatch := await self._declare_until_mismatch(remaining)) is not None:
            log.error("topology.mismatch", mismatch=mismatch)
            mismatches.append(mismatch)
        return mismatches

    async def _declare_until_mismatch(self, items: Iterator[Item]) -> str | None:
        async with self.open() as wire:
            for item in items:
                try:
                    await _declare(wire, item)
                except ChannelPreconditionFailed as error:
                    # The broker has closed the channel; the rest needs a new one.
                    return str(error)
            # Bindings are not awaited one by one; this answer comes after all of them.
            await wire.basic_qos(prefetch_count=0)
        return None

    async def ensure(self, items: Iterable[Item]) -> None:
        """As ``declare``, but at most once per connection, until ``forget_topology``."""
        async with self._declaring:
            with unavailable_when_lost():
                connection = await self._connection("consume")
            if self._declared_on is not connection:
                self.mismatches = tuple(await self.declare(items))
                MISMATCHES.set(len(self.mismatches))
                self._declared_on = connection

    def forget_topology(self) -> None:
        """The next ``ensure`` declares again, since something proved to be missing."""
        self._declared_on = None

    async def remove(self, items: Iterable[Item]) -> None:
        """Makes each item not exist, in this order; what is absent is fine.

        Raises:
            Unavailable: The broker cannot be reached.
        """
        async with self.open() as wire:
            for item in items:
                with suppress(ChannelNotFoundEntity):
                    await _remove(wire, item)

    async def ping(self) -> None:
        """Returns when the broker answers.

        Raises:
            Unavailable: It does not.
        """
        async with self.open():
            pass

    async def close(self) -> None:
        """Closes every connection."""
        for connection in self._connections.values():
            await _close_quietly(connection)
        self._connections.clear()
        for wire in self._wires.values():
            await wire.close()
        self._wires.clear()


async def _close_quietly(connection: AbstractConnection | None) -> None:
    if connection is not None:
        with suppress(*LOST):
            await connection.close()


@contextmanager
def unavailable_when_lost() -> Iterator[None]:
    """Turns the client library's errors into ``Unavailable``."""
    try:
        yield
    except ChannelPreconditionFailed:
        raise
    except LOST as error:
        raise Unavailable(
            "The message broker is not available right now.", retry_after_s=RETRY_AFTER_S
        ) from error


async def _declare(wire: WireChannel, item: Item) -> None:
    arguments = dict(item.arguments)
    match item:
        case Exchange(name, type_):
            await wire.exchange_declare(
                name, exchange_type=type_, durable=True, arguments=arguments
            )
        case Queue(name):
            await wire.queue_declare(name, durable=True, arguments=arguments)
        case Binding(source, destination, key, "queue"):
            await wire.queue_bind(destination, source, key, nowait=True, arguments=arguments)
        case Binding(source, destination, key):
            await wire.exchange_bind(
                destination=destination,
                source=source,
                routing_key=key,
                nowait=True,
                arguments=arguments,
            )


async def _remove(wire: WireChannel, item: Item) -> None:
    match item:
        case Exchange(name):
            await wire.exchange_delete(name)
        case Queue(name):
            await wire.queue_delete(name)
        case Binding(source, destination, key, "queue"):
            await wire.queue_unbind(destination, source, key, arguments=dict(item.arguments))
        case Binding(source, destination, key):
            await wire.exchange_unbind(
                destination=destination,
                source=source,
                routing_key=key,
                arguments=dict(item.arguments),
            )


async def declare_topology(broker: Broker) -> None:
    """Everything that follows from the event catalog exists; a mismatch is reported and left alone.

    Costs nothing when it was done over the same connection.

    Raises:
        Unavailable: The broker cannot be reached.
    """
    await broker.ensure(platform_topology())


async def messages(
    wire: WireChannel, queue: str, stopping: asyncio.Event
) -> AsyncGenerator[DeliveredMessage]:
    """Messages of a queue, one after the other, until a stop or the loss of the channel.

    Use it with ``aclosing``; the channel's prefetch bounds how many messages are in hand.

    Args:
        wire: The channel.
        queue: The queue.
        stopping: Ends the iteration when set.

    Yields:
        Each message; the caller acknowledges it.
    """
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
        while (message := await arrived.get()) is not None and not stopping.is_set():
            yield message
    finally:
        stop.cancel()
        wire.on_consumer_cancel_callbacks.discard(end)
        closing.remove_done_callback(end)
