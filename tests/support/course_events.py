"""Hands a course's newest event to its siblings, as relay and broker do it."""

from contextlib import asynccontextmanager

from sqlalchemy import text

from kourse.assessment.service import replicas
from kourse.contracts.events import ContentPublished
from kourse.kit import documents
from kourse.kit.db import Database
from kourse.profile.repository import cohorts

_NEWEST = text(
    "SELECT payload FROM course.outbox WHERE type = 'course.content.published' "
    "AND payload ->> 'course' = :course ORDER BY id DESC LIMIT 1"
)


async def deliver_published(scratch, tenant, course):
    """Assessment and profile know the course from now on, and wake what waits for it."""
    event = ContentPublished.model_validate(await _published(scratch, tenant, course))
    async with _transaction(scratch, "assessment", tenant) as tx:
        await replicas.take_course(tx, event)
    async with _transaction(scratch, "profile", tenant) as tx:
        await cohorts.save_course(tx, event.course, event.course_id, event.title, event.version)
        await documents.wake_waiting(tx)


async def _published(scratch, tenant, course):
    async with _transaction(scratch, "course", tenant) as tx:
        return await tx.scalar(_NEWEST, {"course": course})


@asynccontextmanager
async def _transaction(scratch, service, tenant):
    database = Database(scratch.url(f"kourse_{service}"), service, pool_size=1)
    try:
        async with database.transaction(tenant) as tx:
            yield tx
    finally:
        await database.close()
