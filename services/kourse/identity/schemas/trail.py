"""The audit trail on the wire: entries in the very form that their hashes cover."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, JsonValue

from kourse.kit.http import View

_EXAMPLE: dict[str, JsonValue] = {
    "tenant": "demo",
    "seq": 2,
    "id": "019a6a3e-5a1c-7c0e-9d2e-6f0f6d0c8a11",
    "at": "2026-11-23T08:15:02.120312Z",
    "sealedAt": "2026-11-23T08:15:02.911004Z",
    "source": "identity",
    "actor": "019a6a3d-0e7b-7b52-8a1f-0d5c1f6a9b33",
    "action": "membership.assign-roles",
    "target": "019a6a3d-44c0-7d0a-b0e4-1f2a3b4c5d6e",
    "outcome": "done",
    "detail": {"roles": ["learner", "teacher@cohort:autumn"]},
    "correlation": "019a6a3e5a0f3c1d2e4b5a6978",
    "addressDigest": "5f0f2b3f3c9d0c7e0a8f5b1d2c4e6a8091b3d5f7092b4d6f8a0c2e4f60718293",
    "previous": "8d6b6f0c1a2e3d4c5b6a79880f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c",
    "hash": "1c9f0e3a5b7d29486a0c1e3f5d7b9a8c6e4f2d0b1a3c5e7f9081a2b3c4d5e6f7",
    "address": "192.0.2.17",
    "salt": "77c1f3a90b2d4e6f8091a2b3c4d5e6f70819a2b3c4d5e6f708192a3b4c5d6e7f",
}


class Form(StrEnum):
    """How an export is written."""

    NDJSON = "ndjson"
    CSV = "csv"


class AuditEntry(View):
    """Something that was done, or that somebody was refused."""

    model_config = ConfigDict(**View.model_config, json_schema_extra={"examples": [_EXAMPLE]})

    tenant: str
    seq: int
    """Its number; the trail has no gaps."""
    id: str
    at: str
    """When it was done (UTC)."""
    sealed_at: str
    """When it was sealed (UTC), a second or so later."""
    source: str
    """Service that told of it."""
    actor: str
    """Id of who acted; `anonymous`, `installer` or `service:…` where that is no account."""
    action: str
    target: str
    """Id or address of what it was done to."""
    outcome: str
    """`done` or `refused`."""
    detail: dict[str, Any]
    correlation: str
    """Id of the request, as in logs and problem documents."""
    address_digest: str | None
    """HMAC-SHA-256 of the address under the salt; null where there was no address."""
    previous: str
    """Hash of the entry before it."""
    hash: str
    """SHA-256 of the entry's canonical form."""
    address: str | None
    """Network address that asked; null when there was none or when it was erased."""
    salt: str | None


class TrailHead(View):
    """Where the trail ends.

    Kept elsewhere, it lets a later look find a trail that was cut off or sealed anew.
    """

    seq: Annotated[int, Field(examples=[2])]
    """Number of the last entry; 0 for an empty trail."""
    hash: Annotated[str, Field(examples=[_EXAMPLE["hash"]])]
    """Its hash."""
