"""Hands what a service recorded to the trail, within a second or so, and keeps it until that has it.

Replicas may hand over the same entries at the same time: the trail knows an entry by its id.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import KourseError
from kourse.kit.audit.denials import Denials
from kourse.kit.audit.entries import Entry, Trail
from kourse.kit.db import Database, statement
from kourse.kit.sweeping import repeat
from kourse.kit.telemetry import get_logger
from kourse.kit.telemetry.metrics import AUDIT_DENIALS

EVERY_S = 1.0
BATCH = 200
_READ = """
SELECT entry_id, tenant, at, actor, action, target, outcome, detail, coalesce(correlation, ''), address
FROM {schema}.audit_entry ORDER BY id LIMIT :batch
"""
_FORGET = "DELETE FROM {schema}.audit_entry WHERE entry_id = ANY(:ids)"
log = get_logger(__name__)


class Forwarder:
    """Hands entries over again and again.

    Args:
        service: The service's name.
        trail: Where they go.
        denials: What has no transaction.
        worker: Of the service's worker role, or None for a service without storage.
    """

    def __init__(
        self, service: str, trail: Trail, denials: Denials, worker: Database | None
    ) -> None:
        self._service = service
        self._trail = trail
        self._denials = denials
        self._worker = worker

    async def run(self) -> None:
        """Forwards every second until cancelled."""
        await repeat(self.forward, EVERY_S)

    async def forward(self) -> None:
        """All that was recorded until now is in the trail.

        Raises:
            KourseError: It could not be told; nothing is lost.
        """
        await self._tell_denials()
        if self._worker is not None:
            while await self._pass_on(self._worker) == BATCH:
                pass

    async def flush(self) -> None:
        """As ``forward``, once, at the end of the process: denials that cannot be told now are counted."""
        left = self._denials.take(all_=True)
        try:
            if left:
                await self._trail.append(left)
        except KourseError as error:
            AUDIT_DENIALS.labels(self._service, "dropped").inc(len(left))
            log.warning("denials are lost", count=len(left), reason=error.detail)

    async def _tell_denials(self) -> None:
        taken = self._denials.take()
        if not taken:
            return
        try:
            await self._trail.append(taken)
        except BaseException:
            self._denials.give_back(taken)
            raise

    async def _pass_on(self, worker: Database) -> int:
        """Entries of the oldest batch, which is in the trail and no longer here."""
        async with worker.transaction(None) as tx:
            batch = await _oldest(tx, worker.schema)
        if batch:
            await self._trail.append(batch)
            async with worker.transaction(None) as tx:
                ids: list[UUID] = [entry.id for entry in batch]
                await tx.execute(statement(worker.schema, _FORGET), {"ids": ids})
        return len(batch)


async def _oldest(tx: AsyncSession, schema: str) -> list[Entry]:
    found = await tx.execute(statement(schema, _READ), {"batch": BATCH})
    return [Entry(*row) for row in found]
