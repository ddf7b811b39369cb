"""What each route demands of its caller, read from the routes themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute, iter_route_contexts

from kourse.contracts.permissions import Permission
from kourse.kit.auth.access import Allow, is_internal, is_public

PUBLIC = "public"
INTERNAL = "internal"
NOTHING = "nothing"


async def is_patient() -> None:
    """Dependency of routes whose answer may take long; the gateway then waits longer."""


patient: Any = Depends(is_patient)
"""``dependencies=[patient]`` on such a route."""


async def is_stream() -> None:
    """Dependency of routes whose answer goes on until somebody ends it, as server-sent events do."""


streams: Any = Depends(is_stream)
"""``dependencies=[streams]`` on such a route."""


@dataclass(frozen=True, order=True)
class Demand:
    """One method of one address and what it takes to call it.

    Attributes:
        path: Template, as ``/v1/courses/{course}``.
        method: HTTP method.
        permission: What the caller needs, or None.
        word: The permission, ``public``, ``internal`` or, for a forgotten one, ``nothing``.
        scoped: Whether holding the permission for some course or cohort lets one in.
        by_place: Whether a place in a cohort may allow it to those who lack the permission.
        patient: Whether callers are to wait long for the answer.
        streams: Whether the answer goes on until somebody ends it.
    """

    path: str
    method: str
    permission: Permission | None
    word: str
    scoped: bool = False
    patient: bool = False
    streams: bool = False
    by_place: bool = False


def routes_of(router: APIRouter) -> Iterator[Demand]:
    """The demands of every described or internal API route of a router, and of those within."""
    for context in iter_route_contexts(router.routes):
        if isinstance(context.original_route, APIRoute):
            calls = list(_calls(context.dependant))
            for method in sorted(context.methods or ()):
                yield _demand(context.path_format or "", method, calls)


def _demand(path: str, method: str, calls: list[Any]) -> Demand:
    flags = {"patient": is_patient in calls, "streams": is_stream in calls}
    for call in calls:
        if isinstance(call, Allow):
            flags |= {"scoped": call.scoped, "by_place": call.by_place}
            return Demand(path, method, call.permission, call.permission.value, **flags)
    word = INTERNAL if is_internal in calls else PUBLIC if is_public in calls else NOTHING
    return Demand(path, method, None, word, **flags)


def _calls(dependant: Any) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls(inner)
