"""One connection to the broker: log-in, heartbeats both ways, back-pressure, and its channels.

It never comes back by itself. Once it is lost every channel on it raises ``LostError``, and whoever needs
it opens another one.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Protocol, Self, cast

import structlog
from pamqp import commands
from pamqp.base import Frame as Method
from pamqp.common import FieldTable
from yarl import URL

from kourse.kit.amqp import codec
from kourse.kit.amqp.codec import Decoder, Heartbeat, Message, Received
from kourse.kit.amqp.values import MalformedError

log = structlog.get_logger(__name__)

FRAME_MAX = 131_072
CHANNEL_MAX = 2047
CLOSE_TIMEOUT_S = 2.0
NOT_FOUND = 404
_CAPABILITIES: FieldTable = {
    "publisher_confirms": True,
    "basic.nack": True,
    "consumer_cancel_notify": True,
    "connection.blocked": True,
    "authentication_failure_close": True,
}


class LostError(ConnectionError):
    """The connection or the channel is gone, and what was in flight on it has an unknown outcome.

    Attributes:
        code: The broker's reply code; 0 when it gave none.
    """

    def __init__(self, reason: str, code: int = 0) -> None:
        super().__init__(reason)
        self.code = code


class Channel(Protocol):
    """What a connection needs of a channel."""

    def received(self, item: Message | Method) -> None:
        """Takes what the broker sent on the channel."""

    def lost(self, error: LostError) -> None:
        """Nothing comes or goes on it any more."""

    def writable(self) -> None:
        """The broker reads again."""


class Connection(asyncio.Protocol):
    """A connection that is logged in.

    Attributes:
        frame_max: Most bytes in a frame, as agreed with the broker.
        blocked: Whether the broker has said that it takes no messages for now.
    """

    def __init__(self, url: URL, name: str, heartbeat_s: float) -> None:
        self.frame_max = FRAME_MAX
        self.blocked = False
        self._url = url
        self._name = name
        self._heartbeat_s = heartbeat_s
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self._decoder = Decoder()
        self._channels: dict[int, Channel] = {}
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._error: LostError | None = None
        self._heard = self._said = self._loop.time()
        self._beat: asyncio.TimerHandle | None = None

    @classmethod
    async def open(
        cls, url: str | URL, *, name: str, heartbeat_s: float = 10.0, timeout_s: float = 5.0
    ) -> Self:
        """A connection that is logged in.

        Args:
            url: ``amqp[s]://user:password@host:port/vhost``; ``cafile``, ``certfile`` and ``keyfile``
                in its query are for TLS.
            name: Shown in the broker's list of connections.
            heartbeat_s: A broker that is silent for two of these is given up; it may ask for fewer.
            timeout_s: Seconds until the connection has to be open.

        Raises:
            LostError: It cannot be reached, or refuses the log-in.
        """
        url = URL(url)
        connection = cls(url, name, heartbeat_s)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_s):
                await loop.create_connection(
                    lambda: connection,
                    url.host or "localhost",
                    url.port or (5671 if url.scheme == "amqps" else 5672),
                    ssl=_tls(url),
                )
                await connection._opened
        except (OSError, TimeoutError) as error:
            connection._lose(LostError(str(error) or "the broker does not answer"))
            if isinstance(error, LostError):
                raise
            raise LostError(str(error) or "the broker does not answer") from error
        except BaseException:
            connection._lose(LostError("opening was given up"))
            raise
        return connection

    @property
    def is_open(self) -> bool:
        """Whether channels can be used."""
        return self._error is None

    @property
    def is_writable(self) -> bool:
        """Whether the broker reads as fast as we write, and takes messages at all."""
        return not (self._paused or self.blocked)

    def attach(self, channel: Channel) -> int:
        """A free number for a channel, which gets what arrives on it from now on.

        Raises:
            LostError: The connection is gone, or has no free number.
        """
        self.check()
        number = next((n for n in range(1, CHANNEL_MAX + 1) if n not in self._channels), None)
        if number is None:
            raise LostError("the connection has no free channel")
        self._channels[number] = channel
        return number

    def detach(self, number: int) -> None:
        """The channel gets nothing any more; the broker must know of it as closed."""
        self._channels.pop(number, None)

    def check(self) -> None:
        """Returns while the connection is there.

        Raises:
            LostError: It is gone.
        """
        if self._error is not None:
            raise LostError(str(self._error), self._error.code) from self._error

    def write(self, data: bytes) -> None:
        """Sends frames; what cannot be sent yet is kept in order.

        Raises:
            LostError: The connection is gone.
        """
        self.check()
        self._said = self._loop.time()
        cast("asyncio.Transport", self._transport).write(data)

    async def close(self) -> None:
        """Says goodbye, and returns when the connection is gone, after two seconds at the latest."""
        if self._error is None:
            self._send(commands.Connection.Close(200, "Goodbye", 0, 0))
            await asyncio.wait([self._closed], timeout=CLOSE_TIMEOUT_S)
        self._lose(LostError("closed"))
        if self._transport is not None:
            self._transport.abort()
            await asyncio.wait([self._closed], timeout=CLOSE_TIMEOUT_S)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102
        self._transport = cast("asyncio.Transport", transport)
        if self._error is not None:
            self._transport.abort()
            return
        self._transport.write(codec.PREAMBLE)

    def data_received(self, data: bytes) -> None:  # noqa: D102
        self._heard = self._loop.time()
        try:
            for number, item in self._decoder.feed(data):
                self._received(number, item)
        except MalformedError as error:
            self._lose(LostError(f"the broker sent what cannot be read: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: D102
        self._lose(LostError(str(exc) if exc else "the broker closed the connection"))
        if not self._closed.done():
            self._closed.set_result(None)

    def pause_writing(self) -> None:  # noqa: D102
        self._paused = True

    def resume_writing(self) -> None:  # noqa: D102
        self._paused = False
        self._announce_writable()

    def _received(self, number: int, item: Received) -> None:
        if isinstance(item, Heartbeat) or self._error is not None:
            return
        if number == 0:
            self._control(cast("Method", item))
        elif (channel := self._channels.get(number)) is not None:
            channel.received(item)

    def _control(self, command: Method) -> None:
        match command:
            case commands.Connection.Start():
                self._log_in()
            case commands.Connection.Tune():
                self._tune(command)
            case commands.Connection.OpenOk():
                self._beat_again()
                if not self._opened.done():
                    self._opened.set_result(None)
            case commands.Connection.Blocked():
                self.blocked = True
                log.warning("broker.blocked", reason=command.reason)
            case commands.Connection.Unblocked():
                self.blocked = False
                self._announce_writable()
            case commands.Connection.Close():
                self._send(commands.Connection.CloseOk())
                self._lose(LostError(command.reply_text, command.reply_code or 0))
            case commands.Connection.CloseOk():
                self._lose(LostError("closed"))

    def _log_in(self) -> None:
        user, password = self._url.user or "guest", self._url.password or "guest"
        about: FieldTable = {
            "connection_name": self._name,
            "product": "kourse",
            "capabilities": _CAPABILITIES,
        }
        self._send(commands.Connection.StartOk(about, "PLAIN", f"\0{user}\0{password}", "en_US"))

    def _tune(self, offer: commands.Connection.Tune) -> None:
        self.frame_max = min(offer.frame_max or FRAME_MAX, FRAME_MAX)
        if offer.heartbeat:
            self._heartbeat_s = min(self._heartbeat_s, offer.heartbeat)
        beat = max(int(self._heartbeat_s), 1)
        self._send(commands.Connection.TuneOk(CHANNEL_MAX, self.frame_max, beat))
        self._send(commands.Connection.Open(self._url.path[1:] or "/"))

    def _send(self, command: Method) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._said = self._loop.time()
            self._transport.write(codec.method(0, command))

    def _beat_again(self) -> None:
        now = self._loop.time()
        if now - self._heard > 2 * self._heartbeat_s:
            self._lose(LostError("the broker is silent"))
            return
        if now - self._said >= self._heartbeat_s / 2 and self._transport is not None:
            self._said = now
            self._transport.write(codec.HEARTBEAT)
        self._beat = self._loop.call_later(self._heartbeat_s / 4, self._beat_again)

    def _announce_writable(self) -> None:
        if self.is_writable:
            for channel in tuple(self._channels.values()):
                channel.writable()

    def _lose(self, error: LostError) -> None:
        if self._error is not None:
            return
        self._error = error
        if self._beat is not None:
            self._beat.cancel()
        if not self._opened.done():
            self._opened.set_exception(error)
            self._opened.exception()  # whoever opened it may have gone
        for channel in tuple(self._channels.values()):
            channel.lost(error)
        self._channels.clear()
        if self._transport is not None:
            self._transport.close()
            # What a broker that does not read was still to get would keep the socket for ever.
            self._loop.call_later(CLOSE_TIMEOUT_S, self._transport.abort)


def _tls(url: URL) -> ssl.SSLContext | None:
    if url.scheme != "amqps":
        return None
    context = ssl.create_default_context(cafile=url.query.get("cafile"))
    if certificate := url.query.get("certfile"):
        context.load_cert_chain(certificate, url.query.get("keyfile"))
    return context
