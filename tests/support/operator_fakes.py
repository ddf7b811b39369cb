"""Back ends of the operator that live in memory and fail when told to."""

import itertools
from collections import Counter
from dataclasses import dataclass

from kourse.contracts import names
from kourse.kit.documents import Applied, Refused
from kourse_operator.engine.reconcile import Reconciler
from kourse_operator.engine.remove import Remover
from kourse_operator.engine.store import Store
from kourse_operator.errors import Outdated
from kourse_operator.plans.steps import Binding, Drift
from kourse_operator.ports import BackEnds
from kourse_operator.resource import Resource

COURSE = {
    "title": "Statistics",
    "summary": "From data to decision.",
    "chapters": [{"key": "a", "title": "A", "lessons": [{"key": "l", "title": "L", "text": "x"}]}],
}
EXAM = {
    "title": "Quiz",
    "courseRef": "statistics",
    "purpose": "Practice",
    "zones": [{"key": "z", "title": "Z", "draws": [{"pools": ["bank"], "count": 1}]}],
}
COHORT = {
    "title": "Lisbon",
    "courses": ["statistics"],
    "run": {"starts": "2026-11-02", "ends": "2027-01-31", "timeZone": "Europe/Lisbon"},
}
POOL = {
    "title": "Bank",
    "courseRef": "statistics",
    "questions": [
        {
            "key": "q",
            "type": "Numeric",
            "prompt": "1 + 1?",
            "explanation": "One more than one.",
            "numeric": {"value": "2"},
        }
    ],
}
SPECS = {"Course": COURSE, "ExamConfig": EXAM, "Cohort": COHORT, "QuestionPool": POOL}
_versions = itertools.count(100)


def body(kind="Course", name="statistics", namespace="demo", **changes):
    """An object as the Kubernetes API shows it; changes of metadata, spec and status by name."""
    meta = {
        "name": name,
        "namespace": namespace,
        "uid": changes.pop("uid", f"uid-{namespace}-{name}"),
        "generation": changes.pop("generation", 1),
        "resourceVersion": str(next(_versions)),
        "creationTimestamp": changes.pop("created", "2026-11-22T10:00:00Z"),
        "finalizers": ["kourse.dev/operator"] if changes.pop("held", True) else [],
        "annotations": changes.pop("annotations", {}),
    }
    if changes.pop("deleting", False):
        meta["deletionTimestamp"] = "2026-11-22T11:00:00Z"
    spec = {**SPECS[kind], **changes.pop("spec", {})}
    status = changes.pop("status", None)
    assert not changes, changes
    made = {"metadata": meta, "spec": {k: v for k, v in spec.items() if v is not None}}
    return made if status is None else {**made, "status": status}


def resource(kind="Course", name="statistics", **changes):
    """The same as the operator keeps it."""
    return Resource.of(kind, body(kind, name, **changes))


class Failing:
    """Raises what ``error`` is set to, and counts calls."""

    def __init__(self):
        self.error = None
        self.calls = Counter()

    def _called(self, name):
        self.calls[name] += 1
        if self.error:
            raise self.error


class FakeRows(Failing):
    """Documents by (tenant, kind, name)."""

    def __init__(self):
        super().__init__()
        self.docs = {}
        self.refusals = {}
        self.pending = ()
        self.retiring = []
        self.counts = {}
        self.assets_stored = False

    async def apply(self, kind, tenant, doc, *, keep=True):
        self._called("apply")
        if doc.name in self.refusals:
            return Refused(doc.name, self.refusals[doc.name])
        at = (tenant, kind, doc.name)
        before = self.docs.get(at)
        changed = before is None or before.spec != doc.spec
        if keep:
            self.docs[at] = doc
        made = names.declared_id(*at)
        return Applied(doc.name, changed, made, doc.generation, "d" * 64, {}, tuple(self.pending))

    async def rehearse(self, kind, tenant, doc):
        return await self.apply(kind, tenant, doc, keep=False)

    async def differences(self, kind, tenant, doc, *, mend):
        before = self.docs.get((tenant, kind, doc.name))
        result = await self.apply(kind, tenant, doc, keep=mend)
        return result, [Drift("title", str(before and before.spec.title), doc.spec.title)]

    async def owner(self, kind, tenant, name):
        self._called("owner")
        found = self.docs.get((tenant, kind, name))
        return found and (found.uid or "")

    async def retire(self, kind, tenant, name, uid, policy):
        self._called("retire")
        if not self.retiring:
            self.docs.pop((tenant, kind, name), None)
        return self.retiring

    async def count(self, kind, tenant, name):
        self._called("count")
        return self.counts.get(name, {})

    async def observe(self, kind, tenant, names_):
        self._called("observe")
        return {name: self.counts[name] for name in names_ if name in self.counts}

    async def forget_assets(self, tenant, course):
        self._called("forget_assets")
        was, self.assets_stored = self.assets_stored, False
        return was


