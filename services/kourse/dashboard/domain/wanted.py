"""Which learners somebody wants to see."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Wanted:
    """Which enrolments to show.

    Attributes:
        course: Of this course; None: of any.
        cohorts: Of these cohorts; None: of everybody.
        at_risk: Only those to whom a rule applies.
        after: Course and learner after which to go on; None: from the beginning.
        limit: Most of them.
    """

    course: str | None = None
    cohorts: Collection[str] | None = None
    at_risk: bool = False
    after: tuple[str, UUID] | None = None
    limit: int = 20
