"""What a program may do: never more than the roles behind it, and only what its token was made for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from kourse.contracts.permissions import Permission, permissions_of
from kourse.identity.domain.accounts import Assignment, Standing


@dataclass(frozen=True)
class Scope:
    """One course, one cohort, or with neither the whole tenant."""

    course: str | None = None
    cohort: str | None = None

    @property
    def is_tenant(self) -> bool:
        """Whether it is the whole tenant."""
        return self.course is None and self.cohort is None


def narrowed(assignments: Iterable[Assignment], scope: Scope) -> list[Assignment]:
    """The roles as they count within the scope; what is held elsewhere does not.

    A role in the whole tenant counts as one in the course or cohort.
    """
    if scope.is_tenant:
        return list(assignments)
    return [
        replace(one, course=scope.course, cohort=scope.cohort)
        for one in assignments
        if one.is_tenant_wide or Scope(one.course, one.cohort) == scope
    ]


def allowed(standing: Standing) -> frozenset[Permission]:
    """Everything that the roles allow in the tenant or in any part of it."""
    scoped = (held.partition("@")[0] for held in standing.scopes)
    return permissions_of([*standing.roles, *scoped])


def granted(
    standing: Standing, limit: frozenset[Permission], wanted: frozenset[Permission] | None
) -> frozenset[Permission]:
    """What a token for a program allows at most.

    Args:
        standing: The roles behind it, as they count now.
        limit: What the program's secret was made for.
        wanted: What the program asks for; None for all that it can get.
    """
    most = allowed(standing) & limit
    return most if wanted is None else most & wanted
