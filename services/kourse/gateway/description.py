"""One description of the whole API, gathered from the services that are there."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson

from kourse.gateway.table import RouteTable
from kourse.gateway.upstreams import Upstream, Upstreams
from kourse.kit.telemetry import get_logger
from kourse.kit.telemetry.metrics import build_info

FETCH_TIMEOUT_S = 5.0
"""Time for one service, which makes its description when it is first asked."""
RETRY_S = 5.0
"""Time for which a description with gaps is kept."""
_SHARED = frozenset({"Problem", "FieldError"})
_REFERENCE = re.compile(r'"#/components/schemas/([^"]+)"')
log = get_logger(__name__)


class Description:
    """The merged OpenAPI document, kept for a while; a service that is down keeps its last part.

    Args:
        upstreams: The services.
        table: Only what is in it is described.
        ttl_s: Seconds for which a complete document is kept.
    """

    def __init__(self, upstreams: Upstreams, table: RouteTable, ttl_s: float) -> None:
        self._upstreams = upstreams
        self._table = table
        self._ttl_s = ttl_s
        self._parts: dict[str, dict[str, Any]] = {}
        self._made: dict[str, Any] = {}
        self._until = 0.0
        self._lock = asyncio.Lock()

    async def document(self) -> dict[str, Any]:
        """The description now."""
        async with self._lock:
            if time.monotonic() >= self._until:
                complete = await self._gather()
                self._made = merge(self._parts, self._table)
                self._until = time.monotonic() + (self._ttl_s if complete else RETRY_S)
            return self._made

    async def _gather(self) -> bool:
        """Renew the parts; whether every service gave its own."""
        services = self._upstreams.all()
        parts = await asyncio.gather(*(_fetch(upstream) for upstream in services))
        for upstream, part in zip(services, parts, strict=True):
            if part is not None:
                self._parts[upstream.name] = part
        return all(part is not None for part in parts)


def merge(parts: Mapping[str, dict[str, Any]], table: RouteTable) -> dict[str, Any]:
    """One document of the services' documents, with only the table's routes in it."""
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {}
    for service, part in sorted(parts.items()):
        unambiguous = _with_own_names(service, part)
        schemas.update(unambiguous.get("components", {}).get("schemas", {}))
        for path, operations in unambiguous.get("paths", {}).items():
            offered = {
                method: {"tags": [service], **operation}
                for method, operation in operations.items()
                if _is_offered(table, service, path, method)
            }
            if offered:
                paths.setdefault(path, {}).update(offered)
    return {
        "openapi": "3.1.0",
        "info": {"title": "kourse", "version": build_info()["version"]},
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


async def _fetch(upstream: Upstream) -> dict[str, Any] | None:
    try:
        async with (
            asyncio.timeout(FETCH_TIMEOUT_S),
            upstream.session.get(f"{upstream.address}/openapi.json") as response,
        ):
            found = orjson.loads(await response.read())
            return found if isinstance(found, dict) and "paths" in found else None
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        log.warning("no description", upstream=upstream.name, error=type(error).__name__)
        return None


def _with_own_names(service: str, part: dict[str, Any]) -> dict[str, Any]:
    """The part with its schemas named after the service, so that equal names never meet."""

    def rename(match: re.Match[str]) -> str:
        name = match[1]
        return match[0] if name in _SHARED else f'"#/components/schemas/{service}.{name}"'

    renamed: dict[str, Any] = json.loads(_REFERENCE.sub(rename, json.dumps(part)))
    schemas = renamed.get("components", {}).get("schemas", {})
    own = {name if name in _SHARED else f"{service}.{name}": s for name, s in schemas.items()}
    return {**renamed, "components": {"schemas": own}}


def _is_offered(table: RouteTable, service: str, path: str, method: str) -> bool:
    return any(
        (route.path, route.method.lower(), route.service) == (path, method, service)
        for route in table.routes
    )
