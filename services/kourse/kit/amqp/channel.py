"""What publishers and readers share: a channel opens, asks and waits for the answer, and closes."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from pamqp import commands
from pamqp.base import Frame as Method

from kourse.kit.amqp import codec
from kourse.kit.amqp.codec import Message
from kourse.kit.amqp.connection import Connection, LostError

ANSWER_TIMEOUT_S = 10.0


class Channel:
    """A channel, open for as long as its block runs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._number = 0
        self._answer: asyncio.Future[Method] | None = None
        self._error: LostError | None = None
        self._is_known = False  # to the broker

    async def __aenter__(self) -> Self:
        self._number = self._connection.attach(self)
        self._is_known = True
        try:
            await self._ask(commands.Channel.Open())
            await self._prepare()
        except BaseException:
            self._say_goodbye()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._say_goodbye()

    @property
    def is_open(self) -> bool:
        """Whether anything can come or go on it."""
        return self._error is None

    async def _prepare(self) -> None:
        """Makes it the kind of channel that it is."""

    def check(self) -> None:
        """Returns while the channel is open.

        Raises:
            LostError: It is not.
        """
        if self._error is not None:
            raise LostError(str(self._error), self._error.code) from self._error

    async def _ask(self, command: Method) -> Method:
        self.check()
        self._answer = asyncio.get_running_loop().create_future()
        self._connection.write(codec.method(self._number, command))
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await self._answer
        except TimeoutError as error:
            raise LostError(f"the broker does not answer {command.name}") from error
        finally:
            self._answer = None

    def _say_goodbye(self) -> None:
        """Closes it without waiting; its number is free once the broker has answered."""
        if self._is_known and self._connection.is_open:
            goodbye = commands.Channel.Close(200, "Goodbye", 0, 0)
            self._connection.write(codec.method(self._number, goodbye))
        self._is_known = False
        self.lost(LostError("the channel was closed"))

    def received(self, item: Message | Method) -> None:
        """Takes what the broker sent on the channel."""
        if isinstance(item, commands.Channel.Close):
            self._connection.write(codec.method(self._number, commands.Channel.CloseOk()))
            self._connection.detach(self._number)
            self._is_known = False
            self.lost(LostError(item.reply_text, item.reply_code or 0))
        elif isinstance(item, commands.Channel.CloseOk):
            self._connection.detach(self._number)
        elif self._error is None:
            self._take(item)

    def _take(self, item: Message | Method) -> None:
        if isinstance(item, Method) and self._answer is not None and not self._answer.done():
            self._answer.set_result(item)

    def lost(self, error: LostError) -> None:
        """Nothing comes or goes on it any more."""
        if self._error is None:
            self._error = error
            if self._answer is not None and not self._answer.done():
                self._answer.set_exception(error)

    def writable(self) -> None:
        """The broker reads again."""
