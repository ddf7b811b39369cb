"""Whose work somebody may see and decide on."""

from __future__ import annotations

from kourse.contracts.errors import NotFound
from kourse.contracts.permissions import Permission
from kourse.kit.auth.actor import Actor


def cohorts_within(
    actor: Actor, permission: Permission, course: str, cohort: str | None = None
) -> frozenset[str] | None:
    """Cohorts for whose learners in a course the actor holds a permission; None means everybody's.

    Args:
        actor: Who asks; holds the permission somewhere.
        permission: What they want to do.
        course: The course.
        cohort: The only cohort asked for, or None.

    Raises:
        NotFound: None of what is asked for; the same as if it did not exist.
    """
    everybody = actor.holds(permission, course=course)
    scope = actor.scope_names(permission, "cohort")
    if cohort is not None and (everybody or cohort in scope):
        return frozenset({cohort})
    if cohort is None and everybody:
        return None
    if cohort is None and scope:
        return scope
    raise NotFound(f"There is nothing of the course {course!r} for you here.")
