"""Recording an act in its own transaction, so that neither is there without the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.kit.audit.entries import DONE
from kourse.kit.db import statement
from kourse.kit.telemetry import client_address, correlation_id
from kourse.rules.audit_chain import plain

_RECORD = """
INSERT INTO {schema}.audit_entry (tenant, actor, action, target, outcome, detail, correlation, address)
VALUES (:tenant, :actor, :action, :target, :outcome, CAST(:detail AS jsonb), :correlation, :address)
"""


async def record(
    tx: AsyncSession,
    action: str,
    *,
    actor: object,
    target: object = "",
    outcome: str = DONE,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Adds an entry to what the trail will be told; it holds ids and what the person said as a reason.

    Args:
        tx: The transaction of the act; its tenant is the entry's.
        action: Name of the act, for example ``event.drop``.
        actor: Id of who acts.
        target: Id of what it is done to.
        outcome: ``done`` or ``refused``.
        detail: More facts, none of them personal or secret; numbers that are no integers become text.
    """
    await tx.execute(
        statement(tx.info["schema"], _RECORD),
        {
            "tenant": tx.info["tenant"],
            "actor": str(actor),
            "action": action,
            "target": str(target),
            "outcome": outcome,
            "detail": orjson.dumps(plain(detail or {})).decode(),
            "correlation": correlation_id(),
            "address": client_address(),
        },
    )
