"""Tells everybody in a course, page by page, so that nobody's own notice waits for a class of thousands.

The first page is told where the event is taken, which is all there is for most courses. The others follow in
transactions of their own, each with its place in the list, so that a process that dies repeats nothing.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.kit.db import Database
from kourse.notification.repository import broadcasts, notices
from kourse.notification.repository.notices import Notice

PAGE = 250
"""Learners that one transaction tells: some tens of milliseconds of the database's time."""


async def tell_enrolled(tx: AsyncSession, course_id: UUID, notice: Notice) -> None:
    """Everybody who is enrolled in the course is told, once: a page now, the others soon."""
    told_up_to = await _tell_page(tx, course_id, notice, after=None)
    if told_up_to is not None:
        await broadcasts.add(tx, course_id, notice, after=told_up_to)


async def sweep(database: Database, worker: Database) -> int:
    """Tells all who are still to be told; how many pages that were."""
    count = 0
    while True:
        async with worker.transaction(None) as tx:
            tenants = await broadcasts.list_tenants(tx)
        told = [await _go_on(database, tenant) for tenant in tenants]
        count += sum(told)
        if not any(told):
            return count


async def _go_on(database: Database, tenant: str) -> bool:
    async with database.transaction(tenant) as tx:
        one = await broadcasts.take(tx)
        if one is None:
            return False
        told_up_to = await _tell_page(tx, one.course_id, one.notice, after=one.after)
        if told_up_to is None:
            await broadcasts.end(tx, one.id)
        else:
            await broadcasts.go_on(tx, one.id, after=told_up_to)
    return True


async def _tell_page(
    tx: AsyncSession, course_id: UUID, notice: Notice, *, after: UUID | None
) -> UUID | None:
    """Whom the page ended with; None when it was the last one."""
    page = await broadcasts.list_page(tx, course_id, after=after, limit=PAGE)
    if page:
        await notices.tell_each(tx, page, notice)
    return page[-1] if len(page) == PAGE else None
