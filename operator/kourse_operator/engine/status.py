"""From a status and what was found to the next status, and to the smallest patch between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kourse.contracts.resources import BY_KIND
from kourse.kit import clock
from kourse_operator import conditions
from kourse_operator.conditions import BACKENDS, Type, find
from kourse_operator.resource import Resource


def fields_of(kind: str) -> frozenset[str]:
    """Wire names of all fields that the kind's status has."""
    fields = BY_KIND[kind].status.model_fields
    return frozenset(field.alias or name for name, field in fields.items())


def assembled(kind: str, before: Mapping[str, Any], *updates: Mapping[str, Any]) -> dict[str, Any]:
    """The status after the updates, without what the kind does not have and without nulls."""
    known = fields_of(kind)
    merged: dict[str, Any] = dict(before)
    for update in updates:
        merged |= update
    return {name: value for name, value in merged.items() if name in known and value is not None}


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch that leads from one status to the other; empty when they are equal."""
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    return changed | {name: None for name in before if name not in after}


def announcement(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[str, str, str] | None:
    """The Event that the transition of ``Ready`` deserves, as type, reason, message; else None."""
    old = find(before.get("conditions", ()), Type.READY) or {}
    new = find(after.get("conditions", ()), Type.READY)
    if new is None or new["status"] == "Unknown":
        return None
    is_ready = new["status"] == "True"
    told = ("status", "reason", "observedGeneration") if is_ready else ("status", "message")
    if all(old.get(name) == new.get(name) for name in told):
        return None
    return ("Normal" if is_ready else "Warning", new["reason"], new["message"])


def settled(resource: Resource) -> bool:
    """Whether the object is held and its status already says everything that there is to say."""
    status = resource.status
    has_pause = find(status.get("conditions", ()), Type.PAUSED) is not None
    if resource.deleting or not resource.held:
        return False
    if resource.paused or has_pause:
        return resource.paused and has_pause
    return status.get("observedGeneration") == resource.generation and conditions.holds(
        status, Type.READY, resource.generation
    )


def in_progress(resource: Resource) -> dict[str, Any]:
    """The status of an object whose new generation takes its time."""
    before = resource.status
    merged = conditions.merged(
        before.get("conditions", ()),
        conditions.progressing(resource.generation),
        generation=resource.generation,
        at=clock.now(),
        keep=BACKENDS,
    )
    update = {"conditions": merged, "observedGeneration": resource.generation}
    return assembled(resource.key.kind, before, update)
