"""Entries of the audit trail as they are sealed and as they are shown: one form for both."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kourse.rules.audit_chain import address_digest, hash_of, plain


def sealed(
    told: Mapping[str, Any], *, seq: int, previous: str, sealed_at: datetime, salt: bytes
) -> dict[str, Any]:
    """A row of the trail: what was told, behind the entry whose hash is ``previous``.

    Args:
        told: Tenant, id, at, source, actor, action, target, outcome, detail, correlation and address.
        seq: The entry's number.
        previous: Hash of the entry before it.
        sealed_at: Now.
        salt: Random bytes for the address, 32 or more.
    """
    row = {name: value for name, value in told.items() if name != "address"}
    digest = address_digest(salt, told["address"]) if told["address"] else None
    row |= {"detail": plain(told["detail"]), "seq": seq, "previous": previous}
    row |= {"sealed_at": sealed_at, "address_digest": digest}
    row["hash"] = hash_of(shown(row | {"hash": None}))
    return row


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """An entry as it is exported and hashed; see ``rules.audit_chain``."""
    salt = row.get("salt")
    return {
        "tenant": row["tenant"],
        "seq": row["seq"],
        "id": str(row["id"]),
        "at": spelled(row["at"]),
        "sealedAt": spelled(row["sealed_at"]),
        "source": row["source"],
        "actor": row["actor"],
        "action": row["action"],
        "target": row["target"],
        "outcome": row["outcome"],
        "detail": row["detail"],
        "correlation": row["correlation"],
        "addressDigest": row["address_digest"],
        "previous": row["previous"],
        "hash": row["hash"],
        "address": row.get("address"),
        "salt": None if salt is None else bytes(salt).hex(),
    }


def spelled(moment: datetime) -> str:
    """The moment in UTC with microseconds, as ``2026-01-31T08:00:00.000000Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
