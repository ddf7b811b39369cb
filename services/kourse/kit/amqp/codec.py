"""Frames without any input or output: bytes from the broker become messages, messages become bytes.

Only what every event passes through is written out here: ``basic.publish``, ``basic.deliver`` with its
content, and acknowledgements. All other methods are pamqp's.

Source:
    AMQP 0-9-1 specification, sections 2.3.5 (frames), 4.2 (wire format) and 4.2.6 (content).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct

from pamqp import frame as pamqp_frame
from pamqp import header as pamqp_header
from pamqp.base import Frame as Method
from pamqp.commands import Basic
from pamqp.exceptions import PAMQPException

from kourse.kit.amqp.values import MalformedError, read_long, short, table

PREAMBLE = b"AMQP\x00\x00\x09\x01"
HEARTBEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"
OVERHEAD = 8
"""Bytes of a frame besides its payload."""

_END = b"\xce"
_FRAME = Struct(">BHI")
_METHOD, _HEADER, _BODY, _HEARTBEAT = 1, 2, 3, 8
_DELIVER = b"\x00\x3c\x00\x3c"
_RETURN = b"\x00\x3c\x00\x32"
_PUBLISH = b"\x00\x3c\x00\x28\x00\x00"
_TAG = Struct(">QB")
_CONTENT = Struct(">HHQH")
_CONTENT_START = Struct(">HHQ")
_BASIC = 60
_SETTLE = Struct(">BHIIQBB")
_ACK, _REJECT = 0x003C0050, 0x003C005A
_CONTENT_TYPE, _CONTENT_ENCODING, _HEADERS = 1 << 15, 1 << 14, 1 << 13
_OUR_FLAGS = (_CONTENT_TYPE | _HEADERS | 1 << 12 | 1 << 7 | 1 << 5).to_bytes(2, "big")
_PERSISTENT = b"\x02"


@dataclass(slots=True)
class Message:
    """A message that the broker delivered or returned.

    Attributes:
        tag: Delivery tag on its channel; 0 for a returned message.
        redelivered: Whether it may have been delivered before.
        content: The content header's payload, as it came.
        body: The body, whole.
    """

    tag: int
    redelivered: bool
    content: bytes
    body: bytes

    @property
    def fields(self) -> bytes:
        """The fields of the message's header table, still encoded; empty when it has none.

        Raises:
            MalformedError: There is no whole table.
        """
        content = self.content
        try:
            flags = _CONTENT.unpack_from(content)[3]
            at = _CONTENT.size
            for flag in (_CONTENT_TYPE, _CONTENT_ENCODING):
                if flags & flag:
                    at += 1 + content[at]
            return read_long(content, at) if flags & _HEADERS else b""
        except (struct.error, IndexError) as error:
            raise MalformedError(str(error)) from error

    @property
    def properties(self) -> Basic.Properties:
        """All properties, slowly."""
        header = pamqp_header.ContentHeader()
        header.unmarshal(self.content)
        return header.properties


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The broker is alive."""


Received = Message | Method | Heartbeat


