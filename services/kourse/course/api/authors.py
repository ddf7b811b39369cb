"""Who writes courses."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path

from kourse.contracts.errors import Forbidden, NotFound
from kourse.contracts.permissions import DENIALS, Permission
from kourse.contracts.resources import CourseSpec
from kourse.contracts.resources.meta import Lifecycle, Name
from kourse.kit.auth import Actor, allow

CourseName = Annotated[Name, Path(description="Name of the course.")]
LIVE = frozenset({Lifecycle.PUBLISHED, Lifecycle.ARCHIVED})
"""Where a version reaches learners."""


async def _author(
    actor: Annotated[Actor, allow(Permission.COURSE_AUTHOR, scoped=True)], course: CourseName
) -> Actor:
    return _holder(actor, course, Permission.COURSE_AUTHOR)


async def _publisher(
    actor: Annotated[Actor, allow(Permission.COURSE_PUBLISH, scoped=True)], course: CourseName
) -> Actor:
    return _holder(actor, course, Permission.COURSE_PUBLISH)


def _holder(actor: Actor, course: str, permission: Permission) -> Actor:
    if not actor.holds(permission, course=course):
        # The same answer as for a course that does not exist.
        raise NotFound(f"There is no course {course!r} here.")
    return actor


Author = Annotated[Actor, Depends(_author)]
Publisher = Annotated[Actor, Depends(_publisher)]


def require_may_publish(actor: Actor, course: str, spec: CourseSpec) -> None:
    """Returns when the actor may have learners get what the document says.

    Raises:
        Forbidden: They write drafts alone, and the document is none.
    """
    if spec.lifecycle in LIVE and not actor.holds(Permission.COURSE_PUBLISH, course=course):
        raise Forbidden(
            f"{DENIALS[Permission.COURSE_PUBLISH]} Send it with the lifecycle Draft or Review."
        )
