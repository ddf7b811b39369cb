"""Deletes, in small steps, the memberships of cohorts that were deleted for good."""

from __future__ import annotations

import asyncio
from uuid import UUID

from kourse.contracts.errors import Unavailable
from kourse.contracts.resources import DeletionPolicy
from kourse.kit import documents
from kourse.kit.runtime import Runtime
from kourse.kit.telemetry import get_logger
from kourse.profile.repository import joining
from kourse.profile.service import declaring

BATCH = 500
"""Memberships deleted in one transaction, so that no lock is held for long."""
log = get_logger(__name__)


async def sweep_forever(runtime: Runtime) -> None:
    """Sweeps again and again until it is cancelled."""
    while True:
        try:
            await sweep(runtime)
        except Unavailable as error:
            log.warning("purge.postponed", reason=error.detail)
        await asyncio.sleep(runtime.settings.purge_interval.total_seconds())


async def sweep(runtime: Runtime) -> int:
    """Deletes all that is to go now; how many cohorts were dealt with."""
    async with runtime.worker_database.transaction(None) as tx:
        due = await joining.list_purges(tx)
    for tenant, name, cohort_id in due:
        await _purge(runtime, tenant, name, cohort_id)
    return len(due)


async def _purge(runtime: Runtime, tenant: str, name: str, cohort_id: UUID) -> None:
    deleted = BATCH
    while deleted == BATCH:
        async with runtime.database.transaction(tenant) as tx:
            deleted = await joining.purge_members(tx, cohort_id, BATCH)
    async with runtime.database.transaction(tenant) as tx:
        declared = await documents.find(tx, declaring.KIND, name)
        await documents.wake(tx, tenant, declaring.KIND, name)
        if declared is not None and declared.source == "api" and declared.retired:
            await declaring.retire(tx, name, None, DeletionPolicy.DELETE)
