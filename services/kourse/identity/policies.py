"""What actors of identity may do to others, as pure answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from kourse.contracts.errors import Forbidden
from kourse.contracts.permissions import Permission, permissions_of
from kourse.identity.domain.accounts import Assignment

Answer = Literal[True] | str
"""True, or the sentence that says why not."""


def may_grant(held: frozenset[Permission], assignments: Iterable[Assignment]) -> Answer:
    """Whether somebody who holds these permissions may give the roles: never more than their own."""
    for assignment in assignments:
        if not permissions_of([assignment.role.value]) <= held:
            return f"The role {assignment.role.value} allows more than you may yourself."
    return True


def ensure(answer: Answer) -> None:
    """Returns when the answer is True.

    Raises:
        Forbidden: It is a reason.
    """
    if answer is not True:
        raise Forbidden(answer)
