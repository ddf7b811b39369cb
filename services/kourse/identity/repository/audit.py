"""The audit trail of authentication: who, what, on whom, with what end; ids only, never addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.identity.tables import SCHEMA, metadata

_ENTRIES = metadata.tables[f"{SCHEMA}.audit_entry"]
NOBODY = "anonymous"


async def record(
    tx: AsyncSession,
    action: str,
    *,
    actor: object = NOBODY,
    target: object = "",
    outcome: str = "done",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Adds an entry in the transaction of the act, so neither is there without the other.

    Args:
        tx: The transaction of the act; its tenant is the entry's.
        action: Name of the act, for example ``auth.login``.
        actor: Id of who acted.
        target: Id of what it was done to.
        outcome: ``done`` or ``refused``.
        detail: More facts, none of them personal or secret.
    """
    await tx.execute(
        insert(_ENTRIES).values(
            tenant=tx.info["tenant"],
            actor=str(actor),
            action=action,
            target=str(target),
            outcome=outcome,
            detail=dict(detail or {}),
        )
    )
