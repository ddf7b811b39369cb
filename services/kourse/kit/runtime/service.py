"""What a service is made of, as data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from kourse.kit.runtime.runtime import Runtime
from kourse.kit.settings import ServiceSettings

if TYPE_CHECKING:
    import grpc.aio

    from kourse.kit.audit import Trail
    from kourse.kit.inbox import Handlers
    from kourse.kit.work import Work


@dataclass(frozen=True)
class Service:
    """The parts of a service; ``run`` brings them to life.

    Attributes:
        settings: Its settings, loaded.
        title: Title of its API.
        routers: Its HTTP routes.
        servicers: Functions that add a gRPC servicer: ``register(server, runtime)``; called after
            ``setup``.
        handlers: Its event handlers, or a function that makes them from the runtime.
        work: Work queues that it consumes.
        tasks: Loops that run until they are cancelled; one that crashes is begun anew.
        setup: Called once before anything is served; repeated while a back end is down.
        teardown: Called once after the last request, before clients are closed.
        needs: Back ends without which it is not ready: ``database``, ``keys``, ``token_store``,
            ``cache``, ``broker``, ``objects``.
        trail: Where what it records goes, for the service that keeps the audit trail; for others it is
            that service.
        around: Wraps the HTTP application, for a service with a data path of its own.
    """

    settings: ServiceSettings
    title: str
    routers: Sequence[APIRouter] = ()
    servicers: Sequence[Callable[[grpc.aio.Server, Runtime], None]] = ()
    handlers: Handlers | Callable[[Runtime], Handlers] | None = None
    work: Sequence[Work] = ()
    tasks: Sequence[Callable[[Runtime], Awaitable[None]]] = ()
    setup: Callable[[Runtime], Awaitable[None]] | None = None
    teardown: Callable[[Runtime], Awaitable[None]] | None = None
    needs: frozenset[str] = field(default_factory=lambda: frozenset({"database", "keys"}))
    trail: Callable[[Runtime], Trail] | None = None
    around: Callable[[Runtime, FastAPI], ASGIApp] | None = None
