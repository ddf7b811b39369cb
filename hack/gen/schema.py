"""Structural schemas of the Kubernetes API from the models of the resource catalog.

A CRD's schema is stricter than JSON schema: no references, no ``anyOf`` with null, a list type for
every array, and limits everywhere, as the API server multiplies them to price the CEL rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic.alias_generators import to_camel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from kourse.contracts.resources import Document
from kourse.contracts.resources.meta import CelRule

Schema = dict[str, Any]

_KEPT = (
    "type",
    "format",
    "description",
    "enum",
    "default",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
)
_LIST_KEYS = "x-list-keys"
_RULES = "x-kubernetes-validations"
_INT32_MAX = 2**31 - 1


class NotStructural(ValueError):
    """A model cannot become a structural schema that the project's rules accept."""


class _Annotated(GenerateJsonSchema):
    """JSON schema that carries the rules and list keys of each document."""

    def model_schema(self, schema: core_schema.ModelSchema) -> Schema:
        """JSON schema of one document, with what only its class knows."""
        made = super().model_schema(schema)
        model: type[Document] = schema["cls"]
        made[_LIST_KEYS] = {to_camel(name): key for name, key in model.list_map_keys.items()}
        if model.cel_rules:
            made[_RULES] = [validation(rule) for rule in model.cel_rules]
        return made


def validation(rule: CelRule) -> Schema:
    """One entry of ``x-kubernetes-validations``."""
    wire = {to_camel(name): value for name, value in asdict(rule).items() if value}
    return {"rule": wire.pop("rule"), "message": wire.pop("message"), **wire}


def structural(model: type[Document]) -> Schema:
    """Structural schema of a spec or status.

    Raises:
        NotStructural: A field lacks a description or a limit, or has a type that CRDs cannot have.
    """
    whole = model.model_json_schema(by_alias=True, schema_generator=_Annotated)
    return _node(whole, whole.get("$defs", {}), model.__name__)


def _node(raw: Mapping[str, Any], defs: Mapping[str, Any], path: str, key: str = "") -> Schema:
    """Structural form of one node; ``key`` is the field that identifies entries of a list."""
    flat = _flatten(raw, defs)
    node = {name: flat[name] for name in _KEPT if flat.get(name) is not None}
    if "description" not in node:
        raise NotStructural(f"{path} has no description")
    match node.get("type"):
        case "object":
            node |= _object(flat, defs, path)
        case "array":
            node |= _array(flat, defs, path, key)
        case "string":
            _check_string(node, path)
        case "integer":
            node["format"] = (
                "int32" if node.get("maximum", _INT32_MAX + 1) <= _INT32_MAX else "int64"
            )
        case other:
            raise NotStructural(f"{path} has the type {other}")
    return node


def _flatten(raw: Mapping[str, Any], defs: Mapping[str, Any]) -> Schema:
    """The node with its reference and its "or null" replaced by what they stand for."""
    node = dict(raw)
    choices = [choice for choice in node.pop("anyOf", []) if choice.get("type") != "null"]
    if len(choices) > 1:
        raise NotStructural(f"a choice of types cannot be declared: {raw}")
    if "$ref" in node:
        choices.append(defs[node.pop("$ref").removeprefix("#/$defs/")])
    for choice in choices:
        node = {**_flatten(choice, defs), **node}
    return node


def _object(flat: Schema, defs: Mapping[str, Any], path: str) -> Schema:
    if flat.get("additionalProperties") is not False:
        raise NotStructural(f"{path} is a free-form map")
    keys, required = flat[_LIST_KEYS], flat.get("required", [])
    properties = {}
    for name, raw in flat["properties"].items():
        made = _node(raw, defs, f"{path}.{name}", keys.get(name, ""))
        if name not in required and "anyOf" not in raw and (inner := _defaults(made)):
            made["default"] = inner
        properties[name] = made
    node: Schema = {"properties": properties}
    if required:
        node["required"] = required
    if _RULES in flat:
        node[_RULES] = flat[_RULES]
    return node


def _defaults(node: Schema) -> Schema:
    """What an absent object stands for: the defaults of its fields, written out as rules see them."""
    fields = node.get("properties", {}).items() if node["type"] == "object" else ()
    return {name: field["default"] for name, field in fields if "default" in field}


def _array(flat: Schema, defs: Mapping[str, Any], path: str, key: str) -> Schema:
    if "maxItems" not in flat:
        raise NotStructural(f"{path} has no limit of entries")
    entry = _flatten(flat["items"], defs)
    items = _node({"description": flat["description"], **entry}, defs, f"{path}[]")
    node: Schema = {"items": items}
    if items["type"] != "object":
        del items["description"]
        node["x-kubernetes-list-type"] = "set"
    elif key:
        node |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}
    else:
        node["x-kubernetes-list-type"] = "atomic"
    return node


def _check_string(node: Schema, path: str) -> None:
    if not {"enum", "maxLength"} & node.keys() and node.get("format") != "date-time":
        raise NotStructural(f"{path} has no limit of length")
