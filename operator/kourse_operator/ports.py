"""What the engine needs of the back ends; the actuators provide it, tests put fakes in its place.

Every method is idempotent and raises ``Unavailable`` when the back end cannot be reached.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kourse.contracts.resources import DeletionPolicy
from kourse.kit.documents import Doc, Pending, Result
from kourse_operator.plans.steps import Binding, Bucket, Drift, Wire
from kourse_operator.resource import Key, Resource


class Rows(Protocol):
    """The documents and what follows from them, at the services that own them."""

    async def apply(self, kind: str, tenant: str, doc: Doc[Any]) -> Result:
        """The document is in the database, or refused."""

    async def rehearse(self, kind: str, tenant: str, doc: Doc[Any]) -> Result:
        """What ``apply`` would give; nothing is written."""

    async def differences(
        self, kind: str, tenant: str, doc: Doc[Any], *, mend: bool
    ) -> tuple[Result, Sequence[Drift]]:
        """What ``apply`` gives, and which rows were not as declared; put right only to ``mend``."""

    async def owner(self, kind: str, tenant: str, name: str) -> str | None:
        """Uid of the object that has the name or had it last, empty for the API's, None for nobody's."""

    async def retire(
        self, kind: str, tenant: str, name: str, uid: str, policy: DeletionPolicy
    ) -> Sequence[Pending]:
        """The document is retired, or what still prevents it."""

    async def count(self, kind: str, tenant: str, name: str) -> Mapping[str, Any]:
        """The counts of one document, as ``observe`` gives them."""

    async def observe(
        self, kind: str, tenant: str, names: Sequence[str]
    ) -> Mapping[str, Mapping[str, Any]]:
        """Counts for the status of each document, in the status's wire names."""

    async def forget_assets(self, tenant: str, course: str) -> bool:
        """The service takes none of the course's assets for stored; whether it took any before."""


class Buckets(Protocol):
    """Buckets at the object store."""

    async def differences(self, bucket: Bucket) -> Sequence[Drift]:
        """What is not as described; nothing is written."""

    async def ensure(
        self, bucket: Bucket, on_missing: Callable[[], Awaitable[None]]
    ) -> tuple[str, ...]:
        """The bucket is there as described; calls ``on_missing`` before it makes one.

        Returns:
            What the store cannot do, as sentences.
        """

    async def remove(self, bucket: Bucket) -> None:
        """The bucket and all in it are gone."""


class Wires(Protocol):
    """Exchanges, queues and bindings at the broker."""

    async def differences(self, wires: Sequence[Wire]) -> Sequence[Drift]:
        """What is not there, as far as it can be found out; nothing is written."""

    async def surplus(self, wires: Sequence[Wire]) -> Sequence[Binding]:
        """Bindings to the named queues and exchanges that are there and not among these."""

    async def ensure(self, wires: Sequence[Wire]) -> None:
        """Everything is there.

        Raises:
            BindingMismatch: Something of that name is there with other arguments.
            DependencyNotReady: An exchange to bind to is not there.
        """

    async def remove(self, wires: Sequence[Wire]) -> None:
        """Nothing of it is there any more."""


@dataclass(frozen=True)
class BackEnds:
    """Where the effects of objects live.

    Attributes:
        rows: Documents and what follows from them.
        buckets: Buckets at the object store.
        wires: Things at the broker.
        bucket_prefix: Start of every bucket's name.
        timeout_s: Time for one step at one back end, after which it counts as not available.
    """

    rows: Rows
    buckets: Buckets
    wires: Wires
    bucket_prefix: str
    timeout_s: float


class Cluster(Protocol):
    """The Kubernetes API.

    Every write is bound to the state that it was decided on, and raises ``Outdated`` when the object
    has changed since.
    """

    async def find(self, key: Key) -> Resource | None:
        """The object as it is now, or None."""

    async def uids(self, kind: str) -> frozenset[str]:
        """The uid of every object of the kind."""

    async def patch_status(self, resource: Resource, patch: Mapping[str, Any]) -> Resource | None:
        """The object after the merge patch of its status, or None when it is gone."""

    async def patch_finalizers(
        self, resource: Resource, finalizers: Sequence[str]
    ) -> Resource | None:
        """The object with exactly these finalizers, or None when it is gone."""

    def tell(
        self, resource: Resource, type_: str, reason: str, message: str, *, occurrence: str = ""
    ) -> None:
        """Posts a Kubernetes Event soon; it may be lost.

        The same thing told again with the same ``occurrence`` is not posted twice.
        """
