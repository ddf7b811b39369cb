"""The audit trail of operations: an entry in the act's own transaction, so neither is there without the other."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.kit.auth import Actor
from kourse.kit.db import statement
from kourse.kit.telemetry import correlation_id

_RECORD = """
INSERT INTO {schema}.audit_entry (tenant, actor, action, target, outcome, detail, correlation)
VALUES (:tenant, :actor, :action, :target, 'done', CAST(:detail AS jsonb), :correlation)
"""


async def record(
    tx: AsyncSession, actor: Actor, action: str, target: object, **detail: Any
) -> None:
    """Adds an entry; it holds ids and what the person said, nothing of what events say.

    Args:
        tx: The transaction of the act.
        actor: Who acts.
        action: Name of the act, for example ``event.drop``.
        target: Id of what it is done to.
        detail: More facts.
    """
    await tx.execute(
        statement(tx.info["schema"], _RECORD),
        {
            "tenant": tx.info["tenant"],
            "actor": str(actor.user_id),
            "action": action,
            "target": str(target),
            "detail": orjson.dumps(detail, default=str).decode(),
            "correlation": correlation_id(),
        },
    )
