"""Short strings and header tables, the parts of AMQP's type system that our messages use.

Source:
    AMQP 0-9-1 specification, section 4.2.5, with RabbitMQ's field types (its errata, section 3).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from struct import Struct
from typing import Any

from pamqp import decode as pamqp_decode
from pamqp import encode as pamqp_encode

_LENGTH = Struct(">I")
_INTEGER = Struct(">q")
_MAX_SHORT = 255
_TEXT, _TRUE_OR_FALSE, _LONG_LONG, _TABLE = b"S"[0], b"t"[0], b"l"[0], b"F"[0]


class MalformedError(ValueError):
    """The bytes are no AMQP 0-9-1, or no value that it can carry."""


def short(text: str) -> bytes:
    """A short string: its length in one byte, then its UTF-8.

    Raises:
        MalformedError: It is longer than 255 bytes.
    """
    encoded = text.encode()
    if len(encoded) > _MAX_SHORT:
        raise MalformedError(f"a short string has at most {_MAX_SHORT} bytes, not {len(encoded)}")
    return bytes((len(encoded),)) + encoded


def text_value(text: str) -> bytes:
    """A string as a field's value."""
    encoded = text.encode()
    return b"S" + _LENGTH.pack(len(encoded)) + encoded


def integer_value(number: int) -> bytes:
    """A signed 64-bit integer as a field's value.

    Raises:
        MalformedError: It needs more bits.
    """
    try:
        return b"l" + _INTEGER.pack(number)
    except struct.error as error:
        raise MalformedError(str(error)) from error


def encoded_fields(fields: Mapping[str, Any]) -> bytes:
    """The fields of a header table.

    Args:
        fields: Strings, integers and booleans, or whatever else pamqp knows a field type for.

    Raises:
        MalformedError: A name is too long, or a value is of no such type.
    """
    return b"".join([short(name) + _value(value) for name, value in fields.items()])


def table(fields: bytes) -> bytes:
    """A header table of encoded fields: their length, then they."""
    return _LENGTH.pack(len(fields)) + fields


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return text_value(value)
    if isinstance(value, bool):
        return b"t\x01" if value else b"t\x00"
    if isinstance(value, int):
        return integer_value(value)
    try:
        return pamqp_encode.encode_table_value(value)
    except (TypeError, ValueError, struct.error) as error:
        raise MalformedError(str(error)) from error


def text_at(data: bytes, at: int) -> tuple[str, int]:
    """The string that is a field's value, and where it ends.

    Raises:
        MalformedError: There is no whole string.
    """
    if data[at : at + 1] != b"S":
        raise MalformedError("a string was due")
    text = read_long(data, at + 1)
    try:
        return text.decode(), at + 5 + len(text)
    except UnicodeDecodeError as error:
        raise MalformedError(str(error)) from error


def read_long(data: bytes, at: int) -> bytes:
    """The bytes of the long string, or of the table, that starts at ``at``.

    Raises:
        MalformedError: They are cut off.
    """
    start = at + 4
    end = start + int.from_bytes(data[at:start], "big")
    if len(data) < end or len(data) < start:
        raise MalformedError("a long string or a table is cut off")
    return data[start:end]


def integer_at(data: bytes, at: int) -> tuple[int, int]:
    """The 64-bit integer that is a field's value, and where it ends.

    Raises:
        MalformedError: There is none.
    """
    if data[at : at + 1] != b"l" or len(data) < at + 9:
        raise MalformedError("an integer was due")
    return _INTEGER.unpack_from(data, at + 1)[0], at + 9


def read_fields(data: bytes) -> dict[str, Any]:
    """The header table of these encoded fields.

    Raises:
        MalformedError: They are not whole.
    """
    return read_table(table(data), 0)[0]


def read_table(data: bytes, at: int) -> tuple[dict[str, Any], int]:
    """The header table that starts at ``at``, and where it ends.

    Raises:
        MalformedError: There is no whole table.
    """
    try:
        (size,) = _LENGTH.unpack_from(data, at)
        end = at + 4 + size
        if end > len(data):
            raise MalformedError("a header table is cut off")
        return _fields(data, at + 4, end), end
    except (struct.error, IndexError, ValueError) as error:
        raise MalformedError(str(error)) from error


def _fields(data: bytes, at: int, end: int) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    length_at = _LENGTH.unpack_from
    value: Any
    while at < end:
        kind_at = at + 1 + data[at]
        name = data[at + 1 : kind_at].decode()
        kind = data[kind_at]
        if kind == _TEXT:  # nearly all of them
            start = kind_at + 5
            at = start + length_at(data, kind_at + 1)[0]
            try:
                fields[name] = data[start:at].decode()
            except UnicodeDecodeError:
                fields[name] = data[start:at]
            continue
        at = kind_at + 1
        if kind == _LONG_LONG:
            (value,) = _INTEGER.unpack_from(data, at)
            at += 8
        elif kind == _TRUE_OR_FALSE:
            value, at = data[at] != 0, at + 1
        elif kind == _TABLE:
            value, at = read_table(data, at)
        else:
            used, value = pamqp_decode.embedded_value(data[kind_at:end])
            at = kind_at + used
        fields[name] = value
    if at != end:
        raise MalformedError("a field is longer than its table")
    return fields
