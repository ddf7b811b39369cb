"""The route table: what the gateway offers, found by path in time that does not grow with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kourse.contracts.permissions import Permission
from kourse.kit.auth import Actor
from kourse.kit.http.routes import PUBLIC

TABLE = Path(__file__).with_name("routes.json")


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one address.

    Attributes:
        method: HTTP method.
        path: Template, as ``/v1/courses/{course}``.
        service: Who answers.
        permission: What the caller needs, or None for public routes.
        scoped: Whether holding it for some course or cohort lets one in; the service asks for which.
        by_place: Whether a place in a cohort, which the service knows, may let one in as well.
        patient: Whether its answer may take long.
        streams: Whether its answer goes on until somebody ends it.
    """

    method: str
    path: str
    service: str
    permission: Permission | None
    scoped: bool = False
    patient: bool = False
    streams: bool = False
    by_place: bool = False

    def admits(self, actor: Actor) -> bool:
        """Whether what the actor holds is enough to come this far."""
        if self.permission is None or self.by_place:
            return True
        held = actor.holds_somewhere if self.scoped else actor.holds
        return held(self.permission)


@dataclass
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    parameter: _Node | None = None
    methods: dict[str, Route] = field(default_factory=dict)


class RouteTable:
    """Routes by path; a literal segment wins over a parameter."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._root = _Node()
        for route in self.routes:
            self._insert(route)

    def find(self, path: str) -> Mapping[str, Route]:
        """The routes at a decoded path, by method; none where there is nothing."""
        node = _descend(self._root, path.split("/")[1:])
        return node.methods if node else {}

    def _insert(self, route: Route) -> None:
        node = self._root
        for segment in route.path.split("/")[1:]:
            if segment.startswith("{"):
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        node.methods[route.method] = route


def load_table(path: Path = TABLE) -> RouteTable:
    """The generated table.

    Raises:
        ValueError: It names a permission that is not in the catalog.
    """
    rows: list[dict[str, Any]] = json.loads(path.read_bytes())
    return RouteTable(_route(row) for row in rows)


def _route(row: Mapping[str, Any]) -> Route:
    word = row["permission"]
    permission = None if word == PUBLIC else Permission(word)
    names = ("scoped", "by_place", "patient", "streams")
    flags = {name: row.get(name, False) for name in names}
    return Route(row["method"], row["path"], row["service"], permission, **flags)


def _descend(node: _Node, segments: list[str]) -> _Node | None:
    if not segments:
        return node if node.methods else None
    head, rest = segments[0], segments[1:]
    if (literal := node.literals.get(head)) and (found := _descend(literal, rest)):
        return found
    return _descend(node.parameter, rest) if node.parameter and head else None
