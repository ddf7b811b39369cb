"""Circles among the courses of a tenant that require each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def cycle_through(start: str, edges: Mapping[str, Iterable[str]]) -> list[str] | None:
    """The shortest circle that leads from ``start`` back to it, both ends included, or None."""
    paths = [[start]]
    seen: set[str] = set()
    while paths:
        longer = []
        for path in paths:
            for following in edges.get(path[-1], ()):
                if following == start:
                    return [*path, start]
                if following not in seen:
                    seen.add(following)
                    longer.append([*path, following])
        paths = longer
    return None
