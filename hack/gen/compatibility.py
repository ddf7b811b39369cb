"""Whether readers of one form of a payload understand the other, in both directions.

Backward: what was written by the old form is read by the new one. Forward: what the new form writes is
read by those who know the old one, and who ignore fields that they do not know. So fields that may be
absent can come in at any time, and everything else that a reader could notice needs another version.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hack.gen.samples import Schema, resolved

PLANNED = "x-planned"
_PROMISES = ("x-stream", "x-subject", "x-private")
_LIMITS = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
)
_ABSENT = object()


def breaks(old: Schema, new: Schema) -> list[str]:
    """Each change that some reader would trip over, as ``field: what and whom``; empty when none."""
    if new.get(PLANNED) and not old.get(PLANNED):
        return [f"{PLANNED}: it was published, and cannot be a plan again"]
    promises = [
        f"{name}: changed from {old.get(name)} to {new.get(name)}"
        for name in _PROMISES
        if old.get(name) != new.get(name)
    ]
    compared = _Comparison(old.get("$defs", {}), new.get("$defs", {}))
    return promises + list(compared.node("", old, new))


class _Comparison:
    """A walk over both forms side by side."""

    def __init__(self, old_defs: Schema, new_defs: Schema) -> None:
        self._old_defs = old_defs
        self._new_defs = new_defs

    def node(self, path: str, old: Schema, new: Schema) -> Iterator[str]:
        before, was_nullable = resolved(old, self._old_defs)
        after, is_nullable = resolved(new, self._new_defs)
        if was_nullable and not is_nullable:
            yield f"{path}: null was allowed, so old payloads no longer pass"
        if is_nullable and not was_nullable:
            yield f"{path}: null is new, and means nothing to older readers"
        if _type(before) != _type(after):
            yield f"{path}: changed from {_type(before)} to {_type(after)}"
            return
        yield from _values(path, before, after)
        yield from _limits(path, before, after)
        yield from self._inside(path, before, after)

    def _inside(self, path: str, before: Schema, after: Schema) -> Iterator[str]:
        if "properties" in before or "properties" in after:
            yield from self._fields(path, before, after)
        for inner in ("items", "additionalProperties"):
            if isinstance(before.get(inner), dict) and isinstance(after.get(inner), dict):
                yield from self.node(f"{path}[]", before[inner], after[inner])
            elif before.get(inner) != after.get(inner):
                yield f"{path}[]: what may be in it changed"

    def _fields(self, path: str, before: Schema, after: Schema) -> Iterator[str]:
        old, new = before.get("properties", {}), after.get("properties", {})
        needed, needs = set(before.get("required", ())), set(after.get("required", ()))
        for name in sorted(old.keys() - new.keys()):
            yield f"{_join(path, name)}: removed, but older readers use it"
        for name in sorted(needs - needed):
            yield f"{_join(path, name)}: required now, but old payloads may lack it"
        for name in sorted((needed & new.keys()) - needs):
            yield f"{_join(path, name)}: optional now, but older readers need it"
        for name in sorted(old.keys() & new.keys()):
            yield from self.node(_join(path, name), old[name], new[name])


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _type(node: Schema) -> str:
    """Type with format, in words."""
    return " ".join(str(node[key]) for key in ("type", "format") if key in node)


def _values(path: str, before: Schema, after: Schema) -> Iterator[str]:
    """What a field can say, and what its absence says."""
    old, new = _allowed(before), _allowed(after)
    if old is None and new is not None:
        yield f"{path}: only some values are allowed now, so old payloads may not pass"
    elif new is None and old is not None:
        yield f"{path}: any value is allowed now, which older readers do not know"
    elif old is not None and new is not None:
        if gone := sorted(map(str, old - new)):
            yield f"{path}: {', '.join(gone)} removed, so old payloads may not pass"
        if come := sorted(map(str, new - old)):
            yield f"{path}: {', '.join(come)} added, which older readers do not know"
    if before.get("default", _ABSENT) != after.get("default", _ABSENT):
        yield (
            f"{path}: its absence means {after.get('default', 'nothing')!r} now, "
            f"and meant {before.get('default', 'nothing')!r}"
        )


def _allowed(node: Schema) -> set[Any] | None:
    if "const" in node:
        return {node["const"]}
    return set(node["enum"]) if "enum" in node else None


def _limits(path: str, before: Schema, after: Schema) -> Iterator[str]:
    for name in _LIMITS:
        if before.get(name) != after.get(name):
            yield f"{path}: {name} changed from {before.get(name)} to {after.get(name)}"
