"""Exchanges, queues and bindings at the broker, by AMQP.

Nothing is ever deleted in order to be made anew with other properties: messages would be lost. Such a
mismatch is said instead. AMQP cannot tell whether a binding exists, so the management API is asked
where it is configured; without it bindings are simply renewed, which costs nothing when they exist.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import cast

from aio_pika.abc import AbstractChannel
from aiormq.channel import Channel
from aiormq.exceptions import ChannelNotFoundEntity, ChannelPreconditionFailed

from kourse.contracts import names
from kourse.contracts.errors import DependencyNotReady
from kourse.kit import topology
from kourse.kit.bus import LOST, Broker, declare_topology, unavailable_when_lost
from kourse_operator.actuators.management import Management
from kourse_operator.actuators.timing import timed
from kourse_operator.errors import BindingMismatch
from kourse_operator.plans.steps import Binding, Drift, Exchange, Queue, Wire

_PLATFORM = frozenset(
    {
        names.EVENTS_EXCHANGE,
        names.GRADING_EXCHANGE,
        names.DEAD_LETTER_EXCHANGE,
        *names.GRADING_QUEUES,
    }
)


class Channels:
    """Channels that are used again and again: opening and closing one costs as much as two bindings."""

    def __init__(self, broker: Broker) -> None:
        """Opens none yet."""
        self._broker = broker
        self._idle: list[AbstractChannel] = []

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Channel]:
        """A channel; one that was in use when something failed is closed, not used again.

        Raises:
            Unavailable: The broker is or becomes unreachable.
        """
        channel, wire = await self._take()
        try:
            with unavailable_when_lost():
                yield wire
        except BaseException:
            with suppress(*LOST):
                await channel.close()
            raise
        self._idle.append(channel)

    async def _take(self) -> tuple[AbstractChannel, Channel]:
        while True:
            channel = self._idle.pop() if self._idle else await self._broker.channel()
            with unavailable_when_lost():
                wire = cast("Channel", await channel.get_underlay_channel())
            if not wire.is_closed:
                return channel, wire


class BrokerWires:
    """Things at one virtual host."""

    def __init__(
        self, broker: Broker, permit: Callable[[], object], management: Management | None = None
    ) -> None:
        """Does not connect yet.

        Args:
            broker: The virtual host.
            permit: Raises when nothing may be done.
            management: Answers what AMQP cannot, where there is one.
        """
        self._broker = broker
        self._channels = Channels(broker)
        self._permit = permit
        self._management = management

    async def differences(self, wires: Sequence[Wire]) -> Sequence[Drift]:
        """What is not there, as far as it can be found out."""
        with timed("bindings", "look"):
            return [Drift(_name(wire), "absent", "present") for wire in await self._absent(wires)]

    async def surplus(self, wires: Sequence[Wire]) -> Sequence[Binding]:
        """Bindings to the named queues and exchanges that are there and not among these."""
        if self._management is None:
            return ()
        with timed("bindings", "look"):
            return await self._management.surplus(wires)

    async def ensure(self, wires: Sequence[Wire]) -> None:
        """Everything is there; see ``ports.Wires``."""
        if not wires:
            return
        self._permit()
        with timed("bindings", "ensure"):
            await declare_topology(self._broker)
            try:
                await self._declare(wires)
            except DependencyNotReady:
                if not any(isinstance(w, Binding) and w.source in _PLATFORM for w in wires):
                    raise
                self._broker.forget_topology()
                await declare_topology(self._broker)
                await self._declare(wires)

    async def remove(self, wires: Sequence[Wire]) -> None:
        """Nothing of it is there any more."""
        if wires:
            self._permit()
            with timed("bindings", "remove"):
                await self._broker.remove([_item(wire) for wire in wires])

    async def close(self) -> None:
        """Closes the connections."""
        await self._broker.close()
        if self._management:
            await self._management.close()

    async def _declare(self, wires: Sequence[Wire]) -> None:
        async with self._channels.lend() as channel:
            for wire in wires:
                try:
                    await _declare(channel, wire)
                except ChannelPreconditionFailed as error:
                    raise BindingMismatch(_mismatch(wire)) from error
                except ChannelNotFoundEntity as error:
                    raise DependencyNotReady(_missing(wire)) from error

    async def _absent(self, wires: Sequence[Wire]) -> list[Wire]:
        named = [wire for wire in wires if not isinstance(wire, Binding)]
        absent: list[Wire] = [wire for wire in named if not await self._is_there(wire)]
        if self._management:
            bindings = [wire for wire in wires if isinstance(wire, Binding)]
            absent += await self._management.lacks(bindings)
        return absent

    async def _is_there(self, wire: Exchange | Queue) -> bool:
        async with self._channels.lend() as channel:
            try:
                if isinstance(wire, Exchange):
                    await channel.exchange_declare(wire.name, passive=True)
                else:
                    await channel.queue_declare(wire.name, passive=True)
            except ChannelNotFoundEntity:
                return False
        return True


async def _declare(channel: Channel, wire: Wire) -> None:
    match wire:
        case Exchange():
            await channel.exchange_declare(wire.name, exchange_type=wire.type, durable=True)
        case Queue():
            await channel.queue_declare(wire.name, durable=True, arguments=dict(wire.arguments))
        case Binding(to="queue"):
            await channel.queue_bind(
                wire.destination, wire.source, wire.key, arguments=dict(wire.arguments)
            )
        case Binding():
            await channel.exchange_bind(
                destination=wire.destination,
                source=wire.source,
                routing_key=wire.key,
                arguments=dict(wire.arguments),
            )


def _item(wire: Wire) -> topology.Item:
    match wire:
        case Exchange():
            return topology.Exchange(wire.name, wire.type)
        case Queue():
            return topology.Queue(wire.name, wire.arguments)
        case Binding():
            return topology.Binding(
                wire.source, wire.destination, wire.key, wire.to, wire.arguments
            )


def _name(wire: Wire) -> str:
    match wire:
        case Exchange():
            return f"exchange {wire.name}"
        case Queue():
            return f"queue {wire.name}"
        case Binding():
            key = f" with key {wire.key}" if wire.key else ""
            return f"binding from {wire.source} to {wire.destination}{key}"


def _mismatch(wire: Wire) -> str:
    return (
        f"The {_name(wire)} exists with other properties and is left alone, whatever driftPolicy says, "
        "as only deleting it could change them and its messages or bindings would be lost. Delete it at "
        "the broker when they are no longer needed; it is then made anew."
    )


def _missing(wire: Wire) -> str:
    if isinstance(wire, Binding):
        return f"The exchange {wire.source} is not there yet; its course makes it."
    return f"The {_name(wire)} cannot be made yet."
