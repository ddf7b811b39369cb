"""The gateway's route table, from the services' own routers: what is not in it does not exist."""

from __future__ import annotations

import json
from pathlib import Path

from hack.gen.outputs import ROOT
from hack.gen.services import import_from
from kourse.contracts.names import SERVICES
from kourse.kit.http.routes import INTERNAL, NOTHING, Demand, routes_of
from kourse.kit.operations import operations_router

TABLE = ROOT / "services" / "kourse" / "gateway" / "routes.json"


def files() -> dict[Path, bytes]:
    """The table, one route a line, sorted by path and method.

    Raises:
        ValueError: A route demands nothing, or two services offer the same one.
    """
    rows: dict[tuple[str, str], str] = {}
    for service in SERVICES:
        for demand in _demands(service):
            key = (demand.path, demand.method)
            if key in rows:
                raise ValueError(f"{demand.method} {demand.path} is offered twice")
            rows[key] = json.dumps(_row(service, demand))
    lines = ",\n".join(f"  {row}" for _, row in sorted(rows.items()))
    return {TABLE: f"[\n{lines}\n]\n".encode()}


def _demands(service: str) -> list[Demand]:
    routers = [operations_router(service)]
    if (own := getattr(import_from(service, "api"), "router", None)) is not None:
        routers.append(own)
    demands = [
        demand for router in routers for demand in routes_of(router) if demand.word != INTERNAL
    ]
    if forgotten := [
        f"{demand.method} {demand.path}" for demand in demands if demand.word == NOTHING
    ]:
        raise ValueError(f"{service} names no permission for {forgotten}")
    return demands


def _row(service: str, demand: Demand) -> dict[str, str | bool]:
    row: dict[str, str | bool] = {
        "method": demand.method,
        "path": demand.path,
        "service": service,
        "permission": demand.word,
    }
    names = ("scoped", "by_place", "patient", "streams")
    flags = {name: getattr(demand, name) for name in names}
    return row | {name: True for name, is_set in flags.items() if is_set}
