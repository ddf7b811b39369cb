"""One request to one service and its answer back, streaming both ways."""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
from multidict import CIMultiDict
from starlette.types import Message, Receive, Send
from yarl import URL

from kourse.contracts.errors import DeadlineExceeded, KourseError, Unavailable
from kourse.gateway.bodies import ClientGone, RequestBody
from kourse.gateway.headers import incoming
from kourse.gateway.upstreams import Upstream
from kourse.kit.telemetry import get_logger, inject, span
from kourse.kit.telemetry.tracing import SpanKind

HELD_ANSWER_BYTES = 65_536
"""Answers up to this size are read at once and sent in one piece."""
_BODILESS = frozenset({204, 304})
log = get_logger(__name__)


@dataclass(frozen=True)
class Streaming:
    """How an answer without an end is passed on.

    Attributes:
        idle_s: Seconds without anything passed on, after which it ends.
        ending: Set when it is to end.
    """

    idle_s: float
    ending: asyncio.Event


@dataclass(frozen=True)
class Call:
    """What is asked of a service.

    Attributes:
        upstream: The service.
        method: HTTP method.
        target: Path and query, as the client wrote them.
        headers: Cleaned headers.
        extra: Headers for the client's answer.
        answer_s: Seconds until the answer must begin.
        total_s: Seconds until it must be complete.
        stream: How to pass it on when it has no end; None for all other answers.
    """

    upstream: Upstream
    method: str
    target: str
    headers: CIMultiDict[str]
    extra: list[tuple[bytes, bytes]]
    answer_s: float
    total_s: float
    stream: Streaming | None = None


async def forward(call: Call, body: RequestBody, receive: Receive, send: Send) -> int:
    """Send the call, pass its answer to the client, and return the answer's status.

    Raises:
        Unavailable: The service cannot be reached, or its breaker is open.
        DeadlineExceeded: It did not begin to answer in time.
        KourseError: The body is too large or too late.
        ClientGone: Nobody waits any more.
    """
    with call.upstream.stream() if call.stream else nullcontext():
        return await _forward(call, body, receive, send)


async def _forward(call: Call, body: RequestBody, receive: Receive, send: Send) -> int:
    call.upstream.admit()
    started = time.perf_counter()
    try:
        with span(call.upstream.name, kind=SpanKind.CLIENT):
            inject(call.headers)
            answer = await _begin(call, body)
    except (ClientGone, asyncio.CancelledError):
        call.upstream.breaker.forget()
        raise
    except (DeadlineExceeded, Unavailable) as error:
        seconds = time.perf_counter() - started
        call.upstream.record(error.code, failed=True, seconds=seconds)
        raise
    except KourseError:
        call.upstream.breaker.forget()
        raise
    seconds = time.perf_counter() - started
    call.upstream.record(f"{answer.status // 100}xx", failed=_is_failure(answer), seconds=seconds)
    async with answer:
        await _pass_on(answer, call, receive, send)
    return answer.status


def _is_failure(answer: aiohttp.ClientResponse) -> bool:
    """Whether the service failed, rather than said itself when to come again.

    One whose back end was lost answers at once and is well the moment that is back: a circuit that opens
    on it would keep everybody out for longer, and from routes that need nothing of what was lost.
    """
    asks_to_wait = (
        answer.status == HTTPStatus.SERVICE_UNAVAILABLE and "Retry-After" in answer.headers
    )
    return answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not asks_to_wait


async def _begin(call: Call, body: RequestBody) -> aiohttp.ClientResponse:
    """The head of the answer."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as patience:

            def expect_answer() -> None:
                patience.reschedule(loop.time() + call.answer_s)

            data = await body.prepare(expect_answer)
            if data is None or isinstance(data, bytes):
                expect_answer()
            if body.size:
                call.headers["content-length"] = str(body.size)
            session = call.upstream.lasting if call.stream else call.upstream.session
            return await session.request(
                call.method,
                URL(f"{call.upstream.address}{call.target}", encoded=True),
                headers=call.headers,
                data=data,
                allow_redirects=False,
            )
    except TimeoutError:
        raise DeadlineExceeded(
            f"The {call.upstream.name} service did not answer in time.", retry_after_s=1
        ) from None
    except (aiohttp.ClientError, OSError) as error:
        if body.failure is not None:
            raise body.failure from None
        log.warning("upstream failed", upstream=call.upstream.name, error=type(error).__name__)
        raise Unavailable(
            f"The {call.upstream.name} service is not available right now.", retry_after_s=1
        ) from None


async def _pass_on(
    answer: aiohttp.ClientResponse, call: Call, receive: Receive, send: Send
) -> None:
    headers = [*incoming(answer.headers), *call.extra]
    start = {"type": "http.response.start", "status": answer.status, "headers": headers}
    if _is_small(answer):
        content = await _whole(answer, call)
        await send(start)
        await send({"type": "http.response.body", "body": content})
        return
    await send(start)
    if call.stream is not None and answer.ok:
        await _pass_stream(answer, call.stream, receive, send)
        return
    async with asyncio.timeout(call.total_s):
        await _stream(answer, receive, send)


def _is_small(answer: aiohttp.ClientResponse) -> bool:
    has_no_body = answer.method == "HEAD" or answer.status in _BODILESS
    size = 0 if has_no_body else answer.content_length
    return size is not None and size <= HELD_ANSWER_BYTES


async def _whole(answer: aiohttp.ClientResponse, call: Call) -> bytes:
    try:
        async with asyncio.timeout(call.total_s):
            return await answer.read()
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise Unavailable(
            f"The {call.upstream.name} service broke off its answer.", retry_after_s=1
        ) from error


async def _pass_stream(
    answer: aiohttp.ClientResponse, stream: Streaming, receive: Receive, send: Send
) -> None:
    """Pass on what has no end while it goes on; what stands still is ended, as is all at a stop."""
    loop = asyncio.get_running_loop()
    ending = asyncio.create_task(stream.ending.wait())
    try:
        async with asyncio.timeout(stream.idle_s) as patience:

            async def send_on(message: Message) -> None:
                await send(message)
                patience.reschedule(loop.time() + stream.idle_s)

            await _stream(answer, receive, send_on, until=ending)
    except TimeoutError:
        log.info("stream idle", seconds=stream.idle_s)
        answer.close()
        return
    finally:
        ending.cancel()
    if stream.ending.is_set():
        answer.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await send({"type": "http.response.body", "body": b""})


async def _stream(
    answer: aiohttp.ClientResponse,
    receive: Receive,
    send: Send,
    until: asyncio.Task[bool] | None = None,
) -> None:
    """Pass parts on as they come, until the end, until ``until`` is done, or until the client leaves."""
    passing = asyncio.create_task(_pass_parts(answer, send))
    leaving = asyncio.create_task(_disconnected(receive))
    ends = {passing, leaving} | ({until} if until else set())
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if passing.done():
            passing.result()
        elif leaving.done():
            raise ClientGone
    finally:
        for task in (passing, leaving):
            task.cancel()
        await asyncio.gather(passing, leaving, return_exceptions=True)


async def _pass_parts(answer: aiohttp.ClientResponse, send: Send) -> None:
    async for part in answer.content.iter_any():
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
