"""Exchanges, queues and bindings as plain data, and those that follow from the event catalog.

Every argument is valid on RabbitMQ 3.10 and on 4.x: durable quorum queues only, no transient shared
queues. ``x-delivery-limit`` is set everywhere: on 3.10 a returned message goes to the back of the queue
without it, which would break the order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from kourse.contracts import events, names
from kourse.contracts.events import AttemptSubmitted

DELIVERY_LIMIT = 20
"""Returns before a message is dead-lettered; connection losses count too, so it must not be small."""
UNROUTED_LIMIT = 10_000
"""Messages kept in the queue of what nobody took; the oldest go first."""
UNROUTED_TTL_MS = 86_400_000


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
    """From an exchange to a queue or to another exchange."""

    source: str
    destination: str
    key: str = ""
    to: Literal["queue", "exchange"] = "queue"
    arguments: Mapping[str, Any] = field(default_factory=dict)


Item = Exchange | Queue | Binding


@cache
def platform_topology() -> tuple[Item, ...]:
    """All that the catalog implies, in an order in which it can be declared.

    Every process declares all of it before it publishes or consumes, so no event is published before
    the queues of those who need it are there.
    """
    return (
        *_exchanges(),
        *_unrouted(),
        *_grading(),
        *(item for consumer in events.consumers() for item in consumer_topology(consumer)),
    )


def _exchanges() -> Iterator[Item]:
    spare = {"alternate-exchange": names.UNROUTED_EXCHANGE}
    yield Exchange(names.UNROUTED_EXCHANGE, "topic")
    yield Exchange(names.DEAD_LETTER_EXCHANGE, "direct")
    yield Exchange(names.EVENTS_EXCHANGE, "topic", spare)
    yield Exchange(names.GRADING_EXCHANGE, "headers")


def _unrouted() -> Iterator[Item]:
    """Where events go that nobody in the platform awaits, when no outside feed takes them either.

    An awaited one finds no binding here: without its queue it is returned, and stays in its outbox.
    """
    yield Queue(
        names.UNROUTED_EXCHANGE,
        {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-max-length": UNROUTED_LIMIT,
            "x-message-ttl": UNROUTED_TTL_MS,
            "x-overflow": "drop-head",
        },
    )
    for type_ in sorted(events.CATALOG.keys() - events.awaited()):
        key = names.type_binding(type_)
        yield Binding(names.UNROUTED_EXCHANGE, names.UNROUTED_EXCHANGE, key)


def _grading() -> Iterator[Item]:
    submitted = names.type_binding(AttemptSubmitted.kind.name)
    yield Binding(names.EVENTS_EXCHANGE, names.GRADING_EXCHANGE, submitted, to="exchange")
    for queue in names.GRADING_QUEUES:
        yield from _dead_letters(queue)
        yield Queue(queue, _durable(queue))


def consumer_topology(consumer: str) -> tuple[Item, ...]:
    """One consumer's queues: a partition each, one active reader, order kept, dead letters aside."""
    types = [kind.name for kind in events.types_in(events.streams_of(consumer))]
    items: list[Item] = list(_dead_letters(consumer))
    for part in range(names.PARTITIONS):
        queue = names.consumer_queue(consumer, part)
        items.append(Queue(queue, {**_durable(consumer), "x-single-active-consumer": True}))
        items += [
            Binding(names.EVENTS_EXCHANGE, queue, names.type_binding(type_, part))
            for type_ in types
        ]
    return tuple(items)


def _durable(owner: str) -> dict[str, Any]:
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": names.DEAD_LETTER_EXCHANGE,
        "x-dead-letter-routing-key": owner,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def _dead_letters(owner: str) -> Iterator[Item]:
    queue = names.dead_letter_queue(owner)
    yield Queue(queue, {"x-queue-type": "quorum", "x-delivery-limit": DELIVERY_LIMIT})
    yield Binding(names.DEAD_LETTER_EXCHANGE, queue, owner)
