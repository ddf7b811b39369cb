"""Points by rubric: for each criterion a level, or points between its levels for partial credit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

ZERO = Fraction(0)


class Level(Protocol):
    """One way to have met a criterion."""

    @property
    def key(self) -> str:
        """Stable within the criterion."""

    @property
    def points(self) -> int:
        """What it is worth."""


class Criterion(Protocol):
    """What graders look at."""

    @property
    def key(self) -> str:
        """Stable within the rubric."""

    @property
    def levels(self) -> Sequence[Level]:
        """Ways to meet it, at least one."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a grader decided for one criterion: a level, or points of their own.

    Attributes:
        level: Key of the level chosen, or None.
        points: Points instead, between 0 and the best level's; None where a level says them.
    """

    level: str | None = None
    points: Fraction | None = None


class MarkMismatch(ValueError):
    """A mark does not fit the rubric; the message says which and why."""


def most(criterion: Criterion) -> int:
    """Points of the best level."""
    return max(level.points for level in criterion.levels)


def marked(rubric: Sequence[Criterion], marks: Mapping[str, Mark]) -> dict[str, Fraction]:
    """The points given for each criterion, exact.

    Raises:
        MarkMismatch: A criterion is not marked or not known, names no level or two things, or has more
            points than its best level.
    """
    if unknown := sorted(set(marks) - {entry.key for entry in rubric}):
        raise MarkMismatch(f"The rubric has no criterion {unknown[0]!r}.")
    return {entry.key: _points(entry, marks.get(entry.key)) for entry in rubric}


def _points(criterion: Criterion, mark: Mark | None) -> Fraction:
    if mark is None or (mark.level is None) == (mark.points is None):
        raise MarkMismatch(f"Give {criterion.key!r} either a level or points.")
    if mark.level is not None:
        found = [level.points for level in criterion.levels if level.key == mark.level]
        if not found:
            raise MarkMismatch(f"{criterion.key!r} has no level {mark.level!r}.")
        return Fraction(found[0])
    points = mark.points or ZERO
    if not ZERO <= points <= most(criterion):
        raise MarkMismatch(f"{criterion.key!r} takes points from 0 to {most(criterion)}.")
    return points


def share(rubric: Sequence[Criterion], given: Mapping[str, Fraction]) -> Fraction:
    """The share of the rubric's points that was given, 0 to 1, exact; 0 where it has none to give."""
    reachable = sum(most(entry) for entry in rubric)
    return sum(given.values(), ZERO) / reachable if reachable else ZERO
