"""The broker: connections that come back, topology as data, and plain work queues."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aio_pika.abc import AbstractChannel

from kourse.contracts.events import Event
from kourse.kit.delivery import Delivery


@dataclass(frozen=True)
class Exchange:
    """A durable exchange."""

    name: str
    type: Literal["topic", "direct", "fanout", "headers"]
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Queue:
    """A durable queue."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Binding:
    """From an exchange to a queue or another exchange."""

    source: str
    destination: str
    key: str = ""
    to: Literal["queue", "exchange"] = "queue"
    arguments: Mapping[str, Any] = field(default_factory=dict)


Declared = Exchange | Queue | Binding


class Broker:
    """Connections to RabbitMQ, made on first use and again after a loss."""

    def __init__(self, url: str, *, name: str = "kourse") -> None:
        """Does not connect yet, so a service starts while the broker is down."""

    async def channel(self, *, confirms: bool = False, prefetch: int = 0) -> AbstractChannel:
        """A new channel; Unavailable when the broker cannot be reached."""
        raise NotImplementedError

    async def publish(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        *,
        headers: Mapping[str, Any] | None = None,
        mandatory: bool = False,
    ) -> None:
        """Publishes one persistent message and waits for its confirm."""
        raise NotImplementedError

    async def declare(self, items: Iterable[Declared]) -> None:
        """Makes each item exist, in order; an equal one that exists is fine."""
        raise NotImplementedError

    async def remove(self, items: Iterable[Declared]) -> None:
        """Makes each item not exist; what is absent is fine."""
        raise NotImplementedError

    async def ping(self) -> None:
        """Returns when the broker answers; else Unavailable."""
        raise NotImplementedError

    async def close(self) -> None:
        """Closes every connection."""


async def declare_topology(broker: Broker) -> None:
    """Everything that follows from the catalog exists."""
    raise NotImplementedError


@dataclass(frozen=True)
class Work:
    """What takes the messages of a work queue."""

    queue: str
    handler: Callable[[Any, Event, Delivery], Awaitable[None]]
    """Gets the runtime, the event and its delivery; at least once, in no order."""
    prefetch: int = 8


class WorkQueue:
    """Consumes a plain work queue, at least once, without order."""

    def __init__(self, broker: Broker, work: Work, runtime: Any = None) -> None:
        """``runtime`` is handed to the handler."""

    async def run(self) -> None:
        """Consumes until ``stop``; survives the loss of the broker."""

    async def stop(self) -> None:
        """Finishes the messages in hand, then closes the channel."""
