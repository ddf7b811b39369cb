"""Payloads made from a JSON schema, the same each time: for documents, and to be kept as specimens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid5

from kourse.contracts.names import NAMESPACE

Schema = Mapping[str, Any]

_BY_FORMAT = {"date-time": "2026-09-14T08:00:00Z", "date": "2026-09-14"}
_BY_TYPE = {"string": "text", "integer": 1, "number": 0.5, "boolean": True, "null": None}


def payload(schema: Schema, *, whole: bool = True) -> dict[str, Any]:
    """A payload that the schema accepts.

    Args:
        schema: Of an event, with its ``$defs``.
        whole: Whether every field is there; else only those that must be.

    Raises:
        KeyError: The schema has a type that no event uses.
    """
    made: dict[str, Any] = _value("", schema, schema.get("$defs", {}), whole=whole)
    return made


def resolved(node: Schema, defs: Schema) -> tuple[dict[str, Any], bool]:
    """What a node stands for without reference and "or null", and whether it may be null."""
    flat = dict(node)
    choices = flat.pop("anyOf", [])
    nullable = {"type": "null"} in choices
    for choice in choices:
        if choice != {"type": "null"}:
            flat = {**resolved(choice, defs)[0], **flat}
    if "$ref" in flat:
        flat = {**defs[flat.pop("$ref").removeprefix("#/$defs/")], **flat}
    return flat, nullable


def _value(name: str, node: Schema, defs: Schema, *, whole: bool) -> Any:
    flat, _ = resolved(node, defs)
    for stated in ("examples", "enum"):
        if stated in flat:
            return flat[stated][0]
    if whole and flat.get("default"):
        return flat["default"]
    match flat["type"]:
        case "object":
            return _object(name, flat, defs, whole=whole)
        case "array":
            return [_value(name, flat["items"], defs, whole=whole)]
        case kind:
            return _plain(name, kind, flat.get("format"))


def _object(name: str, flat: Schema, defs: Schema, *, whole: bool) -> dict[str, Any]:
    if "properties" not in flat:
        return {"key": _value(name, flat["additionalProperties"], defs, whole=whole)}
    fields = flat["properties"]
    wanted = fields if whole else flat.get("required", ())
    return {key: _value(key, fields[key], defs, whole=whole) for key in wanted}


def _plain(name: str, kind: str, format_: str | None) -> Any:
    if format_ == "uuid":
        return str(uuid5(NAMESPACE, f"example/{name}"))
    return _BY_FORMAT[format_] if format_ else _BY_TYPE[kind]
