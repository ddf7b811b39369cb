"""Conditions of the custom resources: the vocabulary, and how one status follows from another.

They follow the Kubernetes API conventions and kstatus: ``Ready`` sums up, ``Reconciling`` and
``Stalled`` exist only while true, each carries the generation that it speaks of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from kourse.contracts import errors

Truth = Literal["True", "False", "Unknown"]
MESSAGE_LIMIT = 2000


class Type(StrEnum):
    """What a condition speaks of, in the order in which they are shown."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    PAUSED = "Paused"
    ROWS_SYNCED = "RowsSynced"
    BUCKET_READY = "BucketReady"
    BINDINGS_READY = "BindingsReady"


BACKENDS = (Type.ROWS_SYNCED, Type.BUCKET_READY, Type.BINDINGS_READY)
"""One for each back end."""


class Reason(StrEnum):
    """Why a condition is as it is; stable words for machines."""

    RECONCILED = "Reconciled"
    PROGRESSING = "Progressing"
    RETRYING = "Retrying"
    PAUSED = "Paused"
    DELETING = "Deleting"
    INVALID_SPEC = "InvalidSpec"
    TOO_LARGE = "TooLarge"
    CONFLICT = "Conflict"
    OWNED_BY_API = "OwnedByApi"
    STALE_GENERATION = "StaleGeneration"
    ASSETS_MISSING = "AssetsMissing"
    DEPENDENCY_NOT_READY = "DependencyNotReady"
    BACKEND_UNAVAILABLE = "BackendUnavailable"
    BINDING_MISMATCH = "BindingMismatch"
    FEATURE_MISSING = "FeatureMissing"
    ATTEMPTS_OPEN = "AttemptsOpen"
    DRIFT_FOUND = "DriftFound"
    INTERNAL_ERROR = "InternalError"


_STALLING = (
    (errors.OwnedByApi, Reason.OWNED_BY_API),
    (errors.TooLarge, Reason.TOO_LARGE),
    (errors.Conflict, Reason.CONFLICT),
    (errors.Rejected, Reason.INVALID_SPEC),
)


@dataclass(frozen=True)
class Finding:
    """How one back end, or the object as a whole, was found.

    Attributes:
        reason: Stable word.
        message: A sentence that says what to do; must not vary while nothing changes.
        ok: Whether what was declared holds.
        stalled: Whether trying again is no use until somebody acts.
    """

    reason: str
    message: str
    ok: bool = False
    stalled: bool = False


def finding_of(error: BaseException) -> Finding:
    """What a failure says about an object."""
    if isinstance(error, errors.StaleGeneration):
        return Finding(Reason.STALE_GENERATION, error.detail)
    for kind, reason in _STALLING:
        if isinstance(error, kind):
            own = getattr(error, "reason", reason)
            return Finding(own, error.detail, stalled=True)
    if isinstance(error, errors.DependencyNotReady):
        return Finding(Reason.DEPENDENCY_NOT_READY, error.detail)
    if isinstance(error, errors.Unavailable):
        return Finding(Reason.BACKEND_UNAVAILABLE, error.detail)
    if isinstance(error, errors.KourseError):
        return Finding(Reason.INTERNAL_ERROR, error.detail)
    return Finding(Reason.INTERNAL_ERROR, "The operator failed on this object; see its log.")


@dataclass(frozen=True)
class Condition:
    """One condition, before it has a time."""

    type: Type
    status: Truth
    reason: str
    message: str


def ready(
    findings: Mapping[Type, Finding], pending: Iterable[Finding], summary: str
) -> list[Condition]:
    """``Ready`` with what follows from it, then one condition for each back end.

    Args:
        findings: What was found at each back end, in the order in which they were asked.
        pending: What else keeps the object from being live.
        summary: The sentence when nothing does.
    """
    failures = [found for found in findings.values() if not found.ok]
    problems = sorted([*failures, *pending], key=lambda found: not found.stalled)
    details = [
        Condition(kind, "True" if found.ok else "False", found.reason, found.message)
        for kind, found in findings.items()
    ]
    if not problems:
        return [Condition(Type.READY, "True", Reason.RECONCILED, summary), *details]
    return [*not_ready(problems[0]), *details]


def not_ready(problem: Finding) -> list[Condition]:
    """``Ready`` false for one reason, with ``Stalled`` or ``Reconciling`` as kstatus wants it."""
    main = Condition(Type.READY, "False", problem.reason, problem.message)
    if problem.stalled:
        return [main, Condition(Type.STALLED, "True", problem.reason, problem.message)]
    return [main, Condition(Type.RECONCILING, "True", Reason.RETRYING, problem.message)]


def progressing(generation: int) -> list[Condition]:
    """What is said while a new generation takes its time."""
    text = f"Generation {generation} is being put in place."
    return [
        Condition(Type.READY, "Unknown", Reason.PROGRESSING, text),
        Condition(Type.RECONCILING, "True", Reason.PROGRESSING, text),
    ]


def merged(
    before: Iterable[Mapping[str, Any]],
    now: Iterable[Condition],
    *,
    generation: int,
    at: datetime,
    keep: Iterable[Type] = (),
) -> list[dict[str, Any]]:
    """The conditions to write: times move only where a status flips.

    Args:
        before: Conditions as they stand in the object.
        now: What holds now.
        generation: Generation that ``now`` speaks of.
        at: Time of a flip.
        keep: Types that stay as they are when ``now`` does not speak of them.
    """
    old = {item["type"]: dict(item) for item in before}
    made = {item.type: _wire(item, old.get(item.type), generation, at) for item in now}
    kept = {kind: old[kind] for kind in keep if kind in old and kind not in made}
    both = {**kept, **made}
    return [both[kind] for kind in Type if kind in both]


def _wire(
    item: Condition, old: Mapping[str, Any] | None, generation: int, at: datetime
) -> dict[str, Any]:
    same = old is not None and old.get("status") == item.status
    since = old.get("lastTransitionTime") if old and same else None
    return {
        "type": str(item.type),
        "status": item.status,
        "reason": str(item.reason),
        "message": item.message[:MESSAGE_LIMIT],
        "observedGeneration": generation,
        "lastTransitionTime": since or at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def find(conditions: Iterable[Mapping[str, Any]], kind: Type) -> Mapping[str, Any] | None:
    """The condition of that type, or None."""
    return next((item for item in conditions if item.get("type") == kind), None)


def holds(status: Mapping[str, Any], kind: Type, generation: int) -> bool:
    """Whether the condition is true of that generation."""
    found = find(status.get("conditions", ()), kind)
    return bool(
        found and found.get("status") == "True" and found.get("observedGeneration") == generation
    )
