"""A custom resource as the operator keeps it: small, immutable, compared by what matters."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from kourse.contracts.resources import (
    ADOPT_ANNOTATION,
    FINALIZER,
    FORCE_DELETE_ANNOTATION,
    GROUP,
    PAUSED_ANNOTATION,
)


class Key(NamedTuple):
    """What the queue counts as one object."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Resource:
    """One state of an object.

    Spec and status are kept as compressed JSON: parsed, ten thousand of them would take hundreds of MiB.

    Attributes:
        key: Kind, namespace and name.
        uid: Identity of this object among those that had the name.
        generation: Counts changes of the spec.
        created: Creation time, RFC 3339.
        version: Counts all changes; of two states, the one with the higher version is newer.
        finalizers: What holds it when it is to be deleted, the operator's own among them.
        deleting: Whether deletion was asked for.
        annotations: Those of the API group, sorted.
        packed_spec: The spec.
        packed_status: The status, ``{}`` when there is none yet.
    """

    key: Key
    uid: str
    generation: int
    created: str
    version: int
    finalizers: tuple[str, ...]
    deleting: bool
    annotations: tuple[tuple[str, str], ...]
    packed_spec: bytes
    packed_status: bytes

    @classmethod
    def of(cls, kind: str, body: Mapping[str, Any]) -> Resource:
        """The state that an object of the Kubernetes API shows."""
        meta = body["metadata"]
        notes = meta.get("annotations") or {}
        return cls(
            key=Key(kind, meta["namespace"], meta["name"]),
            uid=meta["uid"],
            generation=int(meta.get("generation", 0)),
            created=meta.get("creationTimestamp", ""),
            version=int(meta.get("resourceVersion", 0)),
            finalizers=tuple(meta.get("finalizers") or ()),
            deleting=bool(meta.get("deletionTimestamp")),
            annotations=tuple(sorted(x for x in notes.items() if x[0].startswith(f"{GROUP}/"))),
            packed_spec=_packed(body.get("spec") or {}),
            packed_status=_packed(body.get("status") or {}),
        )

    @property
    def spec_json(self) -> bytes:
        """The spec as JSON text."""
        return zlib.decompress(self.packed_spec)

    @property
    def spec(self) -> dict[str, Any]:
        """The spec, parsed anew."""
        parsed: dict[str, Any] = orjson.loads(self.spec_json)
        return parsed

    @property
    def status(self) -> dict[str, Any]:
        """The status, parsed anew."""
        parsed: dict[str, Any] = orjson.loads(zlib.decompress(self.packed_status))
        return parsed

    @property
    def held(self) -> bool:
        """Whether the operator's finalizer is in place."""
        return FINALIZER in self.finalizers

    @property
    def paused(self) -> bool:
        """Whether its author asked the operator to leave it alone."""
        return self._says(PAUSED_ANNOTATION)

    @property
    def adopts(self) -> bool:
        """Whether it may take over a name made through the REST API."""
        return self._says(ADOPT_ANNOTATION)

    @property
    def forced(self) -> bool:
        """Whether it shall go although a back end cannot be cleaned up."""
        return self._says(FORCE_DELETE_ANNOTATION)

    @property
    def wish(self) -> tuple[object, ...]:
        """Everything that an author decides; two states with the same wish need the same work."""
        return (self.uid, self.generation, self.annotations, self.deleting)

    def _says(self, annotation: str) -> bool:
        return dict(self.annotations).get(annotation, "").lower() == "true"


def _packed(value: Mapping[str, Any]) -> bytes:
    return zlib.compress(orjson.dumps(value), level=1)
