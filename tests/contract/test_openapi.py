"""The services' descriptions are whole, and fit together into one."""

from importlib import import_module

import pytest
from jsonschema import Draft202012Validator

from kourse.contracts.examples import SPECS
from kourse.contracts.names import SERVICES
from kourse.contracts.resources import KINDS
from kourse.gateway.description import merge
from kourse.gateway.downgrade import to_30
from kourse.gateway.table import load_table
from kourse.kit.http import create_app
from kourse.kit.http.openapi import describe
from kourse.kit.runtime import Runtime
from kourse.kit.settings import ServiceSettings


def description(service):
    """The document that the service serves."""
    settings = type("AnySettings", (ServiceSettings,), {}, service=service)(
        port=0, database_url="postgresql+psycopg://nobody@localhost/none"
    )
    router = import_module(f"kourse.{service}.api").router
    return describe(create_app(Runtime(settings), [router], title=f"kourse {service}"))


@pytest.fixture(scope="module")
def parts():
    return {service: description(service) for service in SERVICES}


@pytest.fixture(scope="module")
def merged(parts):
    return merge(parts, load_table())


def operations(document):
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


class TestMergedDescription:
    def test_has_every_route_of_the_table(self, merged):
        offered = {f"{route.method} {route.path}" for route in load_table().routes}

        assert set(operations(merged)) == offered

    def test_has_one_id_for_each_operation(self, merged):
        ids = [operation["operationId"] for operation in operations(merged).values()]

        assert len(set(ids)) == len(ids)

    def test_says_for_each_operation_what_it_does_and_how_it_fails(self, merged):
        for name, operation in operations(merged).items():
            assert operation.get("description") or operation.get("summary"), name
            assert "application/problem+json" in operation["responses"]["default"]["content"], name

    def test_asks_for_a_token_exactly_where_the_table_does(self, merged):
        for route in load_table().routes:
            operation = merged["paths"][route.path][route.method.lower()]
            assert bool(operation["security"]) == (route.permission is not None), route

    def test_refers_to_nothing_that_is_not_there(self, merged):
        schemas = set(merged["components"]["schemas"])

        assert set(references(merged)) <= schemas

    def test_can_be_told_in_version_3_0(self, merged):
        older = to_30(merged)

        assert older["openapi"] == "3.0.3"
        assert "null" not in set(types(older))


class TestExample:
    def test_is_there_for_each_body_and_each_parameter(self, merged):
        bare = [where for where, place in places(merged) if "example" not in place]

        assert not bare, "name these in kourse.contracts.examples, or give the field examples"

    def test_fits_what_it_is_an_example_of(self, merged):
        for where, place in places(merged):
            schema = {**place["schema"], "components": merged["components"]}
            assert not list(Draft202012Validator(schema).iter_errors(place["example"])), where

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
    def test_of_a_document_is_one_that_the_resource_takes(self, kind):
        kind.spec.model_validate(SPECS[kind.kind])


def places(document):
    """Where the description shows a value: parameters, bodies and answers that mean success."""
    for name, operation in operations(document).items():
        for parameter in operation.get("parameters", []):
            yield f"{name} {parameter['name']}", parameter
        answers = {code: one for code, one in operation["responses"].items() if code[0] == "2"}
        for what, part in {"body": operation.get("requestBody", {}), **answers}.items():
            for media_type, content in part.get("content", {}).items():
                yield f"{name} {what} {media_type}", content


def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].removeprefix("#/components/schemas/")
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from references(item)


def types(node):
    if isinstance(node, dict):
        if isinstance(node.get("type"), str):
            yield node["type"]
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from types(item)
