"""Who may see whose grades."""

from __future__ import annotations

from kourse.contracts.errors import NotFound
from kourse.contracts.permissions import Permission
from kourse.kit.auth import Actor


def readable_cohorts(actor: Actor, course: str, cohort: str | None) -> frozenset[str] | None:
    """Cohorts whose learners' grades in a course the actor may read; None means everybody's.

    Args:
        actor: Who asks; holds the permission somewhere.
        course: The course.
        cohort: The only cohort asked for, or None.

    Raises:
        NotFound: None of what is asked for; the same as if it did not exist.
    """
    permission = Permission.GRADEBOOK_READ
    everybody = actor.holds(permission, course=course)
    scope = actor.scope_names(permission, "cohort")
    if cohort is not None and (everybody or cohort in scope):
        return frozenset({cohort})
    if cohort is None and everybody:
        return None
    if cohort is None and scope:
        return scope
    raise NotFound(f"There is no course {course!r} whose grade book you may read.")
