"""The audit trail of what teachers see and do with cohorts; ids and names of cohorts only."""

from __future__ import annotations

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.kit.auth import Actor
from kourse.kit.telemetry import correlation_id
from kourse.profile.tables import SCHEMA, metadata

_ENTRIES = metadata.tables[f"{SCHEMA}.audit_entry"]


async def record(tx: AsyncSession, actor: Actor, action: str, target: str) -> None:
    """A person did something that others may ask about later."""
    await tx.execute(
        insert(_ENTRIES).values(
            tenant=tx.info["tenant"],
            actor=str(actor.user_id),
            action=action,
            target=target,
            outcome="done",
            correlation=correlation_id(),
        )
    )
