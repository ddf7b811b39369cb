"""One pass over one object: rows first, then its bucket, then its bindings, then the verdict.

A pass makes everything so or says why not; it never raises for what a back end does. Nothing is done
before the finalizer is in place, and nothing is written besides the status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from kourse.contracts import errors
from kourse.contracts.resources import BY_KIND, MAX_OBJECT_BYTES, Document, DriftPolicy
from kourse.kit import clock, faults
from kourse.kit.documents import Applied, Doc, Refused, Result
from kourse.kit.outages import outage_of
from kourse.kit.telemetry import get_logger, span
from kourse.rules import declared
from kourse_operator import conditions, plans
from kourse_operator.conditions import BACKENDS, Condition, Finding, Reason, Type
from kourse_operator.engine.status import assembled
from kourse_operator.engine.store import Store
from kourse_operator.plans.steps import Binding, Drift, Plan, Queue, Subject
from kourse_operator.ports import BackEnds
from kourse_operator.resource import Resource

_CALLED = {
    Type.ROWS_SYNCED: "The database",
    Type.BUCKET_READY: "The object store",
    Type.BINDINGS_READY: "The message broker",
}
_FAULTS = (Reason.BACKEND_UNAVAILABLE, Reason.INTERNAL_ERROR)
MOST_TOLD = 5
"""Differences that one sentence names."""
log = get_logger(__name__)


Drifts = dict[str, Sequence[Drift]]
"""Drift by back end."""


@dataclass(frozen=True)
class Verdict:
    """What a pass came to.

    Attributes:
        status: The whole status to show.
        ready: Whether everything holds.
        retry: Whether to try again before the next resync.
        failed: Whether a back end or the operator itself is at fault.
        repaired: What had been changed behind the operator's back, by back end.
        reported: What is so still, as its author wants it only reported.
    """

    status: dict[str, Any]
    ready: bool
    retry: bool
    failed: bool = False
    repaired: Drifts = field(default_factory=dict)
    reported: Drifts = field(default_factory=dict)


@dataclass
class Pass:
    """What a pass has found so far."""

    resource: Resource
    before: Mapping[str, Any]
    spec: Document
    subject: Subject
    plan: Plan
    findings: dict[Type, Finding] = field(default_factory=dict)
    pending: tuple[Finding, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)
    summary: str = ""
    repaired: Drifts = field(default_factory=dict)
    reported: Drifts = field(default_factory=dict)

    def held(self, kind: Type) -> bool:
        """Whether this was all right for this very generation, so that any difference is drift."""
        found = conditions.find(self.before.get("conditions", ()), kind) or {}
        was_so = found.get("status") == "True" or found.get("reason") == Reason.DRIFT_FOUND
        return was_so and found.get("observedGeneration") == self.resource.generation

    @property
    def only_reports(self) -> bool:
        """Whether its author wants to know of drift and nothing more."""
        return getattr(self.spec, "drift_policy", None) is DriftPolicy.REPORT


class Reconciler:
    """Passes over objects."""

    def __init__(self, back_ends: BackEnds, store: Store) -> None:
        """``store`` knows who else claims an object's name."""
        self._at = back_ends
        self._store = store

    async def reconcile(self, resource: Resource) -> Verdict:
        """What the object came to after everything possible was done for it."""
        with span("reconcile", attributes={"kourse.kind": resource.key.kind}):
            return await self._reconcile(resource)

    async def _reconcile(self, resource: Resource) -> Verdict:
        before = resource.status
        if resource.paused:
            return self._paused(resource, before)
        try:
            spec = self._understand(resource)
        except errors.Rejected as error:
            problem = conditions.finding_of(error)
            return self._verdict(resource, before, conditions.not_ready(problem), retry=False)
        now = self._begin(resource, before, spec)
        await self._step(now, Type.ROWS_SYNCED, self._ensure_rows)
        if _is_stored(now):
            if now.plan.bucket:
                await self._step(now, Type.BUCKET_READY, self._ensure_bucket)
            if now.plan.feeds:
                await self._step(now, Type.BINDINGS_READY, self._ensure_wires)
        return self._conclude(now)

    def _begin(self, resource: Resource, before: Mapping[str, Any], spec: Document) -> Pass:
        tenant, kind, name = self._store.declared(resource.key)
        subject = Subject(tenant, name, self._at.bucket_prefix, before)
        self._store.refer(resource.key, plans.references(kind, spec))
        return Pass(resource, before, spec, subject, plans.plan(kind, subject, spec))

    def _understand(self, resource: Resource) -> Document:
        """The spec as a document.

        Raises:
            Rejected: It is too large, not valid, or the name is taken by another namespace.
        """
        size = len(resource.spec_json)
        if size > MAX_OBJECT_BYTES:
            raise errors.TooLarge(
                f"The spec has {size // 1024} KiB; at most "
                f"{MAX_OBJECT_BYTES // 1024} KiB can be applied. Move long texts into files with "
                "'textFile', or split a pool in several and draw from them by label."
            )
        first = self._store.named(self._store.declared(resource.key))[:1]
        if first and first[0].uid != resource.uid:
            where = first[0].key.namespace
            raise errors.Conflict(
                f"Namespace '{where}' belongs to the same tenant and has declared this name "
                "before; use another name."
            )
        try:
            spec = BY_KIND[resource.key.kind].spec.model_validate(resource.spec)
        except ValidationError as error:
            raise errors.Invalid(_sentences(error)) from error
        declared.require_none(resource.key.name, spec)
        return spec

    async def _step(self, now: Pass, kind: Type, run: Callable[[Pass], Awaitable[Finding]]) -> None:
        try:
            async with asyncio.timeout(self._at.timeout_s):
                now.findings[kind] = await run(now)
        except Exception as error:  # noqa: BLE001 -- every failure becomes a condition
            now.findings[kind] = _failure(now.resource, kind, error)

    async def _ensure_rows(self, now: Pass) -> Finding:
        resource, subject = now.resource, now.subject
        doc = Doc(
            name=subject.name,
            spec=now.spec,
            source="resource",
            uid=resource.uid,
            generation=resource.generation,
            adopt=resource.adopts,
        )
        result, drift = await self._apply(now, doc)
        await faults.point("operator.rows")
        if isinstance(result, Refused):
            raise result.error
        now.pending = tuple(Finding(item.reason, item.message) for item in result.pending)
        now.fields |= {
            "id": str(result.id),
            "digest": result.digest,
            "version": result.version,
            **result.status,
        }
        if "id" not in now.before:
            now.fields |= await self._at.rows.count(resource.key.kind, subject.tenant, subject.name)
        now.summary = _live(result)
        return _judged(now, "rows", drift, "The content is stored.")

    async def _apply(self, now: Pass, doc: Doc[Any]) -> tuple[Result, Sequence[Drift]]:
        """The document is applied; where it had been before, only if the rows are not as declared."""
        kind, tenant = now.resource.key.kind, now.subject.tenant
        if not now.held(Type.READY):
            return await self._at.rows.apply(kind, tenant, doc), ()
        result = await self._at.rows.rehearse(kind, tenant, doc)
        if isinstance(result, Refused) or not result.changed:
            return result, ()
        return await self._at.rows.differences(kind, tenant, doc, mend=not now.only_reports)

    async def _ensure_bucket(self, now: Pass) -> Finding:
        bucket = now.plan.bucket
        assert bucket is not None  # noqa: S101 -- the caller asked

        async def forget() -> None:
            if bucket.holds_files and await self._at.rows.forget_assets(
                now.subject.tenant, now.subject.name
            ):
                await self._ensure_rows(now)

        held = now.held(Type.BUCKET_READY)
        drift = await self._at.buckets.differences(bucket) if held else ()
        missing: Sequence[str] = ()
        if not (drift and now.only_reports):
            missing = await self._at.buckets.ensure(bucket, forget)
            await faults.point("operator.bucket")
        found = _judged(now, "bucket", drift, f"Bucket {bucket.name} is in place.")
        if missing and found.ok:
            return Finding(Reason.FEATURE_MISSING, " ".join(missing), ok=True)
        return found

    async def _ensure_wires(self, now: Pass) -> Finding:
        wires, held = now.plan.wires, now.held(Type.BINDINGS_READY)
        absent = await self._at.wires.differences(wires) if held else ()
        # A crash may have left a binding that no status tells of, so a queue's are always looked at.
        may_be_more = held or any(isinstance(wire, Queue) for wire in wires)
        surplus = await self._at.wires.surplus(wires) if may_be_more else ()
        drift = (*absent, *map(_unwanted, surplus)) if held else ()
        if not (drift and now.only_reports):
            await self._at.wires.ensure(wires)
            await faults.point("operator.wires")
            await self._at.wires.remove((*now.plan.cut, *surplus))
        return _judged(now, "bindings", drift, "Everything at the broker is in place.")

    def _conclude(self, now: Pass) -> Verdict:
        found = conditions.ready(now.findings, now.pending, now.summary)
        if _is_stored(now):
            now.fields |= now.plan.status
        else:
            found += self._unseen(now)
        open_ends = [item for item in (*now.findings.values(), *now.pending) if not item.ok]
        verdict = self._verdict(
            now.resource,
            now.before,
            found,
            retry=any(not item.stalled for item in open_ends),
            fields=now.fields,
        )
        failed = any(item.reason in _FAULTS for item in open_ends)
        return replace(verdict, failed=failed, repaired=now.repaired, reported=now.reported)

    def _unseen(self, now: Pass) -> list[Condition]:
        """Unknown for each back end that nobody ever looked at."""
        asked = {Type.BUCKET_READY: now.plan.bucket, Type.BINDINGS_READY: now.plan.feeds}
        return [
            Condition(kind, "Unknown", Reason.PROGRESSING, "Comes after the rows.")
            for kind, wanted in asked.items()
            if wanted and not conditions.find(now.before.get("conditions", ()), kind)
        ]

    def _paused(self, resource: Resource, before: Mapping[str, Any]) -> Verdict:
        """Says that it is paused; what was true of this generation stays said."""
        text = "Nothing is changed or repaired until the annotation kourse.dev/paused is removed."
        found = [Condition(Type.PAUSED, "True", Reason.PAUSED, text)]
        if before.get("observedGeneration") == resource.generation:
            kept = (Type.READY, Type.RECONCILING, Type.STALLED, *BACKENDS)
            return self._verdict(resource, before, found, retry=False, keep=kept)
        found.append(Condition(Type.READY, "Unknown", Reason.PAUSED, text))
        verdict = self._verdict(resource, before, found, retry=False)
        observed = before.get("observedGeneration")
        status = assembled(resource.key.kind, verdict.status, {"observedGeneration": observed})
        return Verdict(status, ready=False, retry=False)

    def _verdict(
        self,
        resource: Resource,
        before: Mapping[str, Any],
        found: list[Condition],
        *,
        retry: bool,
        fields: Mapping[str, Any] | None = None,
        keep: tuple[Type, ...] = BACKENDS,
    ) -> Verdict:
        merged = conditions.merged(
            before.get("conditions", ()),
            found,
            generation=resource.generation,
            at=clock.now(),
            keep=keep,
        )
        status = assembled(
            resource.key.kind,
            before,
            fields or {},
            {"conditions": merged, "observedGeneration": resource.generation},
        )
        is_ready = conditions.holds(status, Type.READY, resource.generation)
        return Verdict(status, ready=is_ready, retry=retry)


