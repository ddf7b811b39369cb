"""Circles among prerequisites, of skills in a course and of courses in a tenant."""

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


def any_cycle(edges: Mapping[str, Iterable[str]]) -> list[str] | None:
    """A circle, or None when there is none; the same one for the same edges."""
    for start in edges:
        found = cycle_through(start, edges)
        if found is not None:
            return found
    return None
