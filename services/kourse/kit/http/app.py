"""Builds a service's HTTP application."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic.warnings import UnsupportedFieldAttributeWarning
from starlette.exceptions import HTTPException

from kourse.contracts.errors import KourseError
from kourse.kit.http.middleware import Guarded, Observed
from kourse.kit.http.openapi import describe
from kourse.kit.http.probes import probe_router
from kourse.kit.http.problems import on_http_exception, on_kourse_error, on_validation_error
from kourse.kit.http.routes import NOTHING, routes_of
from kourse.kit.http.strictness import StrictBody
from kourse.kit.telemetry.metrics import build_info

if TYPE_CHECKING:
    from kourse.kit.runtime import Runtime


def create_app(runtime: Runtime, routers: Sequence[APIRouter], *, title: str) -> FastAPI:
    """The application: the routers' routes and the platform's, under the kit's rules.

    Every failure is a problem document, bodies have at most 1 MiB, JSON is read strictly, and
    ``request.app.state.runtime`` is the runtime.

    Args:
        runtime: What routes work with.
        routers: The service's own routes; each route names a permission or says that it is public.
        title: Title of the API's description.

    Raises:
        TypeError: A route neither names a permission nor says that it is public or internal.
    """
    service = runtime.settings.service
    routers = [*routers, *_operations(runtime)]
    _refuse_open_routes(routers)
    app = FastAPI(
        title=title,
        version=build_info()["version"],
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Spans and metrics are made in ``Observed``, for every service and the gateway alike.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        generate_unique_id_function=lambda route: f"{service}_{route.name}",
    )
    app.state.runtime = runtime
    for router in routers:
        app.include_router(router)
    build_bodies(app)
    app.include_router(probe_router(runtime.health))
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    app.add_exception_handler(KourseError, on_kourse_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    if runtime.settings.database_url:
        _replay_answers(app)
    app.add_middleware(StrictBody)
    app.add_middleware(Guarded, health=runtime.health)
    app.add_middleware(Observed, service=service)
    return app


def build_bodies(app: FastAPI) -> None:
    """Build the validators of bodies whose models are built late (``defer_build``) now.

    Else the first request would build them, and warn of the alias that FastAPI gives to every body,
    as FastAPI itself knows and hides where it builds them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)
        for context in iter_route_contexts(app.routes):
            adapter = getattr(getattr(context, "body_field", None), "_type_adapter", None)
            if adapter is not None:
                adapter.rebuild()


def _operations(runtime: Runtime) -> list[APIRouter]:
    """What people may do about the events of a service with storage; loads the database's library."""
    if not runtime.settings.database_url:
        return []
    from kourse.kit.operations import operations_router

    return [operations_router(runtime.settings.service)]


def _replay_answers(app: FastAPI) -> None:
    """Let stored answers be given again; loads the database's library."""
    from kourse.kit.idempotency import Replayed, replay

    app.add_exception_handler(Replayed, replay)  # type: ignore[arg-type]


def _refuse_open_routes(routers: Sequence[APIRouter]) -> None:
    demands = [demand for router in routers for demand in routes_of(router)]
    if forgotten := [f"{item.method} {item.path}" for item in demands if item.word == NOTHING]:
        raise TypeError(f"routes without `allow(...)`, `public` or `internal`: {forgotten}")
