"""Takes a course out of service, and deletes what learners made only where the policy says so."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.resources import DeletionPolicy
from kourse.course.repository import content
from kourse.course.service.publishing import KIND
from kourse.kit import documents
from kourse.kit.documents import Pending

LEARNERS_REMAIN = Pending("LearnersRemain", "What learners made with the course is being deleted.")
DELETING = Pending("Deleting", "The course and what learners made with it are being deleted.")


async def retire(
    tx: AsyncSession, name: str, uid: str | None, policy: DeletionPolicy
) -> list[Pending]:
    """The course is no longer declared; empty when done.

    With Retain it is no longer offered, and learners can read what they had. With Delete the course
    goes once the sweeper has deleted what learners made with it; until then that is pending.

    Raises:
        OwnedByResource: The API may not delete what a resource declares.
    """
    if not await documents.release(tx, KIND, name, uid):
        if await documents.find(tx, KIND, name) is None:
            await content.forget_prerequisites(tx, name)
        return []
    await content.forget_prerequisites(tx, name)
    course = await content.find_course(tx, name, lock=True)
    if course is None:
        return []
    if policy is DeletionPolicy.RETAIN:
        await content.retire(tx, course.id)
        return []
    if await content.has_enrolments(tx, course.id):
        await content.start_purge(tx, course.id)
        return [LEARNERS_REMAIN]
    await content.delete_course(tx, course.id)
    await documents.release(tx, KIND, name, uid, forget=True)
    return []


async def begin_deletion(tx: AsyncSession, name: str) -> None:
    """A course made through the REST API is out of service, and the sweeper deletes all of it."""
    course = await content.find_course(tx, name, lock=True)
    if await documents.release(tx, KIND, name, None) and course is not None:
        await content.forget_prerequisites(tx, name)
        await content.start_purge(tx, course.id)
