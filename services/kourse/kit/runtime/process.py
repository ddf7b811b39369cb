"""The life of one service: listen, set up, serve, drain, close."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from kourse.contracts import events
from kourse.contracts.errors import DependencyNotReady
from kourse.kit.backoff import full_jitter
from kourse.kit.http.app import create_app
from kourse.kit.http.health import Degraded
from kourse.kit.outages import outage_of
from kourse.kit.runtime.http_server import HttpServer
from kourse.kit.runtime.runtime import Runtime
from kourse.kit.runtime.service import Service
from kourse.kit.runtime.supervision import supervise
from kourse.kit.telemetry import get_logger

if TYPE_CHECKING:
    import grpc.aio

    from kourse.kit.audit.forwarding import Forwarder
    from kourse.kit.rpc import RpcServer

STOP_S = 20.0
"""Longest time between the order to stop and the end."""
DRAIN_S = 10
"""Time for requests in flight."""
log = get_logger(__name__)


class _Stoppable(Protocol):
    async def run(self) -> None: ...

    async def stop(self) -> None: ...


class Process:
    """A running service; ``run`` is this with signals, and tests use it directly.

    Attributes:
        runtime: What the service works with.
        http_port: Port of HTTP once started.
        rpc_port: Port of gRPC once set up, or 0.
    """

    def __init__(self, service: Service, runtime: Runtime | None = None) -> None:
        self.runtime = runtime or Runtime(service.settings)
        self.http_port = 0
        self.rpc_port = 0
        self._service = service
        self._rpc: RpcServer | None = None
        self._takers: list[_Stoppable] = []
        self._relay: _Stoppable | None = None
        self._audit: Forwarder | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._relaying: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen and begin to set up; returns at once, whatever back ends are missing.

        Raises:
            OSError: The HTTP port is taken.
        """
        watch_back_ends(self.runtime, self._service)
        app = create_app(self.runtime, self._service.routers, title=self._service.title)
        around = self._service.around
        self._http = HttpServer(around(self.runtime, app) if around else app, drain_s=DRAIN_S)
        settings = self.runtime.settings
        await self._http.start(settings.host, settings.port)
        self.http_port = self._http.port
        log.info("listening", host=settings.host, port=self.http_port)
        self._starting = asyncio.create_task(self._set_up())

    async def started(self) -> None:
        """Returns when everything is served; raises what made the start fail for good."""
        if self._starting is not None:
            await asyncio.shield(self._starting)

    async def stop(self) -> None:
        """Finish what is in hand and close everything, within 20 s."""
        self.runtime.health.draining.set()
        log.info("stopping")
        try:
            async with asyncio.timeout(STOP_S):
                await self._drain()
        except TimeoutError:
            log.warning("not everything could be finished in time")
        await _cancel(self._running | {task for task in (self._relaying,) if task})
        if self._service.teardown is not None:
            await self._service.teardown(self.runtime)
        await self.runtime.close()
        log.info("stopped")

    async def _set_up(self) -> None:
        attempt = 0
        while True:
            try:
                if self._service.setup is not None:
                    await self._service.setup(self.runtime)
                await self._serve_rpc()
                break
            except Exception as error:
                reason = waits_for(error)
                if reason is None:
                    log.exception("the service cannot start")
                    raise
                attempt += 1
                self.runtime.health.report("setup", works=False, reason=reason, required=True)
                log.warning("waiting to start", reason=reason)
                await asyncio.sleep(full_jitter(attempt, base_s=0.2, cap_s=5.0))
        self.runtime.health.report("setup", works=True)
        self._begin_work()
        self.runtime.health.is_started = True
        log.info("started", rpc_port=self.rpc_port)

    async def _serve_rpc(self) -> None:
        settings = self.runtime.settings
        servicers = servicers_of(self._service)
        if not servicers or self._rpc is not None:
            return
        from kourse.kit.rpc import RpcServer

        server = RpcServer(
            settings.service,
            self.runtime.verifier,
            reflection=settings.development,
            on_denial=partial(_note_denied_call, self.runtime),
        )
        server.register(servicers, self.runtime)
        self.rpc_port = await server.start(settings.host, settings.rpc_port)
        self._rpc = server

    def _begin_work(self) -> None:
        settings = self.runtime.settings
        if settings.broker_url:
            self._takers = consumers_of(self._service, self.runtime)
            if settings.worker_database_url:
                from kourse.kit.outbox import Relay

                self._relay = Relay(self.runtime.worker_database, self.runtime.broker)
                self._relaying = self._supervised("relay", self._relay.run)
        self._audit = forwarder_of(self._service, self.runtime)
        if self._audit is not None:
            self._keep(self._supervised("audit", self._audit.run))
        for taker in self._takers:
            self._keep(self._supervised(type(taker).__name__.lower(), taker.run))
        for task in self._service.tasks:
            name = getattr(task, "__name__", type(task).__name__)
            self._keep(self._supervised(name, lambda act=task: act(self.runtime)))  # type: ignore[misc]

    def _supervised(self, name: str, act: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        settings = self.runtime.settings
        return asyncio.create_task(
            supervise(name, act, self.runtime.health, settings.service), name=name
        )

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _drain(self) -> None:
        """Stop taking, finish what is in hand, and let the last events out."""
        await _cancel({task for task in (self._starting,) if task})
        await asyncio.gather(
            self._http.stop(),
            *(taker.stop() for taker in self._takers),
            *([self._rpc.stop(DRAIN_S)] if self._rpc else []),
        )
        await _cancel(self._running)
        if self._audit is not None:
            await self._audit.flush()
        if self._relay is not None and self._relaying is not None:
            await self._relay.stop()
            await asyncio.wait({self._relaying})


def waits_for(error: Exception) -> str | None:
    """What a failed start waits for, or None when waiting is no use."""
    if outage := outage_of(error):
        return outage.detail
    if isinstance(error, DependencyNotReady):
        return error.detail
    if getattr(getattr(error, "orig", error), "sqlstate", None) in _NOT_MIGRATED:
        return "The database is not migrated yet."
    return None


_NOT_MIGRATED = frozenset({"3F000", "42P01", "42501", "42703"})
"""SQL states of an absent schema, table, grant or column."""


def servicers_of(service: Service) -> list[Callable[[grpc.aio.Server, Runtime], None]]:
    """What answers siblings: the service's own servicers and, where it emits events, their archive."""
    servicers = list(service.servicers)
    if service.settings.database_url and service.settings.service in events.producers():
        from kourse.kit.rpc import archive

        servicers.append(archive.register)
    return servicers


def forwarder_of(service: Service, runtime: Runtime) -> Forwarder | None:
    """What hands the service's entries to the audit trail; None where no trail is within reach."""
    settings = runtime.settings
    if service.trail is None and not settings.identity_rpc_addr:
        return None
    from kourse.kit.audit.forwarding import Forwarder
    from kourse.kit.rpc.trail import RpcTrail

    trail = service.trail(runtime) if service.trail else RpcTrail(runtime)
    worker = runtime.worker_database if settings.worker_database_url else None
    return Forwarder(settings.service, trail, runtime.denials, worker)


def consumers_of(service: Service, runtime: Runtime) -> list[Any]:
    """What takes the service's events and work."""
    takers: list[Any] = []
    if service.handlers is not None:
        from kourse.kit.inbox import Consumer, Handlers, Pace
        from kourse.kit.rpc.archive import RpcArchive

        made = service.handlers
        handlers = made if isinstance(made, Handlers) else made(runtime)
        settings = runtime.settings
        takers.append(
            Consumer(
                runtime.database,
                runtime.broker,
                handlers,
                cache=runtime.cache if settings.cache_url else None,
                worker=runtime.worker_database if settings.worker_database_url else None,
                archive=RpcArchive(runtime),
                pace=Pace(gap_s=settings.gap_s),
            )
        )
    if service.work:
        from kourse.kit.work import WorkQueue

        takers.extend(WorkQueue(runtime.broker, work, runtime) for work in service.work)
    return takers


def watch_back_ends(runtime: Runtime, service: Service) -> None:
    """Let readiness ask every back end that is configured and used."""
    settings = runtime.settings
    has_events = bool(service.handlers or service.work or settings.worker_database_url)
    for name, (setting, client, method) in _BACK_ENDS.items():
        if getattr(settings, setting) and (has_events or name != "broker"):
            is_needed = name in service.needs
            runtime.health.watch(name, _asking(runtime, client, method), required=is_needed)
    if settings.broker_url and has_events:
        runtime.health.watch("topology", partial(_compare_topology, runtime), required=False)


def _note_denied_call(runtime: Runtime, caller: str, tenant: str, method: str) -> None:
    where = tenant or runtime.settings.default_tenant
    actor = f"service:{caller}"
    runtime.denials.note(tenant=where, actor=actor, target=method, route=method)


async def _compare_topology(runtime: Runtime) -> None:
    if runtime.broker.mismatches:
        raise Degraded("; ".join(runtime.broker.mismatches))


_BACK_ENDS = {
    "database": ("database_url", "database", "ping"),
    "broker": ("broker_url", "broker", "ping"),
    "cache": ("cache_url", "cache", "ping"),
    "token_store": ("token_store_url", "token_store", "ping"),
    "keys": ("jwks_url", "verifier", "ready"),
}


def _asking(runtime: Runtime, client: str, method: str) -> Callable[[], Awaitable[object]]:
    async def ask() -> None:
        await getattr(getattr(runtime, client), method)()

    return ask


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
