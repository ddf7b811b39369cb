"""The gRPC server of a service."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from kourse.kit.auth.verifier import Verifier
from kourse.kit.rpc.channels import MAX_MESSAGE_BYTES
from kourse.kit.rpc.served import CALLER, OnDenial, Served

OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_metadata_size", 16_384),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.max_connection_age_ms", 300_000),
    ("grpc.max_connection_age_grace_ms", 30_000),
    ("grpc.so_reuseport", 0),
)
"""Connections end after 5 minutes, so that clients find new replicas."""


class RpcServer:
    """A grpc.aio server with health, checked callers and the catalog's errors.

    Make it inside of the running loop.

    Args:
        service: Name of this service: the audience that callers' tokens must have.
        verifier: Verifies those tokens.
        reflection: Whether anybody may list the methods.
        on_denial: Told of callers that may not do what they tried: caller, tenant or "", method.
    """

    def __init__(
        self,
        service: str,
        verifier: Verifier,
        *,
        reflection: bool = False,
        on_denial: OnDenial | None = None,
    ) -> None:
        served = Served(service, verifier, on_denial)
        self.server = grpc.aio.server(interceptors=[served], options=OPTIONS)
        self._health = health.aio.HealthServicer()
        self._reflection = reflection
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.server)

    def register(
        self, servicers: Iterable[Callable[[grpc.aio.Server, Any], None]], runtime: Any
    ) -> None:
        """Let each function add its servicer: ``register(server, runtime)``."""
        names = _record_names(self.server)
        for add in servicers:
            add(self.server, runtime)
        if self._reflection:
            from grpc_reflection.v1alpha import reflection

            reflection.enable_server_reflection([*names, reflection.SERVICE_NAME], self.server)

    async def start(self, host: str, port: int) -> int:
        """Serve from now on; returns the port, which the system chose where ``port`` is 0."""
        bound = self.server.add_insecure_port(f"{host}:{port}")
        await self.server.start()
        await self._health.set("", health_pb2.HealthCheckResponse.SERVING)
        return bound

    async def stop(self, grace_s: float) -> None:
        """Refuse new calls, finish those in flight within ``grace_s`` seconds, then end."""
        await self._health.enter_graceful_shutdown()
        await self.server.stop(grace_s)


def caller() -> str:
    """Name of the service whose call is being served."""
    return CALLER.get()


def _record_names(server: grpc.aio.Server) -> list[str]:
    """A list to which the names of all services added from now on are appended."""
    names: list[str] = []
    add = server.add_registered_method_handlers

    def recording(service_name: str, method_handlers: Any) -> None:
        names.append(service_name)
        add(service_name, method_handlers)

    server.add_registered_method_handlers = recording  # type: ignore[method-assign]
    return names
