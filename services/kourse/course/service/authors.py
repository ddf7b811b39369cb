"""What authors see of their courses and of the versions that there were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.contracts.permissions import Permission
from kourse.course.repository import versions
from kourse.kit.auth import Actor


async def list_authored(
    tx: AsyncSession, actor: Actor, after: str | None, limit: int
) -> Sequence[Row[Any]]:
    """The courses that the actor writes, by name."""
    held = actor.holds(Permission.COURSE_AUTHOR)
    names = None if held else actor.scope_names(Permission.COURSE_AUTHOR, "course")
    return await versions.list_authored(tx, names, after, limit)


async def list_versions(
    tx: AsyncSession, course: str, before: int | None, limit: int
) -> Sequence[Row[Any]]:
    """The versions of a course, newest first.

    Raises:
        NotFound: There is no such course.
    """
    found = await versions.list_versions(tx, course, before, limit)
    if not found and before is None:
        raise NotFound(f"There is no course {course!r} here.")
    return found


async def get_version(tx: AsyncSession, course: str, number: int) -> Row[Any]:
    """A version with its content.

    Raises:
        NotFound: There is no such course, or no such version of it.
    """
    found = await versions.find_version(tx, course, number)
    if found is None:
        raise NotFound(f"There is no version {number} of {course!r} here.")
    return found
