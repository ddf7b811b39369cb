"""Removes files that no answer needs, once they are old enough not to be on their way any more.

A file is needed while its attempt runs or its answer names it. What was sent and never taken over
lies among course's drafts, which course collects.
"""

from __future__ import annotations

from datetime import timedelta

from kourse.assessment.repository import files
from kourse.assessment.service.files import bucket_of
from kourse.contracts import names
from kourse.contracts.errors import NotFound, Unavailable
from kourse.kit import sweeping
from kourse.kit.clock import database_now
from kourse.kit.runtime import Runtime
from kourse.kit.telemetry import get_logger

log = get_logger(__name__)


async def sweep_forever(runtime: Runtime) -> None:
    """Sweeps again and again until it is cancelled."""
    interval_s = runtime.settings.collect_interval.total_seconds()
    await sweeping.repeat(lambda: sweep(runtime), interval_s)


async def sweep(runtime: Runtime) -> int:
    """Looks through the answers in the bucket of every course with exams; how many files went.

    Raises:
        Unavailable: Database or object store do not answer.
    """
    async with runtime.worker_database.transaction(None) as tx:
        places = await files.list_places(tx)
    grace = runtime.settings.collect_grace
    return sum([await _try(runtime, tenant, course, grace) for tenant, course in places])


async def _try(runtime: Runtime, tenant: str, course: str, grace: timedelta) -> int:
    """Collects; a course that fails is logged and holds up no other."""
    try:
        return await collect(runtime, tenant, course, grace)
    except Unavailable:
        raise
    except Exception:
        log.exception("collecting.failed", tenant=tenant, course=course)
        return 0


async def collect(runtime: Runtime, tenant: str, course: str, grace: timedelta) -> int:
    """Removes what no answer of the course needs and is older than ``grace``; how many files went.

    Raises:
        Unavailable: Database or object store do not answer.
    """
    bucket = bucket_of(runtime, tenant, course)
    try:
        found = await runtime.store.list(bucket, names.ANSWERS)
    except NotFound:
        return 0
    async with runtime.database.transaction(tenant) as tx:
        before = await database_now(tx) - grace
        await files.drop_abandoned(tx, course, before)
        old = {info.key for info in found if info.modified_at < before}
        doomed = old - await files.needed(tx, old)
    for key in sorted(doomed):
        await runtime.store.delete(bucket, key)
    if doomed:
        log.info("files.collected", course=course, count=len(doomed))
    return len(doomed)
