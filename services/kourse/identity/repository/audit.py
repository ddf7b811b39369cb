"""What identity records of authentication and of accounts: ids only, never names or mail addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.kit.audit import recording
from kourse.kit.audit.entries import DONE, NOBODY


async def record(
    tx: AsyncSession,
    action: str,
    *,
    actor: object = NOBODY,
    target: object = "",
    outcome: str = DONE,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Adds an entry in the transaction of the act, as ``recording.record``; by default nobody's."""
    await recording.record(tx, action, actor=actor, target=target, outcome=outcome, detail=detail)
