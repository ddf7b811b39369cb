"""What becomes of an object's effects when it is deleted.

``Retain`` retires the declared content and keeps learners' data and the bucket; ``Delete`` takes rows and
bucket away as well. Whatever is already gone counts as done, so a removal may be begun again at any
point. An object that never owned its name takes nothing with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kourse.contracts.resources import DeletionPolicy
from kourse.kit import clock, faults
from kourse.kit.outages import outage_of
from kourse.kit.telemetry import get_logger
from kourse_operator import conditions, plans
from kourse_operator.conditions import BACKENDS, Condition, Finding, Reason, Type
from kourse_operator.engine.status import assembled
from kourse_operator.engine.store import Store
from kourse_operator.plans.steps import Subject
from kourse_operator.ports import BackEnds
from kourse_operator.resource import Resource

log = get_logger(__name__)


@dataclass(frozen=True)
class Removal:
    """How far a removal came.

    Attributes:
        done: Whether the object may go.
        reason: Word for the Event that tells of it.
        message: Sentence for the Event that tells of it.
        problem: What holds it up, when it is not done.
    """

    done: bool
    reason: str = ""
    message: str = ""
    problem: Finding | None = None


class Remover:
    """Removes what objects made."""

    def __init__(self, back_ends: BackEnds, store: Store) -> None:
        """``store`` knows who else claims an object's name."""
        self._at = back_ends
        self._store = store

    async def remove(self, resource: Resource) -> Removal:
        """How far it came; with the force-delete annotation a failure releases the object."""
        try:
            problem = await self._attempt(resource)
        except Exception as error:  # noqa: BLE001 -- every failure becomes a condition
            problem = _failure(resource, error)
        if problem is None:
            return Removal(done=True, reason="Removed", message=_told(resource))
        if resource.forced:
            text = f"Released by annotation although not cleaned up: {problem.message}"
            return Removal(done=True, reason="ForceDeleted", message=text)
        return Removal(done=False, problem=problem)

    def status(self, resource: Resource, problem: Finding) -> dict[str, Any]:
        """The status of an object whose removal is held up."""
        before = resource.status
        held_up = Finding(problem.reason, problem.message)
        merged = conditions.merged(
            before.get("conditions", ()),
            [Condition(Type.READY, "False", held_up.reason, held_up.message)],
            generation=resource.generation,
            at=clock.now(),
            keep=BACKENDS,
        )
        update = {"conditions": merged, "observedGeneration": resource.generation}
        return assembled(resource.key.kind, before, update)

    async def _attempt(self, resource: Resource) -> Finding | None:
        """What holds it up, or None when nothing is left of it."""
        tenant, kind, name = self._store.declared(resource.key)
        policy = policy_of(resource)
        async with asyncio.timeout(self._at.timeout_s):
            if not await self._owned(resource):
                return None
            pending = await self._at.rows.retire(kind, tenant, name, resource.uid, policy)
        if pending:
            return _held_up(pending)
        await faults.point("operator.retired")
        subject = Subject(tenant, name, self._at.bucket_prefix, resource.status)
        leftovers = plans.removal(kind, subject)
        async with asyncio.timeout(self._at.timeout_s):
            await self._at.wires.remove(leftovers.cut)
        await faults.point("operator.cut")
        if leftovers.bucket and policy is DeletionPolicy.DELETE:
            await self._at.buckets.remove(leftovers.bucket)
        return None

    async def _owned(self, resource: Resource) -> bool:
        """Whether the object has its name, which only the ledger knows: a status may be of old.

        What the ledger does not know is the rest of a removal that a crash cut short, or nothing at all;
        it is nobody else's unless another object declares the name too.
        """
        identity = self._store.declared(resource.key)
        tenant, kind, name = identity
        owner = await self._at.rows.owner(kind, tenant, name)
        if owner is None:
            return all(one.uid == resource.uid for one in self._store.named(identity))
        return owner == resource.uid


def policy_of(resource: Resource) -> DeletionPolicy:
    """The deletion policy, read from a spec that need not be valid."""
    named = resource.spec.get("deletionPolicy")
    return DeletionPolicy.DELETE if named == DeletionPolicy.DELETE else DeletionPolicy.RETAIN


def _held_up(pending: Sequence[Any]) -> Finding:
    return Finding(pending[0].reason, " ".join(item.message for item in pending))


def _failure(resource: Resource, error: Exception) -> Finding:
    if outage_of(error):
        text = (
            "A back end is not available, so nothing can be cleaned up; the operator keeps trying. "
            'If it is gone for ever, the annotation kourse.dev/force-delete: "true" lets go.'
        )
        return Finding(Reason.BACKEND_UNAVAILABLE, text)
    log.error("removal_failed", key=str(resource.key), exc_info=error)
    return conditions.finding_of(error)


def _told(resource: Resource) -> str:
    if policy_of(resource) is DeletionPolicy.DELETE:
        return "Removed with all its data."
    return "Removed; what learners made with it is kept, and declaring it again takes it up."
