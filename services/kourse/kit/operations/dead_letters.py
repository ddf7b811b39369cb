"""Messages that a consumer could not even park, in its dead-letter queue.

The queue is looked through without a risk: each message is put back as a fresh copy, which the broker
confirms before the old one is acknowledged. Returning it instead would count as a delivery, and a quorum
queue throws away what was delivered too often. A crash in between leaves a message twice, never none.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiormq.abc import DeliveredMessage
from aiormq.channel import Channel as WireChannel
from pamqp.commands import Basic

from kourse.contracts import events, names
from kourse.contracts.errors import Conflict, NotFound
from kourse.kit import faults
from kourse.kit.bus import CONFIRM_TIMEOUT_S, PERSISTENT, Broker, declare_topology
from kourse.kit.delivery import PREFIX, UndecodableError, delivery_of

MOST = 1000
"""Messages looked at in one go."""
SHOWN_BYTES = 4096


@dataclass(frozen=True)
class DeadLetter:
    """A message that nobody could take.

    Attributes:
        key: The event's id, or a digest of the message where it names none.
        type: What it says it is, or "".
        tenant: Whose it says it is, or "".
        reason: Why the broker put it here: ``rejected``, ``delivery_limit``, …, or "".
        queue: The queue from which it came, or "".
        died_at: When, UTC; None when the broker does not say.
        size: Bytes of the payload.
        payload: Its beginning, as text.
    """

    key: str
    type: str
    tenant: str
    reason: str
    queue: str
    died_at: datetime | None
    size: int
    payload: str


async def look_through(broker: Broker, consumer: str) -> list[DeadLetter]:
    """The consumer's dead letters, at most ``MOST``; afterwards all of them are there as before.

    Raises:
        Unavailable: The broker is not there.
    """
    found: list[DeadLetter] = []
    if consumer not in events.consumers():
        return found
    await declare_topology(broker)
    async with broker.open(confirms=True) as wire, aclosing(_taken(wire, consumer)) as messages:
        async for message in messages:
            found.append(_described(message))
            await _put_back(wire, consumer, message)
    return list({letter.key: letter for letter in found}.values())


async def replay(broker: Broker, consumer: str, key: str) -> int:
    """The consumer gets the message again, in the queue of its entity's partition; how many copies went.

    Raises:
        NotFound: There is no such dead letter.
        Conflict: It names no entity, so no partition is its own.
        Unavailable: The broker is not there.
    """
    return await _act(broker, consumer, key, replaying=True)


async def drop(broker: Broker, consumer: str, key: str) -> int:
    """The message is gone; how many copies of it there were.

    Raises:
        NotFound: There is no such dead letter.
        Unavailable: The broker is not there.
    """
    return await _act(broker, consumer, key, replaying=False)


async def _act(broker: Broker, consumer: str, key: str, *, replaying: bool) -> int:
    done = 0
    if consumer not in events.consumers():
        raise NotFound(f"{consumer} takes no events.")
    await declare_topology(broker)
    async with broker.open(confirms=True) as wire, aclosing(_taken(wire, consumer)) as messages:
        async for message in messages:
            if _described(message).key != key:
                await _put_back(wire, consumer, message)
                continue
            if replaying:
                await _publish(wire, _partition_queue(consumer, message), message)
            await faults.point("dead-letter.settled")
            await wire.basic_ack(_tag(message))
            done += 1
    if not done:
        raise NotFound(f"There is no dead letter {key} of {consumer}.")
    return done


async def _taken(wire: WireChannel, consumer: str) -> AsyncGenerator[DeliveredMessage]:
    """What the queue holds now, each message once; whoever takes one settles it."""
    queue = names.dead_letter_queue(consumer)
    declared = await wire.queue_declare(queue, passive=True)
    for _ in range(min(declared.message_count or 0, MOST)):
        message = await wire.basic_get(queue, no_ack=False)
        if isinstance(message.delivery, Basic.GetEmpty):
            return
        yield message


async def _put_back(wire: WireChannel, consumer: str, message: DeliveredMessage) -> None:
    await _publish(wire, names.dead_letter_queue(consumer), message)
    await wire.basic_ack(_tag(message))


async def _publish(wire: WireChannel, queue: str, message: DeliveredMessage) -> None:
    properties = message.header.properties
    properties.delivery_mode = PERSISTENT
    await wire.basic_publish(
        message.body,
        exchange="",
        routing_key=queue,
        properties=properties,
        mandatory=True,
        timeout=CONFIRM_TIMEOUT_S,
    )


def _tag(message: DeliveredMessage) -> int:
    return message.delivery_tag or 0


def _partition_queue(consumer: str, message: DeliveredMessage) -> str:
    try:
        delivery = delivery_of(message.header.properties.headers or {})
    except UndecodableError as error:
        raise Conflict(f"The message is no event ({error}), so it can only be dropped.") from error
    return names.consumer_queue(consumer, names.partition(delivery.entity))


def _described(message: DeliveredMessage) -> DeadLetter:
    headers: dict[str, Any] = message.header.properties.headers or {}
    deaths = headers.get("x-death")
    death = deaths[0] if isinstance(deaths, list) and deaths else {}
    digest = hashlib.sha256(message.body).hexdigest()[:32]
    return DeadLetter(
        key=str(headers.get(PREFIX + "id") or digest),
        type=str(headers.get(PREFIX + "type", "")),
        tenant=str(headers.get(PREFIX + "tenant", "")),
        reason=str(death.get("reason", "")),
        queue=str(death.get("queue", "")),
        died_at=death.get("time"),
        size=len(message.body),
        payload=message.body[:SHOWN_BYTES].decode(errors="replace"),
    )
