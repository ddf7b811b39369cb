"""OpenAPI 3.1 as 3.0, for readers that know no better."""

from __future__ import annotations

from typing import Any


def to_30(document: dict[str, Any]) -> dict[str, Any]:
    """The same description in version 3.0.3."""
    lowered: dict[str, Any] = _lower(document)
    return {**lowered, "openapi": "3.0.3"}


def _lower(value: Any) -> Any:
    if isinstance(value, list):
        return [_lower(item) for item in value]
    if not isinstance(value, dict):
        return value
    node = {name: _lower(item) for name, item in value.items()}
    for change in (_nullable, _constant, _exclusive, _tuple):
        node = change(node)
    return node


def _nullable(node: dict[str, Any]) -> dict[str, Any]:
    choices = node.get("anyOf")
    if not isinstance(choices, list) or {"type": "null"} not in choices:
        return node
    kept = [choice for choice in choices if choice != {"type": "null"}]
    rest = {name: item for name, item in node.items() if name != "anyOf"}
    if len(kept) == 1 and "$ref" not in kept[0]:
        return {**kept[0], **rest, "nullable": True}
    return {**rest, "anyOf": kept, "nullable": True}


def _constant(node: dict[str, Any]) -> dict[str, Any]:
    if "const" in node and not isinstance(node["const"], dict):
        return {**{k: v for k, v in node.items() if k != "const"}, "enum": [node["const"]]}
    return node


def _exclusive(node: dict[str, Any]) -> dict[str, Any]:
    for name, plain in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        bound = node.get(name)
        if isinstance(bound, int | float) and not isinstance(bound, bool):
            node = {**node, name: True, plain: bound}
    return node


def _tuple(node: dict[str, Any]) -> dict[str, Any]:
    if isinstance(node.get("prefixItems"), list):
        rest = {name: item for name, item in node.items() if name != "prefixItems"}
        return {**rest, "items": rest.get("items") or {}}
    return node
