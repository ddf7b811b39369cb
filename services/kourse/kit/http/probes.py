"""Addresses for the platform that runs the service: probes, metrics, what was built."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from kourse.kit.http.health import Health, State
from kourse.kit.telemetry.metrics import build_info


def probe_router(health: Health) -> APIRouter:
    """Routes without authentication and outside of the API's description."""
    router = APIRouter(include_in_schema=False)

    @router.get("/livez")
    async def livez() -> Response:
        """The event loop turns; back ends are no reason to be restarted."""
        return _json({"status": "alive"})

    @router.get("/readyz")
    async def readyz() -> Response:
        """Requests can be served; says what is missing."""
        is_ready, states = await health.is_ready()
        return _states(states, is_good=is_ready)

    @router.get("/startupz")
    async def startupz() -> Response:
        """The start is done; says what it waits for."""
        return _states(await health.components(), is_good=health.is_started)

    @router.get("/metrics")
    async def metrics() -> Response:
        """Prometheus' text format; back ends are asked for it, as nobody else may ask."""
        await health.components()
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @router.get("/buildinfo")
    async def buildinfo() -> Response:
        """Version and revision."""
        return _json(build_info())

    return router


def _states(states: dict[str, State], *, is_good: bool) -> Response:
    components = {
        name: "ok" if state.works else state.reason or "failed"
        for name, state in sorted(states.items())
    }
    missing = sorted(name for name, state in states.items() if not state.works)
    body = {
        "status": "ok" if is_good else "not ready",
        "missing": missing,
        "components": components,
    }
    return _json(body, 200 if is_good else 503)


def _json(body: Any, status: int = 200) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(orjson.dumps(body), status, headers, media_type="application/json")