class Decoder:
    """Turns what arrives, cut anywhere, into messages and methods, each with its channel."""

    def __init__(self) -> None:
        self._rest = b""
        self._open: dict[int, _Incoming] = {}

    def feed(self, data: bytes) -> Iterator[tuple[int, Received]]:
        """What is complete with these bytes; run it to its end before the next call.

        Raises:
            MalformedError: The bytes are no AMQP 0-9-1; the connection is of no use any more.
        """
        data = self._rest + data if self._rest else data
        at, size_of = 0, _FRAME.unpack_from
        while len(data) - at >= OVERHEAD:
            kind, channel, size = size_of(data, at)
            stop = at + OVERHEAD + size
            if stop > len(data):
                break
            if data[stop - 1 : stop] != _END:
                raise MalformedError("a frame does not end where it should")
            start, at = at, stop
            received: Received | None
            if kind == _BODY:
                received = self._body(channel, data[start + 7 : stop - 1])
            elif kind == _HEADER:
                received = self._header(channel, data[start + 7 : stop - 1])
            elif kind == _METHOD:
                received = self._method(channel, data[start:stop])
            else:
                received = _heartbeat(kind)
            if received is not None:
                yield channel, received
        self._rest = data[at:]

    def _method(self, channel: int, frame: bytes) -> Received | None:
        if channel in self._open:
            raise MalformedError("a method came where a message's content was due")
        try:
            name = frame[7:11]
            if name == _DELIVER:
                tag, redelivered = _TAG.unpack_from(frame, 12 + frame[11])
                self._open[channel] = _Incoming(tag, redelivered != 0)
                return None
            if name == _RETURN:
                self._open[channel] = _Incoming(0, False)
                return None
            return pamqp_frame.unmarshal(frame)[2]  # type: ignore[return-value]
        except (PAMQPException, struct.error, ValueError, IndexError) as error:
            raise MalformedError(f"a method cannot be read: {error}") from error

    def _header(self, channel: int, payload: bytes) -> Message | None:
        incoming = self._open.get(channel)
        if incoming is None or incoming.content or len(payload) < _CONTENT.size:
            raise MalformedError("a content header came where none was due")
        incoming.content = payload
        incoming.missing = _CONTENT.unpack_from(payload)[2]
        return None if incoming.missing else self._complete(channel, incoming)

    def _body(self, channel: int, payload: bytes) -> Message | None:
        incoming = self._open.get(channel)
        if incoming is None or not incoming.content or len(payload) > incoming.missing:
            raise MalformedError("a piece of content came where none was due")
        incoming.pieces.append(payload)
        incoming.missing -= len(payload)
        return None if incoming.missing else self._complete(channel, incoming)

    def _complete(self, channel: int, incoming: _Incoming) -> Message:
        del self._open[channel]
        body = b"".join(incoming.pieces)
        return Message(incoming.tag, incoming.redelivered, incoming.content, body)


class _Incoming:
    """A message whose content is still on its way."""

    __slots__ = ("content", "missing", "pieces", "redelivered", "tag")

    def __init__(self, tag: int, redelivered: bool) -> None:  # noqa: FBT001
        self.tag = tag
        self.redelivered = redelivered
        self.content = b""
        self.missing = 0
        self.pieces: list[bytes] = []


def _heartbeat(kind: int) -> Heartbeat:
    if kind != _HEARTBEAT:
        raise MalformedError(f"there is no frame of type {kind}")
    return Heartbeat()


def method(channel: int, command: Method) -> bytes:
    """A rare method's frame."""
    return pamqp_frame.marshal(command, channel)


def ack(channel: int, tag: int, *, multiple: bool) -> bytes:
    """Acknowledges a delivery, or it and all before it on the channel."""
    return _SETTLE.pack(_METHOD, channel, 13, _ACK, tag, multiple, 0xCE)


def reject(channel: int, tag: int, *, requeue: bool) -> bytes:
    """Gives a delivery back, or away to the queue's dead letters."""
    return _SETTLE.pack(_METHOD, channel, 13, _REJECT, tag, requeue, 0xCE)


@lru_cache(maxsize=4096)
def route(exchange: str, routing_key: str, *, mandatory: bool) -> bytes:
    """Where a message goes: the payload of ``basic.publish``, made once for each address."""
    return _PUBLISH + short(exchange) + short(routing_key) + bytes((mandatory,))


def properties(*, content_type: str, headers: bytes, message_id: str, message_type: str) -> bytes:
    """Flags and properties of a persistent message.

    Args:
        content_type: Its MIME type.
        headers: The header table's fields, encoded, without its length.
        message_id: Unique among the messages in flight: a returned one is known by it.
        message_type: Its type.
    """
    return b"".join(
        (
            _OUR_FLAGS,
            short(content_type),
            table(headers),
            _PERSISTENT,
            short(message_id),
            short(message_type),
        )
    )


def publication(
    channel: int, route: bytes, properties: bytes, body: bytes, *, frame_max: int
) -> bytes:
    """All frames of one message, its body cut to the frame size that was agreed upon."""
    pack, size = _FRAME.pack, len(body)
    head = (
        pack(_METHOD, channel, len(route)),
        route,
        _END,
        pack(_HEADER, channel, 12 + len(properties)),
        _CONTENT_START.pack(_BASIC, 0, size),
        properties,
        _END,
    )
    most = frame_max - OVERHEAD
    if size <= most:
        pieces: tuple[bytes, ...] = (pack(_BODY, channel, size), body, _END) if size else ()
    else:
        pieces = tuple(_pieces(channel, body, most))
    return b"".join(head + pieces)


def _pieces(channel: int, body: bytes, most: int) -> Iterator[bytes]:
    for at in range(0, len(body), most):
        piece = body[at : at + most]
        yield _FRAME.pack(_BODY, channel, len(piece)) + piece + _END
