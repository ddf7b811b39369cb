"""The engine: takes in what kopf sees, and works until every object is as declared.

kopf calls ``see`` for every event. Everything else happens here: which objects need work, in which order,
how often, and what is written back. Until ``lead`` the engine only remembers what it sees.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

from kourse.contracts.errors import Unavailable
from kourse.contracts.resources import FINALIZER, KINDS
from kourse.kit import clock, faults
from kourse.kit.outages import outage_of
from kourse.kit.telemetry import accept_correlation, get_logger
from kourse_operator import conditions, metrics
from kourse_operator.conditions import Type
from kourse_operator.engine.backoff import Backoff
from kourse_operator.engine.queue import QueueClosed, WorkQueue
from kourse_operator.engine.reconcile import Reconciler, Verdict, told
from kourse_operator.engine.remove import Remover
from kourse_operator.engine.status import (
    announcement,
    assembled,
    difference,
    in_progress,
    settled,
)
from kourse_operator.engine.store import Store
from kourse_operator.errors import Outdated
from kourse_operator.ports import Cluster
from kourse_operator.resource import Key, Resource

log = get_logger(__name__)


@dataclass(frozen=True)
class Pace:
    """How fast the engine goes, in seconds.

    Attributes:
        resync_s: Between two looks at an object that nothing was said of.
        retry_first_s: After a first failure.
        retry_longest_s: At most, after a failure.
        progress_after_s: Until a new generation is shown as in progress.
        removal_longest_s: At most, between two attempts to remove; an author may be waiting.
    """

    resync_s: float = 600.0
    retry_first_s: float = 0.5
    retry_longest_s: float = 300.0
    progress_after_s: float = 10.0
    removal_longest_s: float = 30.0


class Engine:
    """Keeps every object as declared."""

    def __init__(
        self,
        store: Store,
        cluster: Cluster,
        reconciler: Reconciler,
        remover: Remover,
        *,
        pace: Pace | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """``draw`` gives jitter in [0, 1)."""
        self.store = store
        self.queue = WorkQueue()
        self._cluster = cluster
        self._reconciler = reconciler
        self._remover = remover
        self._pace = pace or Pace()
        self._draw = draw
        self._backoff: Backoff[Key] = Backoff(
            self._pace.retry_first_s, self._pace.retry_longest_s, draw
        )
        self._first_seen: dict[Key, tuple[int, float]] = {}
        self._unsure: set[Key] = set()
        self._is_leading = False

    async def lead(self) -> None:
        """From now on this process works, beginning with all that it has seen until now.

        What went while a watch was interrupted left no event; it is found out now, as reconciling it
        would bring back what another process removed.

        Raises:
            Unavailable: The Kubernetes API does not answer; nothing has begun.
        """
        seen = list(self.store)
        listed = [uid for kind in KINDS for uid in await self._cluster.uids(kind.kind)]
        present = frozenset(listed)
        for resource in seen:
            if resource.uid not in present:
                self.lose(resource)
        self._is_leading = True
        for resource in self.store:
            self._consider(None, resource)

    def see(self, resource: Resource) -> None:
        """Takes in a state of an object; queues it when something has to be done about it."""
        before = self.store.find(resource.key)
        if before and before.version > resource.version:
            return
        self.store.put(resource)
        if self._is_leading:
            self._consider(before, resource)

    def look_again(self, key: Key) -> None:
        """Something was heard of the object that could not be understood: it is read anew."""
        self._unsure.add(key)
        self._retry(key)

    def lose(self, resource: Resource) -> None:
        """The object is gone from the cluster."""
        known = self.store.find(resource.key)
        if known and known.uid == resource.uid:
            self._forget(resource.key)

    def wake(self, tenant: str, kind: str, name: str) -> None:
        """A service asks to look at a declared object at once."""
        if not self._is_leading:
            return
        for resource in self.store.named((tenant, kind, name)):
            metrics.WAKES.labels(kind).inc()
            self.queue.add(resource.key)

    def wake_unready(self) -> None:
        """Looks at everything that is not ready, as a wake-up may have been missed."""
        for resource in self.store:
            if self._is_leading and not settled(resource):
                self.queue.add(resource.key)

    async def work(self) -> None:
        """Handles one object after the other until ``close``; run several of these."""
        while True:
            try:
                key = await self.queue.get()
            except QueueClosed:
                return
            started = monotonic()
            accept_correlation(None)
            metrics.ACTIVE_WORKERS.labels("kourse").inc()
            try:
                result = await self._handle(key)
            except Outdated:
                self._unsure.add(key)
                self.queue.add(key)
                result = "requeue"
            except Exception as error:
                if not outage_of(error):
                    log.exception("handling_failed", key=str(key))
                metrics.RECONCILE_ERRORS.labels(key.kind).inc()
                self._retry(key)
                result = "error"
            finally:
                metrics.ACTIVE_WORKERS.labels("kourse").dec()
                self.queue.done(key)
            metrics.RECONCILES.labels(key.kind, result).inc()
            metrics.RECONCILE_SECONDS.labels(key.kind).observe(monotonic() - started)

    def close(self) -> None:
        """Workers finish what they have in hand and begin nothing more."""
        self.queue.close()

    async def refresh(self, key: Key, counts: Mapping[str, Any]) -> None:
        """Writes counts into an object's status if they changed."""
        resource = self.store.find(key)
        if resource is None or resource.deleting:
            return
        with suppress(Outdated):  # whatever changed it is about to be looked at; counts can wait
            await self._write(resource, assembled(key.kind, resource.status, counts))

    def _consider(self, before: Resource | None, now: Resource) -> None:
        """Queues the object if its new state asks for work; all of it does when there is none before."""
        if now.deleting and not now.held:
            return
        if before is None and settled(now):
            self.queue.add(now.key, self._pace.resync_s * self._draw())
        elif before is None or before.wish != now.wish or (before.held and not now.held):
            self._note_generation(now)
            self._backoff.succeeded(now.key)
            self.queue.add(now.key)

    async def _handle(self, key: Key) -> str:
        resource = await self._newest(key)
        if resource and not resource.deleting:
            resource = await self._hold(resource)
        if resource is None:
            self._forget(key)
            return "success"
        if resource.deleting:
            return await self._remove(resource) if resource.held else "success"
        return await self._reconcile(resource)

    async def _newest(self, key: Key) -> Resource | None:
        if key not in self._unsure:
            return self.store.find(key)
        resource = await self._cluster.find(key)
        self._unsure.discard(key)
        if resource:
            self.store.put(resource)
        return resource

    async def _hold(self, resource: Resource) -> Resource | None:
        """The object with the operator's finalizer in place: before that nothing is made for it."""
        if resource.held:
            return resource
        wanted = (*resource.finalizers, FINALIZER)
        held = await self._cluster.patch_finalizers(resource, wanted)
        self._keep(held)
        await faults.point("operator.held")
        return held

    async def _reconcile(self, resource: Resource) -> str:
        before = resource.status
        verdict, resource = await self._visibly(resource)
        await faults.point("operator.done")
        if not await self._write(resource, verdict.status):
            return "success"
        await faults.point("operator.told")
        self._announce(resource, before, verdict.status)
        self._count_repairs(resource, verdict)
        if verdict.ready:
            self._became_ready(resource, before, verdict)
        if verdict.retry:
            self._retry(resource.key)
            metrics.RECONCILE_ERRORS.labels(resource.key.kind).inc(verdict.failed)
            return "error" if verdict.failed else "requeue_after"
        self._backoff.succeeded(resource.key)
        self.queue.add(resource.key, self._pace.resync_s * (0.9 + 0.2 * self._draw()))
        return "success"

    async def _visibly(self, resource: Resource) -> tuple[Verdict, Resource]:
        """The verdict, and the object with the status that says so if a new generation took long."""
        working = asyncio.create_task(self._reconciler.reconcile(resource))
        shown: Resource | None = None
        try:
            done, _ = await asyncio.wait({working}, timeout=self._pace.progress_after_s)
            if not done and resource.status.get("observedGeneration") != resource.generation:
                with suppress(Unavailable):
                    shown = await self._write(resource, in_progress(resource))
            return await working, shown or resource
        finally:
            working.cancel()

    async def _remove(self, resource: Resource) -> str:
        removal = await self._remover.remove(resource)
        key = resource.key
        if removal.done:
            await faults.point("operator.removed")
            others = [name for name in resource.finalizers if name != FINALIZER]
            await self._cluster.patch_finalizers(resource, others)
            await faults.point("operator.released")
            kind = "Warning" if removal.reason == "ForceDeleted" else "Normal"
            self._cluster.tell(resource, kind, removal.reason, removal.message)
            self._forget(key)
            return "success"
        if removal.problem:
            status = self._remover.status(resource, removal.problem)
            await self._write(resource, status)
            self._announce(resource, resource.status, status)
        self._retry(key, self._pace.removal_longest_s)
        return "requeue_after"

    async def _write(self, resource: Resource, status: Mapping[str, Any]) -> Resource | None:
        """The object with this status, None when it is gone. No change, no request."""
        patch = difference(resource.status, status)
        if not patch:
            return resource
        written = await self._cluster.patch_status(resource, patch)
        self._keep(written)
        return written

    def _keep(self, written: Resource | None) -> None:
        """Takes in the answer to a write, so that its echo from the watch is nothing new."""
        if written is None:
            return
        known = self.store.find(written.key)
        if known and known.version < written.version and known.wish == written.wish:
            self.store.put(written)

    def _became_ready(self, resource: Resource, before: Mapping[str, Any], now: Verdict) -> None:
        key = resource.key
        if now.repaired or not conditions.holds(before, Type.READY, resource.generation):
            for dependant in self.store.dependants(key):
                self.queue.add(dependant)
        generation, since = self._first_seen.pop(key, (0, 0.0))
        if generation == resource.generation:
            metrics.SECONDS_TO_READY.labels(key.kind).observe(monotonic() - since)

    def _count_repairs(self, resource: Resource, verdict: Verdict) -> None:
        for backend in verdict.repaired:
            metrics.DRIFT_REPAIRED.labels(resource.key.kind, backend).inc()
        if conditions.find(resource.status.get("conditions", ()), Type.READY) != conditions.find(
            verdict.status["conditions"], Type.READY
        ):
            for backend in verdict.reported:
                metrics.DRIFT_REPORTED.labels(resource.key.kind, backend).inc()
        if verdict.repaired:
            what = told([drift for found in verdict.repaired.values() for drift in found])
            text = f"Changed by hand and put right again: {what}."
            minute = clock.now().strftime("%Y-%m-%dT%H:%M")
            self._cluster.tell(resource, "Normal", "DriftRepaired", text, occurrence=minute)

    def _announce(
        self, resource: Resource, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> None:
        if told := announcement(before, after):
            ready = conditions.find(after["conditions"], Type.READY) or {}
            self._cluster.tell(resource, *told, occurrence=ready.get("lastTransitionTime", ""))

    def _retry(self, key: Key, longest_s: float = math.inf) -> None:
        metrics.QUEUE_RETRIES.labels(key.kind).inc()
        self.queue.add(key, min(self._backoff.failed(key), longest_s))

    def _forget(self, key: Key) -> None:
        self.store.drop(key)
        self.queue.forget(key)
        self._backoff.succeeded(key)
        self._first_seen.pop(key, None)
        self._unsure.discard(key)

    def _note_generation(self, resource: Resource) -> None:
        noted = self._first_seen.get(resource.key)
        if noted is None or noted[0] != resource.generation:
            self._first_seen[resource.key] = (resource.generation, monotonic())
