"""Refuses bodies that are too large, and JSON that two readers could understand differently."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kourse.contracts.errors import KourseError, Malformed, TooLarge
from kourse.kit.http.problems import problem_response

MAX_BODY_BYTES = 1_048_576
MAX_DEPTH = 32
NO_NUL = "A text must not contain the character NUL."
"""PostgreSQL stores none, and other programs end a text there."""
MAX_INTEGER_DIGITS = 19
"""Digits of the largest 64-bit number."""


class StrictBody:
    """Reads each body before the application does, up to a limit, and checks it when it is JSON.

    Args:
        app: What answers; it gets the same body again.
        max_bytes: Largest body, in bytes.
    """

    def __init__(self, app: ASGIApp, max_bytes: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or refuses its address or body."""
        if scope["type"] == "http" and _has_nul(scope):
            await problem_response(Malformed(NO_NUL))(scope, receive, send)
            return
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(Headers(scope=scope), receive)
            if body is not None and _is_json(Headers(scope=scope)):
                check_json(body)
        except KourseError as error:
            await problem_response(error)(scope, receive, send)
            return
        if body is not None:
            await self._app(scope, _Replayed(body, receive), send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes | None:
        """The whole body, or None when the client went away."""
        if int(headers.get("content-length") or 0) > self._max_bytes:
            raise TooLarge(f"A body has at most {self._max_bytes} bytes.")
        chunks = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            chunks += message.get("body", b"")
            if len(chunks) > self._max_bytes:
                raise TooLarge(f"A body has at most {self._max_bytes} bytes.")
            if not message.get("more_body", False):
                return bytes(chunks)


def check_json(body: bytes) -> None:
    """Returns when the text is JSON that every reader understands alike; empty is fine.

    Raises:
        Malformed: It is broken, nested deeper than 32, has a name twice in one object, or a number
            that 64 bits cannot hold, or a text with the character NUL.
    """
    if not body:
        return
    try:
        value = _decoder.decode(body.decode())
    except KourseError:
        raise
    except RecursionError:
        raise Malformed(f"JSON may be nested {MAX_DEPTH} deep at most.") from None
    except ValueError:
        raise Malformed("The body is not valid JSON.") from None
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise Malformed(f"JSON may be nested {MAX_DEPTH} deep at most.")
    if b"\\u0000" in body and _holds_nul(value):
        raise Malformed(NO_NUL)


def _holds_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_nul, value)) or any(map(_holds_nul, value.values()))
    if isinstance(value, list):
        return any(map(_holds_nul, value))
    return isinstance(value, str) and "\x00" in value


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [
            inner for item in level for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return depth


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("A name stands twice in one JSON object.")
    return found


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > MAX_INTEGER_DIGITS:
        raise Malformed("A number is too large.")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise Malformed("A number is too large.")
    return value


def _refuse(_constant: str) -> NoReturn:
    raise Malformed("NaN and Infinity are no JSON.")


_decoder = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_number, parse_constant=_refuse
)


def _has_nul(scope: Scope) -> bool:
    return "\x00" in scope["path"] or b"%00" in scope["query_string"]


def _has_body(scope: Scope) -> bool:
    return any(name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"])


def _is_json(headers: Headers) -> bool:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


class _Replayed:
    """Gives a body that was read once more, then what really comes after it."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}
