"""From released scores to a course grade: which attempt counts, dropped scores and weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from kourse.contracts.resources.exam import Counting

ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Attempted:
    """One graded attempt: its number, from 1, and its exact percentage."""

    number: int
    percent: Fraction


@dataclass(frozen=True, slots=True)
class Category:
    """A share of the course grade.

    Attributes:
        weight: Percent of the course grade.
        drop_lowest: How many of the lowest percentages do not count.
    """

    key: str
    weight: int
    drop_lowest: int = 0


@dataclass(frozen=True, slots=True)
class CategoryGrade:
    """What a category came to.

    Attributes:
        percent: Mean of the percentages that count, or None while there is none.
        dropped: Positions, in the order given, of those that do not count.
    """

    key: str
    percent: Fraction | None
    dropped: frozenset[int]


def counting_attempt(attempts: Iterable[Attempted], counting: Counting) -> Attempted | None:
    """The attempt that counts, or None without any; of equal ones the earliest."""
    ordered = sorted(attempts, key=lambda attempt: attempt.number)
    if not ordered:
        return None
    match counting:
        case Counting.FIRST:
            return ordered[0]
        case Counting.LATEST:
            return ordered[-1]
        case Counting.HIGHEST:
            return max(ordered, key=lambda attempt: attempt.percent)


def category_grade(category: Category, percents: Sequence[Fraction]) -> CategoryGrade:
    """The category's percentage: every score weighs the same, the lowest are dropped.

    At least one score always counts, however many may be dropped.
    """
    if not percents:
        return CategoryGrade(category.key, None, frozenset())
    lowest_first = sorted(range(len(percents)), key=lambda position: percents[position])
    dropped = frozenset(lowest_first[: min(category.drop_lowest, len(percents) - 1)])
    kept = [value for position, value in enumerate(percents) if position not in dropped]
    return CategoryGrade(category.key, sum(kept, ZERO) / len(kept), dropped)


def course_percent(
    categories: Iterable[Category], grades: Iterable[CategoryGrade]
) -> Fraction | None:
    """The course grade so far, or None while nothing is graded.

    Categories without a score are left out and the weights of the others scaled up, so that a
    learner is judged by what there is to judge.
    """
    weights = {category.key: category.weight for category in categories}
    graded = [(weights[grade.key], grade.percent) for grade in grades if grade.percent is not None]
    total = sum(weight for weight, _ in graded)
    if not total:
        return None
    return sum((weight * percent for weight, percent in graded), ZERO) / total
