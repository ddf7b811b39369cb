"""What is added to every call to a sibling, and what becomes of its failure."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import grpc
from grpc.aio import ClientCallDetails, Metadata, UnaryUnaryCall, UnaryUnaryClientInterceptor

from kourse.contracts.errors import KourseError
from kourse.kit.auth.service_tokens import ServiceTokens
from kourse.kit.rpc.statuses import error_of
from kourse.kit.telemetry import inject, span
from kourse.kit.telemetry.metrics import RPC_CALL_DURATION, RPC_CALLS
from kourse.kit.telemetry.tracing import SpanKind

DEADLINE_S = 2.0
"""Time for a call whose caller names none."""


class Calls(UnaryUnaryClientInterceptor):
    """Adds token, deadline and trace; raises the catalog's errors instead of gRPC's.

    Args:
        peer: Name of the called service: the token's audience.
        tokens: Gives service tokens.
    """

    def __init__(self, peer: str, tokens: ServiceTokens) -> None:
        self._peer = peer
        self._tokens = tokens

    async def intercept_unary_unary(
        self, continuation: Callable[..., Any], client_call_details: ClientCallDetails, request: Any
    ) -> UnaryUnaryCall[Any, Any]:
        """The finished call.

        Raises:
            Unavailable: The sibling, or identity for the token, cannot be reached.
            DeadlineExceeded: No answer in time.
            KourseError: What the sibling itself reported.
        """
        method = _text(client_call_details.method)
        started = time.perf_counter()
        code = grpc.StatusCode.OK.name
        try:
            with span(method.lstrip("/"), kind=SpanKind.CLIENT):
                details = await self._complete(client_call_details)
                call = await continuation(details, request)
                await call
                finished: UnaryUnaryCall[Any, Any] = call
                return finished
        except grpc.aio.AioRpcError as error:
            code = error.code().name
            raise error_of(error) from error
        except KourseError:
            code = grpc.StatusCode.UNAVAILABLE.name
            raise
        finally:
            RPC_CALLS.labels(self._peer, method, code).inc()
            RPC_CALL_DURATION.labels(self._peer, method).observe(time.perf_counter() - started)

    async def _complete(self, details: ClientCallDetails) -> ClientCallDetails:
        headers: dict[str, str] = {}
        inject(headers)
        headers["authorization"] = f"Bearer {await self._tokens.token(self._peer)}"
        metadata = Metadata(*(details.metadata or ()))
        for name, value in headers.items():
            metadata.add(name, value)
        return ClientCallDetails(
            method=details.method,
            timeout=DEADLINE_S if details.timeout is None else details.timeout,
            metadata=metadata,
            credentials=details.credentials,
            wait_for_ready=details.wait_for_ready,
        )


def _text(method: str | bytes) -> str:
    return method.decode() if isinstance(method, bytes) else method
