"""Answers that go on: server-sent events.

Source:
    WHATWG HTML Living Standard, 9.2 Server-sent events.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from kourse.kit.http.middleware import EVENT_STREAM

STALL_S = 30.0
"""Seconds after which a stream ends whose reader takes nothing; they go on after their last event."""
RETRY_MS = (1000, 5000)
"""Bounds of the time after which a client is told to come back, spread so that not all come at once."""


def retry_line() -> bytes:
    """Begins a stream: when its reader is to come back after it broke."""
    return f"retry: {random.randint(*RETRY_MS)}\n\n".encode()  # noqa: S311 -- no secret


class EventStream(StreamingResponse):
    """An answer that goes on; it ends when its reader takes nothing for long.

    Args:
        tell: Makes the stream's text, given what is set when there may be more to tell.
        slot: Held while the answer goes on; gives what ``tell`` needs.
    """

    media_type = EVENT_STREAM

    def __init__(
        self,
        tell: Callable[[asyncio.Event], AsyncIterator[bytes]],
        slot: AbstractContextManager[asyncio.Event],
    ) -> None:
        super().__init__(_nothing(), headers={"x-accel-buffering": "no"})
        self._tell, self._slot = tell, slot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streams until the end of the text, of its reader's patience, or of the connection."""
        with self._slot as wake:
            self.body_iterator = self._tell(wake)
            await super().__call__(scope, receive, send)

    async def stream_response(self, send: Send) -> None:
        """Sends part by part; the next one is made when the one before has been taken."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        async for chunk in self.body_iterator:
            part = {"type": "http.response.body", "body": chunk, "more_body": True}
            try:
                async with asyncio.timeout(STALL_S):
                    await send(part)
            except TimeoutError:
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""
