"""Removes files that nothing refers to, once they are old enough not to be on their way any more.

A lesson's file is needed while any version of its course names it, a hand-in's while a receipt or a file
that waits to be handed in does, and a sent file until it was taken over, which takes minutes.
"""

from __future__ import annotations

from datetime import timedelta

from kourse.contracts import names
from kourse.contracts.errors import NotFound, Unavailable
from kourse.course.repository import collections
from kourse.course.service.files import bucket_of
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
    """Looks through the bucket of every course; how many files went.

    Raises:
        Unavailable: Database or object store do not answer.
    """
    async with runtime.worker_database.transaction(None) as tx:
        courses = await collections.list_courses(tx)
    grace = runtime.settings.collect_grace
    return sum([await _try(runtime, tenant, course, grace) for tenant, course in courses])


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
    """Removes what nothing of the course refers to and is older than ``grace``; how many files went.

    Raises:
        Unavailable: Database or object store do not answer.
    """
    bucket = bucket_of(runtime, tenant, course)
    try:
        found = await runtime.store.list(bucket)
    except NotFound:
        return 0
    # The course stays locked while its files go: a new version that names one of them comes after, and
    # finds that it has to be sent again.
    async with runtime.database.transaction(tenant) as tx:
        locked = await collections.lock_course(tx, course)
        if locked is None:
            return 0
        before = await database_now(tx) - grace
        await collections.drop_unsent(tx, locked.id, before)
        old = {info.key for info in found if info.modified_at < before}
        doomed = {key for key in old if key.startswith(names.DRAFTS)}
        doomed |= await collections.unneeded_content(tx, locked.id, old)
        doomed |= await collections.unneeded_work(tx, locked.id, old)
        for key in sorted(doomed):
            await runtime.store.delete(bucket, key)
    if doomed:
        log.info("files.collected", course=course, count=len(doomed))
    return len(doomed)
