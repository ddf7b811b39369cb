"""Examples for the API's description, composed from what fields say and from a vocabulary of values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
_REFERENCE = "#/components/schemas/"
_BY_FORMAT = {
    "uuid": "0192f1c4-5b1a-7c3e-9d52-3f1f6a0c4e11",
    "date-time": "2026-11-16T08:00:00Z",
    "date": "2026-11-16",
    "uri": "https://learn.example.org/",
    "binary": "…",
}
_EXACT = frozenset({"uuid", "date-time", "date"})
"""Formats of which every field looks the same, whatever its name."""
_USUAL_NUMBER = 3
_DEEPEST = 12
_KEY = "key"


class NoExample(LookupError):
    """Nothing says what a value of the schema looks like; the message names the field."""


class Examples:
    """Composes examples of schemas.

    A schema's own ``examples`` come first, then a constant, the first allowed value, the vocabulary's value
    for the field's name, and what the format or the bounds suggest.

    Args:
        schemas: The document's schemas by name.
        vocabulary: Values by the name of a field or parameter; where a name has several meanings, all
            their values in a tuple, of which the first that fits is taken.
    """

    def __init__(self, schemas: Mapping[str, Schema], vocabulary: Mapping[str, object]) -> None:
        self._schemas = schemas
        self._vocabulary = vocabulary

    def of(self, schema: Schema, name: str, depth: int = 0) -> object:
        """An example of the schema, as JSON.

        Args:
            schema: What it has to fit.
            name: The field or parameter that it is for.
            depth: How many schemas it lies within.

        Raises:
            NoExample: Nothing says what some text in it looks like.
        """
        if "$ref" in schema:
            return self.of(self._schemas[schema["$ref"].removeprefix(_REFERENCE)], name, depth + 1)
        for given in (schema.get("examples"), schema.get("enum")):
            if given:
                return given[0]
        if "const" in schema:
            return schema["const"]
        branches = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if branches:
            return self._first(branches, name, depth)
        return self._of_type(schema, name, depth)

    def _first(self, branches: list[Schema], name: str, depth: int) -> object:
        """Of the first branch that has one; null is the last resort."""
        refusal = NoExample(name)
        for branch in sorted(branches, key=lambda one: one.get("type") == "null"):
            try:
                return self.of(branch, name, depth + 1)
            except NoExample as error:
                refusal = error
        raise refusal

    def _of_type(self, schema: Schema, name: str, depth: int) -> object:
        match schema.get("type"):
            case "object":
                return self._object(schema, name, depth)
            case "array":
                return self._array(schema, name, depth)
            case "boolean":
                return schema.get("default", True)
            case "null":
                return None
            case "integer" | "number" | "string":
                return self._leaf(schema, name)
        return next(self._words(name, schema), {})

    def _object(self, schema: Schema, name: str, depth: int) -> object:
        if depth > _DEEPEST:
            raise NoExample(f"{name}: the schema contains itself.")
        fields = schema.get("properties", {})
        if fields:
            return {key: self.of(field, key, depth + 1) for key, field in fields.items()}
        values = schema.get("additionalProperties")
        if isinstance(values, Mapping) and values:
            key = str(self.of(schema.get("propertyNames", {"type": "string"}), _KEY, depth + 1))
            return {key: self.of(values, name, depth + 1)}
        return {}

    def _array(self, schema: Schema, name: str, depth: int) -> object:
        items = schema.get("items", {})
        try:
            return [self.of(items, name, depth + 1)]
        except NoExample:
            if schema.get("minItems"):
                raise
            return []

    def _leaf(self, schema: Schema, name: str) -> object:
        if schema.get("format") in _EXACT:
            return _BY_FORMAT[schema["format"]]
        for word in self._words(name, schema):
            return word
        if schema["type"] != "string":
            return _number(schema)
        if schema.get("format") in _BY_FORMAT:
            return _BY_FORMAT[schema["format"]]
        if schema.get("default"):
            return schema["default"]
        raise NoExample(name)

    def _words(self, name: str, schema: Schema) -> Iterator[object]:
        """What the vocabulary has for the name and the schema allows."""
        known = self._vocabulary.get(name, ())
        for word in known if isinstance(known, tuple) else (known,):
            if _fits(word, schema):
                yield word


def add_examples(document: dict[str, Any], vocabulary: Mapping[str, object]) -> None:
    """Bodies, successful answers and parameters of the document have examples, where there is any.

    Args:
        document: An OpenAPI document, changed in place.
        vocabulary: As of :class:`Examples`.
    """
    examples = Examples(document["components"]["schemas"], vocabulary)
    for operations in document.get("paths", {}).values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                _show(parameter, examples, parameter["name"])
            for content in _contents(operation):
                _show(content, examples, "body")


def _contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Media types of the body and of the answers that mean success."""
    yield from operation.get("requestBody", {}).get("content", {}).values()
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            yield from answer.get("content", {}).values()


def _show(place: dict[str, Any], examples: Examples, name: str) -> None:
    if "schema" not in place or "example" in place or "examples" in place:
        return
    try:
        place["example"] = examples.of(place["schema"], name)
    except NoExample:
        return


def _number(schema: Schema) -> float:
    """The usual number, or the nearest that the bounds allow."""
    least: float = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    most: float = schema.get("maximum", schema.get("exclusiveMaximum", least + _USUAL_NUMBER))
    usual = _USUAL_NUMBER if schema["type"] == "integer" else most
    return max(least, min(usual, most))


def _fits(word: object, schema: Schema) -> bool:
    match schema.get("type"):
        case "string":
            return isinstance(word, str) and _fits_text(word, schema)
        case "integer":
            return isinstance(word, int) and _lies_within(word, schema)
        case "number":
            return isinstance(word, int | float) and _lies_within(word, schema)
    return True


def _fits_text(word: str, schema: Schema) -> bool:
    long_enough = schema.get("minLength", 0) <= len(word) <= schema.get("maxLength", len(word))
    return long_enough and re.search(schema.get("pattern", ""), word) is not None


def _lies_within(word: float, schema: Schema) -> bool:
    return bool(schema.get("minimum", word) <= word <= schema.get("maximum", word))
