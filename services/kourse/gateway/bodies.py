"""Bodies of requests on their way in: bounded in size and time, passed on as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.types import Receive

from kourse.contracts.errors import KourseError, Malformed, TooLarge

MAX_BODY_BYTES = 1_048_576
HELD_BYTES = 65_536
"""Bodies up to this size are read before a service is bothered."""


class ClientGone(Exception):
    """The client left; nobody waits for an answer."""


class RequestBody:
    """The body of one request.

    Attributes:
        size: Declared size, or None when it comes in chunks.
        failure: What was wrong with it, when sending it on had to end.
    """

    def __init__(
        self, headers: list[tuple[bytes, bytes]], receive: Receive, timeout_s: float
    ) -> None:
        self.failure: KourseError | ClientGone | None = None
        self.size = _declared_size(headers)
        self._receive = receive
        self._timeout_s = timeout_s
        if self.size is not None and self.size > MAX_BODY_BYTES:
            raise _too_large()

    async def prepare(self, on_sent: Callable[[], None]) -> bytes | AsyncIterator[bytes] | None:
        """What to send on: all of it when it is small, else its parts as they come.

        Args:
            on_sent: Called when the last part of a large body is on its way.
        """
        if self.size == 0:
            return None
        if self.size is not None and self.size <= HELD_BYTES:
            return b"".join([chunk async for chunk in self._chunks()])
        return self._stream(on_sent)

    async def _stream(self, on_sent: Callable[[], None]) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._chunks():
                yield chunk
        except (KourseError, ClientGone) as failure:
            self.failure = failure
            raise
        on_sent()

    async def _chunks(self) -> AsyncIterator[bytes]:
        read, more = 0, True
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        while more:
            try:
                async with asyncio.timeout_at(deadline):
                    message = await self._receive()
            except TimeoutError:
                raise Malformed("The body did not arrive in time.") from None
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk: bytes = message.get("body", b"")
            more = message.get("more_body", False)
            read += len(chunk)
            if read > MAX_BODY_BYTES:
                raise _too_large()
            if chunk:
                yield chunk


def _declared_size(headers: list[tuple[bytes, bytes]]) -> int | None:
    if any(name == b"transfer-encoding" for name, _ in headers):
        return None
    sizes = {value for name, value in headers if name == b"content-length"}
    if not sizes:
        return 0
    size = sizes.pop()
    if sizes or not size.isdigit():
        raise Malformed("There must be one Content-Length.")
    return int(size)


def _too_large() -> TooLarge:
    return TooLarge(f"A body has at most {MAX_BODY_BYTES} bytes.")
