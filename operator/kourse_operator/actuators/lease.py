"""The Lease of the operator at the Kubernetes API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from kourse_operator.actuators.kubernetes import KubernetesCluster
from kourse_operator.engine.election import Record
from kourse_operator.errors import Outdated

API = "coordination.k8s.io/v1"
_JSON = {"Content-Type": "application/json"}
_LONG_AGO = "1970-01-01T00:00:00Z"


class KubernetesLease:
    """One Lease by namespace and name."""

    def __init__(self, cluster: KubernetesCluster, namespace: str, name: str) -> None:
        """``cluster`` should serve nothing else, so that renewals never wait for other requests."""
        self._cluster = cluster
        self._place = f"/apis/{API}/namespaces/{namespace}/leases"
        self._name = name

    async def read(self) -> Record | None:
        """What it says, or None when there is none."""
        body = await self._cluster.request("GET", f"{self._place}/{self._name}")
        return _record(body) if body else None

    async def write(self, record: Record) -> Record:
        """The Lease after it was made, or changed from the version that the record names.

        Raises:
            Outdated: Somebody else made, changed or deleted it.
        """
        content = orjson.dumps(_body(self._name, record))
        method, path = ("PUT", f"/{self._name}") if record.version else ("POST", "")
        body = await self._cluster.request(method, self._place + path, content, _JSON)
        if body is None:
            raise Outdated("The Lease was made or deleted by somebody else.")
        return _record(body)

    async def close(self) -> None:
        """Lets go of the connections."""
        await self._cluster.close()


def _record(body: dict[str, Any]) -> Record:
    meta, spec = body["metadata"], body.get("spec") or {}
    return Record(
        holder=spec.get("holderIdentity") or "",
        duration_s=spec.get("leaseDurationSeconds") or 1,
        acquired=datetime.fromisoformat(spec.get("acquireTime") or _LONG_AGO),
        renewed=datetime.fromisoformat(spec.get("renewTime") or _LONG_AGO),
        transitions=spec.get("leaseTransitions") or 0,
        uid=meta["uid"],
        version=meta["resourceVersion"],
    )


def _body(name: str, record: Record) -> dict[str, Any]:
    known = {"uid": record.uid, "resourceVersion": record.version} if record.version else {}
    return {
        "apiVersion": API,
        "kind": "Lease",
        "metadata": {"name": name, **known},
        "spec": {
            "holderIdentity": record.holder,
            "leaseDurationSeconds": record.duration_s,
            "acquireTime": _micro(record.acquired),
            "renewTime": _micro(record.renewed),
            "leaseTransitions": record.transitions,
        },
    }


def _micro(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
