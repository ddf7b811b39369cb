"""The gateway's application: the data path, its own pages, and the platform's probes."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI
from redis.asyncio import Redis
from starlette.types import ASGIApp, Receive, Scope, Send

from kourse.gateway.clients import Clients
from kourse.gateway.description import Description
from kourse.gateway.edge import ROUTE_KEY, Edge
from kourse.gateway.limits import FailureLimiter, Limiter, Quota
from kourse.gateway.pages import PAGES, pages
from kourse.gateway.settings import GatewaySettings
from kourse.gateway.table import RouteTable, load_table
from kourse.gateway.upstreams import Upstreams
from kourse.kit.http.middleware import PROBES, Guarded, Observed
from kourse.kit.runtime import Runtime, Service


def gateway(settings: GatewaySettings, table: RouteTable | None = None) -> Service:
    """The gateway with these settings, ready to run.

    Args:
        settings: Its settings.
        table: Its routes; by default those generated from the services.
    """
    routes = table or load_table()

    async def set_up(runtime: Runtime) -> None:
        runtime.extras["paths"] = build(runtime, settings, routes)

    return Service(
        settings=settings,
        title="kourse gateway",
        setup=set_up,
        teardown=close,
        needs=frozenset({"keys"}),
        around=around,
    )


@dataclass(frozen=True)
class Paths:
    """What answers, once it is set up."""

    edge: ASGIApp
    pages: ASGIApp
    upstreams: Upstreams


def build(runtime: Runtime, settings: GatewaySettings, table: RouteTable) -> Paths:
    """The parts of the data path; call it inside of the running loop."""
    store = runtime.cache if settings.cache_url else None
    upstreams = Upstreams(settings)
    user = Quota("user", settings.user_quota, settings.user_window.total_seconds())
    failures = Quota("address", settings.failure_quota, settings.failure_window.total_seconds())
    edge = Edge(
        settings=settings,
        table=table,
        verifier=runtime.verifier,
        upstreams=upstreams,
        users=_limiter(user, store, settings),
        failures=FailureLimiter(_limiter(failures, store, settings)),
        clients=Clients(settings.trusted_proxies),
        denials=runtime.denials,
        draining=runtime.health.draining,
    )
    description = Description(upstreams, table, settings.description_ttl.total_seconds())
    return Paths(edge, pages(description), upstreams)


async def close(runtime: Runtime) -> None:
    """End the connections to the services."""
    paths: Paths | None = runtime.extras.get("paths")
    if paths is not None:
        await paths.upstreams.close()


def around(runtime: Runtime, probes: FastAPI) -> ASGIApp:
    """The kit's application for probes, with the gateway's own around it."""

    async def choose(scope: Scope, receive: Receive, send: Send) -> None:
        paths: Paths = runtime.extras["paths"]
        path = scope["path"]
        is_page = path == PAGES[0] or path == PAGES[1] or path.startswith(f"{PAGES[1]}/")
        await (paths.pages if is_page else paths.edge)(scope, receive, send)

    guarded = Guarded(choose, runtime.health)
    observed = Observed(guarded, "gateway", lambda scope: scope.get(ROUTE_KEY), is_edge=True)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        answer = probes if scope.get("path") in PROBES else observed
        await answer(scope, receive, send)

    return app


def _limiter(quota: Quota, store: Redis | None, settings: GatewaySettings) -> Limiter:
    return Limiter(quota, store, replicas=settings.replicas)
