"""What actors of identity may do to others, as pure answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from kourse.contracts.errors import Forbidden
from kourse.contracts.permissions import ROLE_PERMISSIONS, Permission, Role, permissions_of
from kourse.identity.domain.accounts import Assignment
from kourse.identity.domain.programs import Scope
from kourse.kit.auth import Actor

Answer = Literal[True] | str
"""True, or the sentence that says why not."""


def may_grant(
    actor: Actor, assignments: Iterable[Assignment], limit: frozenset[Permission] | None = None
) -> Answer:
    """Whether the actor may give the roles: nobody gives more than they hold where the role is to count.

    What every learner may do gives no power over anybody, so it need not be held.

    Args:
        actor: Who gives.
        assignments: The roles and where they are to count.
        limit: All that the roles are to allow at most; None for no such limit.
    """
    for one in assignments:
        needed = permissions_of([one.role.value]) - ROLE_PERMISSIONS[Role.LEARNER]
        needed = needed if limit is None else needed & limit
        if not all(actor.holds(each, course=one.course, cohort=one.cohort) for each in needed):
            return f"The role {one.role.value} allows more than you may yourself."
    return True


def may_limit(
    actor: Actor, permissions: Iterable[Permission], scope: Scope, *, barred: frozenset[Permission]
) -> Answer:
    """Whether a program may get these permissions from the actor: those they hold, none that are barred."""
    for one in permissions:
        if one in barred:
            return f"No program may get the permission {one.value}."
        is_held = (
            actor.holds_somewhere(one)
            if scope.is_tenant
            else actor.holds(one, course=scope.course, cohort=scope.cohort)
        )
        if not is_held:
            return f"You do not hold the permission {one.value} there."
    return True


def ensure(answer: Answer) -> None:
    """Returns when the answer is True.

    Raises:
        Forbidden: It is a reason.
    """
    if answer is not True:
        raise Forbidden(answer)
