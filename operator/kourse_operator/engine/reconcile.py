"""One pass over one object: rows first, then its bucket, then its bindings, then the verdict.

A pass makes everything so or says why not; it never raises for what a back end does. Nothing is done
before the finalizer is in place, and nothing is written besides the status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from kourse.contracts import errors
from kourse.contracts.resources import BY_KIND, MAX_OBJECT_BYTES, Document
from kourse.kit import clock, faults
from kourse.kit.documents import Applied, Doc, Refused
from kourse.kit.outages import outage_of
from kourse.kit.telemetry import get_logger, span
from kourse.rules import declared
from kourse_operator import conditions, plans
from kourse_operator.conditions import BACKENDS, Condition, Finding, Reason, Type
from kourse_operator.engine.status import assembled
from kourse_operator.engine.store import Store
from kourse_operator.plans.steps import Plan, Subject
from kourse_operator.ports import BackEnds
from kourse_operator.resource import Resource

_CALLED = {
    Type.ROWS_SYNCED: "The database",
    Type.BUCKET_READY: "The object store",
    Type.BINDINGS_READY: "The message broker",
}
_FAULTS = (Reason.BACKEND_UNAVAILABLE, Reason.INTERNAL_ERROR)
log = get_logger(__name__)


@dataclass(frozen=True)
class Verdict:
    """What a pass came to.

    Attributes:
        status: The whole status to show.
        ready: Whether everything holds.
        retry: Whether to try again before the next resync.
        failed: Whether a back end or the operator itself is at fault.
        repaired: Back ends where something had been changed behind the operator's back.
    """

    status: dict[str, Any]
    ready: bool
    retry: bool
    failed: bool = False
    repaired: tuple[str, ...] = ()


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
    repaired: list[str] = field(default_factory=list)

    def held(self, kind: Type) -> bool:
        """Whether this back end was all right for this very generation."""
        return conditions.holds(self.before, kind, self.resource.generation)

    @property
    def was_ready(self) -> bool:
        """Whether everything was all right for this very generation."""
        return self.held(Type.READY)


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
        if now.findings[Type.ROWS_SYNCED].ok:
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
        if len(resource.spec_json) > MAX_OBJECT_BYTES:
            raise errors.TooLarge(
                f"The spec has {len(resource.spec_json) // 1024} KiB; at most "
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
        if found := declared.problems(resource.key.name, spec):
            raise errors.Invalid(_joined(map(str, found)))
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
        result = await self._at.rows.apply(resource.key.kind, subject.tenant, doc)
        await faults.point("operator.rows")
        if isinstance(result, Refused):
            raise result.error
        if result.changed and now.was_ready:
            now.repaired.append("rows")
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
        return Finding(Reason.RECONCILED, "The content is stored.", ok=True)

    async def _ensure_bucket(self, now: Pass) -> Finding:
        bucket = now.plan.bucket
        assert bucket is not None  # noqa: S101 -- the caller asked

        async def forget() -> None:
            if bucket.holds_files and await self._at.rows.forget_assets(
                now.subject.tenant, now.subject.name
            ):
                await self._ensure_rows(now)

        made, missing = await self._at.buckets.ensure(bucket, forget)
        await faults.point("operator.bucket")
        if made and now.held(Type.BUCKET_READY):
            now.repaired.append("bucket")
        if missing:
            return Finding(Reason.FEATURE_MISSING, " ".join(missing), ok=True)
        return Finding(Reason.RECONCILED, f"Bucket {bucket.name} is in place.", ok=True)

    async def _ensure_wires(self, now: Pass) -> Finding:
        restored = await self._at.wires.ensure(now.plan.wires, check=now.held(Type.BINDINGS_READY))
        await faults.point("operator.wires")
        await self._at.wires.remove(now.plan.cut)
        if restored:
            now.repaired.append("bindings")
        return Finding(Reason.RECONCILED, "Everything at the broker is in place.", ok=True)

    def _conclude(self, now: Pass) -> Verdict:
        found = conditions.ready(now.findings, now.pending, now.summary)
        if now.findings[Type.ROWS_SYNCED].ok:
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
        return replace(verdict, failed=failed, repaired=tuple(now.repaired))

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
