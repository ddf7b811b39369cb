"""The description of a service's API: problems, permissions and the bearer token are part of it."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from kourse.contracts.examples import VALUES
from kourse.kit.http.examples import add_examples
from kourse.kit.http.models import Problem
from kourse.kit.http.problems import MEDIA_TYPE
from kourse.kit.http.routes import Demand, routes_of

_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_FAILURE = {
    "description": "A failure, as a problem document (RFC 9457); `code` says which.",
    "content": {MEDIA_TYPE: {"schema": _PROBLEM}},
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        _add_problems(document)
        for demand in routes_of(app.router):
            operation = document["paths"].get(demand.path, {}).get(demand.method.lower())
            if operation is not None:
                _add_demand(operation, demand)
        add_examples(document, VALUES)
        app.openapi_schema = document
    return app.openapi_schema


def _add_problems(document: dict[str, Any]) -> None:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    for operations in document.get("paths", {}).values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = _FAILURE


def _add_demand(operation: dict[str, Any], demand: Demand) -> None:
    operation["x-permission"] = demand.word
    operation["security"] = [] if demand.permission is None else [{"bearer": []}]
