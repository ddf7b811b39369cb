"""Deletes, in small steps, the memberships of cohorts that were deleted for good."""

from __future__ import annotations

from kourse.contracts.resources import DeletionPolicy
from kourse.kit import documents, sweeping
from kourse.kit.runtime import Runtime
from kourse.kit.telemetry import get_logger
from kourse.profile.repository import cohorts, members
from kourse.profile.service import declaring

BATCH = 1000
"""Memberships deleted in one transaction, so that no lock is held for long."""
log = get_logger(__name__)


async def sweep_forever(runtime: Runtime) -> None:
    """Sweeps again and again until it is cancelled."""
    interval_s = runtime.settings.purge_interval.total_seconds()
    await sweeping.repeat(lambda: sweep(runtime), interval_s)


async def sweep(runtime: Runtime) -> int:
    """Deletes all that is to go now; how many cohorts were dealt with."""
    async with runtime.worker_database.transaction(None) as tx:
        due = await cohorts.list_purges(tx)
    for tenant, name in due:
        while not await _purge_some(runtime, tenant, name):
            pass
    return len(due)


async def _purge_some(runtime: Runtime, tenant: str, name: str) -> bool:
    async with runtime.database.transaction(tenant) as tx:
        cohort = await cohorts.find_cohort(tx, name, lock=True)
        if cohort is None or cohort.purge_at is None:
            return True
        if await members.delete_members(tx, cohort.id, BATCH) == BATCH:
            return False
        declared = await documents.find(tx, declaring.KIND, name)
        if declared is not None and declared.source == "api":
            # The operator ends the deletion of all others.
            await declaring.retire(tx, name, None, DeletionPolicy.DELETE)
            log.info("cohort.deleted", cohort=name)
        await documents.wake(tx, tenant, declaring.KIND, name)
        return True
