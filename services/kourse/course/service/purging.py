"""Deletes, in small steps, what learners made with courses that were deleted for good."""

from __future__ import annotations

from kourse.contracts import names
from kourse.contracts.resources import DeletionPolicy
from kourse.course.repository import content
from kourse.course.service import enrolments, publishing, retirement
from kourse.kit import documents, sweeping
from kourse.kit.runtime import Runtime
from kourse.kit.telemetry import get_logger

BATCH = 500
"""Enrolments deleted in one transaction, so that no lock is held for long."""
log = get_logger(__name__)


async def sweep_forever(runtime: Runtime) -> None:
    """Sweeps again and again until it is cancelled."""
    interval_s = runtime.settings.purge_interval.total_seconds()
    await sweeping.repeat(lambda: sweep(runtime), interval_s)


async def sweep(runtime: Runtime) -> int:
    """Deletes all that is to go now; how many courses were dealt with."""
    async with runtime.worker_database.transaction(None) as tx:
        due = await content.list_purges(tx)
    for tenant, name in due:
        await _purge(runtime, tenant, name)
    return len(due)


async def _purge(runtime: Runtime, tenant: str, name: str) -> None:
    finished = False
    while not finished:
        async with runtime.database.transaction(tenant) as tx:
            finished = await enrolments.purge(tx, name, BATCH)
            if finished:
                await documents.wake(tx, tenant, publishing.KIND, name)
                declared = await documents.find(tx, publishing.KIND, name)
    if declared is not None and declared.source == "api" and declared.retired:
        await _finish(runtime, tenant, name)


async def _finish(runtime: Runtime, tenant: str, name: str) -> None:
    """Ends the deletion of a course that was made through the REST API; the operator ends all others."""
    # The bucket first: should this be cut short, the course is still there to be swept again.
    await runtime.buckets.delete_bucket(names.bucket(runtime.settings.bucket_prefix, tenant, name))
    async with runtime.database.transaction(tenant) as tx:
        await retirement.retire(tx, name, None, DeletionPolicy.DELETE)
    log.info("course.deleted", course=name)
