"""Reading a queue in batches: whatever has arrived, acknowledged together."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from pamqp.base import Frame as Method
from pamqp.commands import Basic

from kourse.kit.amqp import codec
from kourse.kit.amqp.channel import Channel
from kourse.kit.amqp.codec import Message
from kourse.kit.amqp.connection import Connection, LostError


class Reader(Channel):
    """A channel that consumes one queue. Leave its block, and what was not acknowledged goes back."""

    def __init__(
        self, connection: Connection, queue: str, *, prefetch: int, stopping: asyncio.Event
    ) -> None:
        """Does not consume yet; enter it.

        Args:
            connection: Many readers may share one.
            queue: The queue, which has to be there.
            prefetch: Most messages in hand.
            stopping: Ends ``batch`` when set.
        """
        super().__init__(connection)
        self._queue = queue
        self._prefetch = prefetch
        self._stopping = stopping
        self._arrived: list[Message] = []
        self._wake: asyncio.Future[None] | None = None
        self._stop: asyncio.Task[bool] | None = None

    async def _prepare(self) -> None:
        await self._ask(Basic.Qos(prefetch_count=self._prefetch))
        await self._ask(Basic.Consume(queue=self._queue))
        self._stop = asyncio.create_task(self._stopping.wait())
        self._stop.add_done_callback(lambda _: self._awake())

    async def __aenter__(self) -> Self:
        """Consumes from now on.

        Raises:
            LostError: The connection is gone, or there is no such queue (code 404).
        """
        return await super().__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._stop is not None:
            self._stop.cancel()
            with suppress(asyncio.CancelledError):
                await self._stop
        await super().__aexit__(kind, error, trace)

    async def batch(self) -> list[Message]:
        """All messages that have arrived since the last call, at least one, oldest first.

        Returns:
            The messages; none when ``stopping`` was set.

        Raises:
            LostError: The channel is gone, or the broker has ended the consumption.
        """
        while not self._arrived:
            if self._stopping.is_set():
                return []
            self.check()
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        if self._stopping.is_set():
            return []
        self.check()
        arrived, self._arrived = self._arrived, []
        return arrived

    def ack(self, tag: int, *, multiple: bool = True) -> None:
        """The message took effect, and with ``multiple`` all before it that are not settled yet.

        Raises:
            LostError: The channel is gone; the broker delivers the messages again.
        """
        self.check()
        self._connection.write(codec.ack(self._number, tag, multiple=multiple))

    def reject(self, tag: int) -> None:
        """The message goes to the queue's dead letters.

        Raises:
            LostError: The channel is gone; the broker delivers the message again.
        """
        self.check()
        self._connection.write(codec.reject(self._number, tag, requeue=False))

    def _take(self, item: Message | Method) -> None:
        if isinstance(item, Message):
            self._arrived.append(item)
            self._awake()
        elif isinstance(item, Basic.Cancel):
            self.lost(LostError("the broker ended the consumption: the queue is gone", 404))
        else:
            super()._take(item)

    def lost(self, error: LostError) -> None:
        """Nothing comes or goes on it any more."""
        super().lost(error)
        self._awake()

    def _awake(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
