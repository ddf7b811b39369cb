"""A learner's grades in one run of a course, and in words how the total came about.

The words are the sums themselves: what is told is computed from the same book that is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from uuid import UUID

from kourse.contracts.resources.exam import Counting
from kourse.rules import points
from kourse.rules.gradebook import Category


@dataclass(frozen=True, slots=True)
class Chosen:
    """The attempt or hand-in that counts; points are exact.

    Attributes:
        id: The attempt, or the submission.
        deduction: Points that lateness took; 0 for exams.
        passed: Whether an exam's pass mark was reached; None for assignments.
        released: Whether the learner sees it.
    """

    id: UUID
    points: Fraction
    max_points: int
    deduction: Fraction
    passed: bool | None
    released: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """An exam or an assignment in a learner's grade book.

    Attributes:
        exam: Name of the exam; None where it is an assignment.
        assignment: Key of the assignment; None where it is an exam.
        counts: Which of several attempts or hand-ins counts.
        graded: How many graded ones there are to choose from.
        chosen: What counts, or None while there is nothing.
        dropped: Whether it is among the lowest that do not count.
    """

    exam: str | None
    assignment: str | None
    title: str
    counts: Counting
    graded: int
    chosen: Chosen | None
    dropped: bool = False

    @property
    def name(self) -> str:
        """What its course calls it; assignments and exams have names apart."""
        return f"exam:{self.exam}" if self.exam else f"assignment:{self.assignment}"

    @property
    def percent(self) -> Fraction | None:
        """The exact percentage of what counts, or None while there is nothing."""
        if self.chosen is None:
            return None
        return points.percent(self.chosen.points, Fraction(self.chosen.max_points))


@dataclass(frozen=True, slots=True)
class Section:
    """A grade category with its exams and assignments."""

    category: Category
    title: str
    percent: Fraction | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """One learner's grades in one run of a course; exact percentages, None while nothing counts."""

    course: str
    learner_id: UUID
    cohort: str | None
    percent: Fraction | None
    sections: tuple[Section, ...]


def sheet_head(sections: Iterable[Section]) -> list[str]:
    """Names of a grade sheet's columns, by the stable keys of what was declared."""
    head = ["learner", "cohort", "percent"]
    for one in sections:
        key = one.category.key
        head.append(f"{key} percent")
        for entry in one.entries:
            head += [f"{key}/{entry.name} {what}" for what in ("points", "max", "percent", "state")]
    return head


def sheet_row(sections: Iterable[Section], book: Book) -> list[str | None]:
    """A learner's line of a grade sheet; what the book does not have stays empty."""
    own = {one.category.key: one for one in book.sections}
    cells: list[str | None] = [str(book.learner_id), book.cohort, _exact(book.percent)]
    for one in sections:
        found = own.get(one.category.key)
        entries = {entry.name: entry for entry in found.entries} if found else {}
        cells.append(_exact(found.percent) if found else None)
        for column in one.entries:
            cells += _cells(entries.get(column.name))
    return cells


def _cells(entry: Entry | None) -> list[str | None]:
    if entry is None or entry.chosen is None:
        return [None, None, None, None]
    chosen = entry.chosen
    states = {"dropped": entry.dropped, "withheld": not chosen.released}
    state = " ".join(name for name, holds in states.items() if holds) or "counts"
    return [points.text(chosen.points), str(chosen.max_points), _exact(entry.percent), state]


def _exact(value: Fraction | None) -> str | None:
    return None if value is None else points.text(value)


class Standing(StrEnum):
    """What became of an exam or an assignment in its category."""

    COUNTS = "counts"
    DROPPED = "dropped"
    NOTHING_YET = "nothing-yet"


@dataclass(frozen=True, slots=True)
class EntryReason:
    """Why an entry counts, or why not."""

    entry: Entry
    standing: Standing
    sentence: str


@dataclass(frozen=True, slots=True)
class SectionReason:
    """How a category came about, and what it adds.

    Attributes:
        share: Percent of the total that the category decides, with what has no score left out; exact,
            and None while it has none itself.
        adds: Percentage points of the total that come from it; exact.
    """

    section: Section
    share: Fraction | None
    adds: Fraction | None
    sentence: str
    entries: tuple[EntryReason, ...]


@dataclass(frozen=True, slots=True)
class Reasons:
    """How the total of a book came about."""

    book: Book
    sentence: str
    sections: tuple[SectionReason, ...]


def reasons(book: Book) -> Reasons:
    """The total of a book in words: weights in effect, means, and what was dropped and why."""
    weighed = sum(one.category.weight for one in book.sections if one.percent is not None)
    sections = tuple(_section(one, weighed) for one in book.sections)
    return Reasons(book, _total(book, sections), sections)


def _total(book: Book, sections: tuple[SectionReason, ...]) -> str:
    adding = [one for one in sections if one.adds is not None]
    if book.percent is None:
        return "Nothing counts yet, so there is no total."
    sums = " + ".join(f"{_short(one.adds)} ({one.section.title})" for one in adding)
    told = f"The total is {_short(book.percent)} %: {sums}."
    waiting = [one.section.title for one in sections if one.adds is None]
    if waiting:
        told += f" {_listed(waiting)} has no score yet, so the other weights are scaled up to 100."
    return told


def _section(section: Section, weighed: int) -> SectionReason:
    entries = tuple(_entry(one, section.category) for one in section.entries)
    weight = section.category.weight
    if section.percent is None:
        sentence = f"It weighs {weight} % and has no score yet."
        return SectionReason(section, None, None, sentence, entries)
    share = Fraction(100 * weight, weighed) if weighed else Fraction(0)
    adds = share * section.percent / 100
    counting = [one.entry.percent for one in entries if one.standing is Standing.COUNTS]
    values = ", ".join(f"{_short(percent)} %" for percent in counting)
    mean = f"The mean of {values} is {_short(section.percent)} %"
    decides = f"it decides {_short(share)} % of the total and adds {_short(adds)}"
    return SectionReason(section, share, adds, f"{mean}; {decides}.", entries)


def _entry(entry: Entry, category: Category) -> EntryReason:
    if entry.chosen is None or entry.percent is None:
        return EntryReason(entry, Standing.NOTHING_YET, "There is no score that counts yet.")
    told = f"{_short(entry.chosen.points)} of {entry.chosen.max_points} points are {_short(entry.percent)} %"
    if entry.exam and entry.graded > 1:
        told += f", by the {entry.counts.value.lower()} of {entry.graded} attempts"
    if entry.chosen.deduction:
        told += f", after {_short(entry.chosen.deduction)} points went for lateness"
    if entry.dropped:
        most = category.drop_lowest
        lowest = "the lowest score falls" if most == 1 else f"the {most} lowest scores fall"
        told += f"; not counted, since {lowest} away"
    return EntryReason(entry, Standing.DROPPED if entry.dropped else Standing.COUNTS, f"{told}.")


def _short(value: Fraction | None) -> str:
    """For people: two places at most, without zeros at the end."""
    return points.text(Fraction(points.rounded(value or Fraction(0), 2)))


def _listed(titles: list[str]) -> str:
    return " and ".join([", ".join(titles[:-1]), titles[-1]] if titles[1:] else titles)
