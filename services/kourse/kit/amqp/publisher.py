"""Publishing in batches, each message confirmed by the broker: on disk, or refused."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pamqp.base import Frame as Method
from pamqp.commands import Basic, Confirm

from kourse.kit.amqp import codec
from kourse.kit.amqp.channel import Channel
from kourse.kit.amqp.codec import Message
from kourse.kit.amqp.connection import Connection, LostError

Refusal = Literal["returned", "nacked", "unconfirmed"]


@dataclass(frozen=True, slots=True)
class Publication:
    """A message to be published.

    Attributes:
        id: Its message id, as in the properties.
        route: Made by ``codec.route``.
        properties: Made by ``codec.properties``.
        body: Any bytes, of any length.
    """

    id: str
    route: bytes
    properties: bytes
    body: bytes


class Batch:
    """Messages that were sent together, and what has become of them."""

    def __init__(self, first: int, ids: Sequence[str]) -> None:
        self._first = first
        self._last = first + len(ids) - 1
        self._ids = ids
        self._open = set(range(first, first + len(ids)))
        self._refused: dict[int, Refusal] = {}
        self._changed: asyncio.Future[None] | None = None

    def refusal(self, index: int) -> Refusal | None:
        """Why the message at this place is not known to be safe; None when the broker has it."""
        tag = self._first + index
        return "unconfirmed" if tag in self._open else self._refused.get(tag)

    @property
    def is_settled(self) -> bool:
        """Whether the broker has spoken on every message."""
        return not self._open

    def _settle(self, tag: int, *, multiple: bool, refused: bool) -> None:
        if tag < self._first or (tag > self._last and not multiple):
            return
        settled = {tag}
        if multiple:
            settled = {each for each in self._open if each <= tag}
        if refused:
            for each in settled & self._open:
                self._refused.setdefault(each, "nacked")
        self._open -= settled
        if not self._open:
            self._wake()

    def _returned(self, message_id: str) -> None:
        if message_id in self._ids:
            self._refused[self._first + self._ids.index(message_id)] = "returned"

    def _wake(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)


class Publisher(Channel):
    """A channel that confirms. Several batches may be in flight; the broker takes them in order."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._sent = 0
        self._in_flight: list[Batch] = []
        self._writable: asyncio.Future[None] | None = None
        self._sending = asyncio.Lock()

    async def _prepare(self) -> None:
        await self._ask(Confirm.Select())

    @property
    def is_blocked(self) -> bool:
        """Whether the broker has said that it takes no messages for now."""
        return self._connection.blocked

    async def send(self, messages: Sequence[Publication]) -> Batch:
        """Writes the messages, once the broker reads; wait for them with ``settled``.

        Raises:
            LostError: The channel is gone.
        """
        async with self._sending:
            while not self._connection.is_writable:
                self.check()
                self._writable = asyncio.get_running_loop().create_future()
                await self._writable
            self.check()
            batch = Batch(self._sent + 1, [message.id for message in messages])
            self._sent += len(messages)
            self._in_flight.append(batch)
            number, frame_max = self._number, self._connection.frame_max
            self._connection.write(
                b"".join(
                    codec.publication(
                        number, each.route, each.properties, each.body, frame_max=frame_max
                    )
                    for each in messages
                )
            )
        return batch

    async def settled(self, batch: Batch, *, timeout_s: float) -> None:
        """Returns once each message of the batch is confirmed or refused, or the time is over.

        The time does not run while the broker has said that it takes no messages; the batch tells
        what is known of each one, also after an error.

        Raises:
            LostError: The channel is gone.
        """
        loop = asyncio.get_running_loop()
        try:
            while not batch.is_settled:
                self.check()
                batch._changed = loop.create_future()  # noqa: SLF001
                done, _ = await asyncio.wait([batch._changed], timeout=timeout_s)  # noqa: SLF001
                if not done and not self._connection.blocked:
                    return
        finally:
            self._in_flight.remove(batch)

    def _take(self, item: Message | Method) -> None:
        if isinstance(item, Basic.Ack | Basic.Nack):
            refused = isinstance(item, Basic.Nack)
            for batch in self._in_flight:
                batch._settle(item.delivery_tag, multiple=item.multiple, refused=refused)  # noqa: SLF001
        elif isinstance(item, Message):
            message_id = item.properties.message_id or ""
            for batch in self._in_flight:
                batch._returned(message_id)  # noqa: SLF001
        else:
            super()._take(item)

    def lost(self, error: LostError) -> None:
        """Nothing comes or goes on it any more."""
        super().lost(error)
        self.writable()
        for batch in self._in_flight:
            batch._wake()  # noqa: SLF001

    def writable(self) -> None:
        """The broker reads again."""
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
