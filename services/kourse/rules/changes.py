"""What differs between two specs, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kourse.contracts.resources import Document


class Difference(NamedTuple):
    """A field with its value before and after, in wire form; None where there is none."""

    path: str
    before: Any
    after: Any


def differences(before: Document, after: Document, path: str = "spec") -> list[Difference]:
    """What differs, in the order of the fields; entries of keyed lists are matched by key.

    Fields at their default equal fields that are left out. A keyed list whose entries only moved differs
    as a whole, by its keys.
    """
    return list(_documents(before, after, path))


def _documents(before: Document, after: Document, path: str) -> Iterator[Difference]:
    for name, info in type(after).model_fields.items():
        where = f"{path}.{info.alias or name}"
        key = type(after).list_map_keys.get(name)
        yield from _values(getattr(before, name), getattr(after, name), where, key)


def _values(before: Any, after: Any, path: str, key: str | None) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, Document) and isinstance(after, Document):
        yield from _documents(before, after, path)
    elif isinstance(before, list) and isinstance(after, list) and key is not None:
        yield from _keyed(_by_key(before, key), _by_key(after, key), path)
    elif _are_documents(before) and _are_documents(after) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _values(old, new, f"{path}[{index}]", None)
    else:
        yield Difference(path, wire(before), wire(after))


def _are_documents(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, Document) for entry in value)


def _by_key(entries: list[Document], key: str) -> dict[str, Document]:
    fields = type(entries[0]).model_fields if entries else {}
    name = next((name for name, info in fields.items() if key in {info.alias, name}), key)
    return {str(getattr(entry, name)): entry for entry in entries}


def _keyed(
    before: Mapping[str, Document], after: Mapping[str, Document], path: str
) -> Iterator[Difference]:
    for key in dict.fromkeys([*before, *after]):
        yield from _values(before.get(key), after.get(key), f"{path}[{key}]", None)
    if list(before) != list(after) and set(before) == set(after):
        yield Difference(path, list(before), list(after))


def wire(value: Any) -> Any:
    """A value as it stands in a manifest."""
    if isinstance(value, Document):
        return value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if isinstance(value, list):
        return [wire(entry) for entry in value]
    return value
