"""What happens around every request, as plain ASGI: ids, trace, metrics, failures, headers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from opentelemetry.context import Context
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import clear_contextvars

from kourse.contracts.errors import Unavailable
from kourse.kit.http.problems import failure_of, problem_response
from kourse.kit.telemetry import (
    CORRELATION_HEADER,
    accept_client_address,
    accept_correlation,
    extract,
    get_logger,
    span,
)
from kourse.kit.telemetry.metrics import HTTP_DURATION, HTTP_IN_FLIGHT, HTTP_REQUESTS
from kourse.kit.telemetry.tracing import SpanKind, mark_failed

PROBES = frozenset({"/livez", "/readyz", "/startupz", "/metrics", "/buildinfo"})
"""Addresses for the platform itself: not counted, not traced, open to whoever reaches the port."""
UNKNOWN_ROUTE = "unmatched"
EVENT_STREAM = "text/event-stream"
"""Media type of server-sent events (WHATWG HTML, 9.2)."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
log = get_logger(__name__)


class Observed:
    """Gives each request an id, a span, a place in the metrics and safe headers.

    Args:
        app: What answers.
        service: Name in the metrics.
        route_of: Template of the route that answered, from the scope; never the address itself.
        is_edge: Whether requests come from strangers: then each begins a trace of its own, and
            the trace that it claims is only noted.
    """

    def __init__(
        self,
        app: ASGIApp,
        service: str,
        route_of: Callable[[Scope], str | None] | None = None,
        *,
        is_edge: bool = False,
    ) -> None:
        self._app = app
        self._service = service
        self._route_of = route_of or route_template
        self._is_edge = is_edge
        self._in_flight = HTTP_IN_FLIGHT.labels(service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, observed."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        clear_contextvars()
        headers = Headers(scope=scope)
        request_id = accept_correlation(headers.get(CORRELATION_HEADER))
        if not self._is_edge:
            accept_client_address(headers.get("x-forwarded-for"))
        answer = _Answer(send, request_id)
        started = time.perf_counter()
        parent = Context() if self._is_edge else extract(headers)
        with (
            self._in_flight.track_inprogress(),
            span(scope["method"], kind=SpanKind.SERVER, parent=parent) as current,
        ):
            if self._is_edge and "traceparent" in headers:
                current.set_attribute("kourse.claimed_traceparent", headers["traceparent"][:64])
            try:
                await self._app(scope, receive, answer)
            finally:
                route = self._route_of(scope) or UNKNOWN_ROUTE
                current.update_name(f"{scope['method']} {route}")
                current.set_attribute("http.response.status_code", answer.status)
                if answer.status >= 500:  # noqa: PLR2004 -- server errors
                    mark_failed(current, str(answer.status))
                self._count(scope, route, answer, time.perf_counter() - started)

    def _count(self, scope: Scope, route: str, answer: _Answer, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        labels = (self._service, method, route, str(answer.status))
        HTTP_REQUESTS.labels(*labels).inc()
        if not answer.is_stream:  # how long somebody listened says nothing of how fast we are
            HTTP_DURATION.labels(*labels).observe(seconds)
        log.info(
            "request",
            method=method,
            route=route,
            status=answer.status,
            duration_ms=round(seconds * 1e3, 2),
        )


class Guarded:
    """Answers every exception that nobody else did, and refuses requests before the start is done."""

    def __init__(self, app: ASGIApp, health: Startable) -> None:
        self._app = app
        self._health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, whatever happens."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        if not self._health.is_started:
            starting = Unavailable("The service is starting.", retry_after_s=1)
            await problem_response(starting)(scope, receive, send)
            return
        sender = _Started(send)
        try:
            await self._app(scope, receive, sender)
        except Exception as error:
            failure = failure_of(error)
            if failure.status >= 500:  # noqa: PLR2004 -- server errors
                log.exception("request failed", problem=failure.code)
            if sender.has_started:
                raise
            await problem_response(failure)(scope, receive, send)


class Startable(Protocol):
    """What knows whether the start is done."""

    is_started: bool


def route_template(scope: Scope) -> str | None:
    """Template of the route that a Starlette or FastAPI application chose."""
    path: str | None = getattr(scope.get("route"), "path", None)
    return path


class _Answer:
    """Passes an answer on, notes its status and adds the headers that all answers have."""

    def __init__(self, send: Send, request_id: str) -> None:
        self.status = 500
        self.is_stream = False
        self._send = send
        self._request_id = request_id

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            headers[CORRELATION_HEADER] = self._request_id
            self.is_stream = headers.get("content-type", "").startswith(EVENT_STREAM)
            headers.setdefault("cache-control", "no-store")
            headers.setdefault("x-content-type-options", "nosniff")
        await self._send(message)


class _Started:
    """Notes whether an answer has begun."""

    def __init__(self, send: Send) -> None:
        self.has_started = False
        self._send = send

    async def __call__(self, message: Message) -> None:
        self.has_started = True
        await self._send(message)
