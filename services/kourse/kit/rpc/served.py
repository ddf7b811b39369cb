"""What happens around every gRPC call that is served."""

from __future__ import annotations

import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self

import grpc
from grpc.aio import ServerInterceptor, ServicerContext
from structlog.contextvars import bind_contextvars, clear_contextvars

from kourse.contracts.errors import Forbidden, KourseError, Malformed, Unauthenticated
from kourse.kit.auth.verifier import Verifier
from kourse.kit.outages import outage_of
from kourse.kit.rpc.statuses import status_of, trailers_of
from kourse.kit.telemetry import (
    CORRELATION_HEADER,
    accept_correlation,
    bind,
    extract,
    get_logger,
    span,
)
from kourse.kit.telemetry.metrics import RPC_DURATION, RPC_SERVED
from kourse.kit.telemetry.tracing import SpanKind

CALLER: ContextVar[str] = ContextVar("caller", default="")
OnDenial = Callable[[str, str, str], None]
"""Gets the caller, the tenant that the request names or "", and the method."""
OPEN_PREFIXES = ("/grpc.health.", "/grpc.reflection.")
"""Methods for probes and, in development, for people; they need no token."""
log = get_logger(__name__)


class Served(ServerInterceptor):
    """Checks caller and deadline, sets the context, counts, and maps failures.

    Args:
        service: The audience that tokens must have.
        verifier: Verifies tokens.
        on_denial: Told of callers that may not do what they tried.
    """

    def __init__(self, service: str, verifier: Verifier, on_denial: OnDenial | None = None) -> None:
        self._service = service
        self._verifier = verifier
        self._on_denial = on_denial

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """The handler, wrapped; unknown methods and open ones stay as they are."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(OPEN_PREFIXES) or handler.request_streaming:
            return handler
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(
                self._streaming(method, handler.unary_stream),
                handler.request_deserializer,
                handler.response_serializer,
            )
        return grpc.unary_unary_rpc_method_handler(
            self._unary(method, handler.unary_unary),
            handler.request_deserializer,
            handler.response_serializer,
        )

    def _unary(self, method: str, behaviour: Callable[..., Any]) -> Callable[..., Any]:
        async def served(request: Any, context: ServicerContext[Any, Any]) -> Any:
            answer: Any = None
            async with _Call(self._service, method, context) as call:
                await self._admit(request, context)
                answer = behaviour(request, context)
                if inspect.isawaitable(answer):
                    answer = await answer
            self._note(call.failure, request, method)
            await call.settle()
            return answer

        return served

    def _streaming(self, method: str, behaviour: Callable[..., Any]) -> Callable[..., Any]:
        async def served(request: Any, context: ServicerContext[Any, Any]) -> AsyncIterator[Any]:
            async with _Call(self._service, method, context) as call:
                await self._admit(request, context)
                async for answer in behaviour(request, context):
                    yield answer
            self._note(call.failure, request, method)
            await call.settle()

        return served

    def _note(self, failure: KourseError | None, request: Any, method: str) -> None:
        if self._on_denial is not None and isinstance(failure, Forbidden):
            self._on_denial(CALLER.get(), getattr(request, "tenant", ""), method)

    async def _admit(self, request: Any, context: ServicerContext[Any, Any]) -> None:
        remaining = context.time_remaining()
        if remaining is None:
            raise Malformed("A call needs a deadline.")
        offered = [
            value for key, value in context.invocation_metadata() or () if key == "authorization"
        ]
        if len(offered) != 1:
            raise Unauthenticated("A call needs one service token.")
        scheme, _, token = str(offered[0]).partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("A call needs one service token.")
        claims = await self._verifier.verify(token, self._service)
        CALLER.set(claims.client or "")
        bind_contextvars(caller=claims.client)
        bind(tenant=getattr(request, "tenant", None))


class _Call:
    """Context, span, metrics and failure of one call."""

    def __init__(self, service: str, method: str, context: ServicerContext[Any, Any]) -> None:
        self.failure: KourseError | None = None
        self._service = service
        self._method = method
        self._context = context
        self._started = time.perf_counter()

    async def __aenter__(self) -> Self:
        clear_contextvars()
        metadata = {
            key: value
            for key, value in self._context.invocation_metadata() or ()
            if isinstance(value, str)
        }
        accept_correlation(metadata.get(CORRELATION_HEADER))
        self._span = span(self._method.lstrip("/"), kind=SpanKind.SERVER, parent=extract(metadata))
        self._span.__enter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self._span.__exit__(kind, error, trace)
        is_failure = isinstance(error, Exception) and not isinstance(error, grpc.aio.AbortError)
        if error is not None and is_failure:
            self.failure = _failure(error, self._method)
        status = grpc.StatusCode.OK if self.failure is None else status_of(self.failure)
        if error is not None and not is_failure:
            status = grpc.StatusCode.CANCELLED
        RPC_SERVED.labels(self._service, self._method, status.name).inc()
        RPC_DURATION.labels(self._service, self._method).observe(
            time.perf_counter() - self._started
        )
        return self.failure is not None

    async def settle(self) -> None:
        """End the call with its failure, if it has one."""
        if self.failure is not None:
            status, detail = status_of(self.failure), self.failure.detail
            await self._context.abort(status, detail, trailers_of(self.failure))


def _failure(error: BaseException, method: str) -> KourseError:
    if isinstance(error, KourseError):
        return error
    if outage := outage_of(error):
        return outage
    log.error("call failed", method=method, exc_info=error)
    return KourseError()