def _is_stored(now: Pass) -> bool:
    """Whether the rows are there, be they as declared or changed by hand."""
    found = now.findings[Type.ROWS_SYNCED]
    return found.ok or found.reason == Reason.DRIFT_FOUND


def _judged(now: Pass, backend: str, drift: Sequence[Drift], text: str) -> Finding:
    """Good where nothing had drifted or it was put right, else what is to be known of it."""
    if drift and now.only_reports:
        now.reported[backend] = drift
        said = f"Changed by hand, and left so as driftPolicy is Report: {told(drift)}."
        return Finding(Reason.DRIFT_FOUND, said, stalled=True)
    if drift:
        now.repaired[backend] = drift
    return Finding(Reason.RECONCILED, text, ok=True)


def told(drift: Sequence[Drift]) -> str:
    """The first few, with their old and new values, and how many more there are."""
    more = len(drift) - MOST_TOLD
    return "; ".join([*map(str, drift[:MOST_TOLD]), *([f"and {more} more"] if more > 0 else [])])


def _unwanted(wire: Binding) -> Drift:
    key = f" with key {wire.key}" if wire.key else ""
    return Drift(
        f"binding from {wire.source} to {wire.destination}{key}", found="present", wanted="absent"
    )


def _failure(resource: Resource, kind: Type, error: Exception) -> Finding:
    """What a failed step says, in words that do not change from one attempt to the next."""
    if outage_of(error):
        text = f"{_CALLED[kind]} is not available right now; the operator keeps trying."
        return Finding(Reason.BACKEND_UNAVAILABLE, text)
    if not isinstance(error, errors.KourseError):
        log.error("reconcile_failed", key=str(resource.key), step=str(kind), exc_info=error)
    return conditions.finding_of(error)


def _live(applied: Applied) -> str:
    return f"Version {applied.version} is live." if applied.version else "Everything is in place."


def _sentences(error: ValidationError) -> str:
    items = error.errors(include_url=False, include_input=False)
    return _joined(f"{'.'.join(['spec', *map(str, item['loc'])])}: {item['msg']}" for item in items)


def _joined(sentences: Iterable[str]) -> str:
    return "; ".join(sentences) + "."