class FakeBuckets(Failing):
    """Names of buckets."""

    def __init__(self):
        super().__init__()
        self.names = set()
        self.missing = ()

    async def differences(self, bucket):
        self._called("differences")
        return [] if bucket.name in self.names else [Drift(bucket.name, "absent", "present")]

    async def ensure(self, bucket, on_missing):
        self._called("ensure")
        if bucket.name not in self.names:
            await on_missing()
            self.names.add(bucket.name)
        return self.missing

    async def remove(self, bucket):
        self._called("remove")
        self.names.discard(bucket.name)


class FakeWires(Failing):
    """Things at the broker."""

    def __init__(self):
        super().__init__()
        self.there = []

    async def differences(self, wires):
        self._called("differences")
        return [Drift(str(wire), "absent", "present") for wire in wires if wire not in self.there]

    async def surplus(self, wires):
        self._called("surplus")
        ours = {wire.name for wire in wires if not isinstance(wire, Binding)}
        return [
            wire
            for wire in self.there
            if isinstance(wire, Binding) and wire.destination in ours and wire not in wires
        ]

    async def ensure(self, wires):
        self._called("ensure")
        self.there += [wire for wire in wires if wire not in self.there]

    async def remove(self, wires):
        self._called("remove")
        gone = [getattr(wire, "name", None) for wire in wires]
        self.there = [
            wire
            for wire in self.there
            if wire not in wires and getattr(wire, "name", "") not in gone
        ]


class FakeCluster(Failing):
    """Objects of the Kubernetes API; counts every write."""

    def __init__(self):
        super().__init__()
        self.bodies = {}
        self.events = []

    def add(self, kind, made):
        """Puts an object there; returns it as the operator keeps it."""
        known = Resource.of(kind, made)
        self.bodies[known.key] = made
        return known

    def status(self, key):
        """The status as it stands."""
        return self.bodies[key].get("status", {})

    async def find(self, key):
        self._called("find")
        found = self.bodies.get(key)
        return Resource.of(key.kind, found) if found else None

    async def uids(self, kind):
        self._called("uids")
        return frozenset(
            made["metadata"]["uid"] for key, made in self.bodies.items() if key.kind == kind
        )

    async def patch_status(self, resource_, patch):
        self._called("patch_status")
        merged = {**self.status(resource_.key), **patch} if resource_.key in self.bodies else {}
        status = {name: value for name, value in merged.items() if value is not None}
        return self._changed(resource_, status=status)

    async def patch_finalizers(self, resource_, finalizers):
        self._called("patch_finalizers")
        return self._changed(resource_, finalizers=list(finalizers))

    def _changed(self, resource_, finalizers=None, **changes):
        key = resource_.key
        if key not in self.bodies:
            return None
        made = self.bodies[key]
        meta = made["metadata"]
        if int(meta["resourceVersion"]) != resource_.version:
            raise Outdated
        kept = meta["finalizers"] if finalizers is None else finalizers
        meta = {**meta, "resourceVersion": str(next(_versions)), "finalizers": kept}
        self.bodies[key] = {**made, **changes, "metadata": meta}
        after = Resource.of(key.kind, self.bodies[key])
        if after.deleting and not after.finalizers:
            del self.bodies[key]
        return after

    def tell(self, resource_, type_, reason, message, *, occurrence=""):
        self.events.append((resource_.key, type_, reason, message))


@dataclass
class Room:
    rows: FakeRows
    buckets: FakeBuckets
    wires: FakeWires
    cluster: FakeCluster
    store: Store
    reconciler: Reconciler
    remover: Remover


def new_room(tenant_of=lambda namespace: namespace):
    """A room of its own."""
    rows, buckets, wires = FakeRows(), FakeBuckets(), FakeWires()
    store = Store(tenant_of)
    back_ends = BackEnds(rows, buckets, wires, bucket_prefix="kourse", timeout_s=5)
    return Room(
        *(rows, buckets, wires, FakeCluster(), store),
        Reconciler(back_ends, store),
        Remover(back_ends, store),
    )
