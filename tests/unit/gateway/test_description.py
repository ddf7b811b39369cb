"""The services' descriptions become one, with the table's routes only."""

from kourse.gateway.description import merge
from kourse.gateway.downgrade import to_30
from kourse.gateway.table import Route, RouteTable


def part(service, *paths):
    reference = {"$ref": "#/components/schemas/View"}
    problem = {"$ref": "#/components/schemas/Problem"}
    operation = {
        "operationId": f"{service}_read",
        "responses": {"200": reference, "default": problem},
    }
    return {
        "paths": {path: {"get": operation, "post": operation} for path in paths},
        "components": {"schemas": {"View": {"title": service}, "Problem": {}}},
    }


TABLE = RouteTable([Route("GET", "/v1/a", "course", None), Route("GET", "/v1/b", "profile", None)])


class TestMerge:
    def test_describes_routes_of_the_table_only(self):
        document = merge({"course": part("course", "/v1/a", "/v1/hidden")}, TABLE)

        assert {path: set(item) for path, item in document["paths"].items()} == {"/v1/a": {"get"}}
        assert document["paths"]["/v1/a"]["get"]["tags"] == ["course"]

    def test_keeps_schemas_of_the_same_name_apart(self):
        document = merge(
            {"course": part("course", "/v1/a"), "profile": part("profile", "/v1/b")}, TABLE
        )

        assert set(document["components"]["schemas"]) == {"course.View", "profile.View", "Problem"}
        responses = document["paths"]["/v1/b"]["get"]["responses"]
        assert responses["200"] == {"$ref": "#/components/schemas/profile.View"}
        assert responses["default"] == {"$ref": "#/components/schemas/Problem"}

    def test_ignores_an_address_that_another_service_owns(self):
        assert merge({"profile": part("profile", "/v1/a")}, TABLE)["paths"] == {}


class TestTo30:
    def test_says_the_same_in_older_words(self):
        new = {
            "openapi": "3.1.0",
            "a": {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "A"},
            "b": {"const": "x"},
            "c": {"exclusiveMinimum": 0},
            "d": {"anyOf": [{"$ref": "#/x"}, {"type": "null"}]},
            "e": {"prefixItems": [{}], "type": "array"},
        }

        assert to_30(new) == {
            "openapi": "3.0.3",
            "a": {"type": "string", "title": "A", "nullable": True},
            "b": {"enum": ["x"]},
            "c": {"exclusiveMinimum": True, "minimum": 0},
            "d": {"anyOf": [{"$ref": "#/x"}], "nullable": True},
            "e": {"type": "array", "items": {}},
        }
