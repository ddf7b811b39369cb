"""Days of study in a row, and the freeze days that bridge a missed one.

A streak counts days on which the learner studied. For every seventh of them a freeze day is put by, two at
most; a missed day takes one by itself, and with none left the streak is over. A frozen day keeps a streak
and does not lengthen it. Today is missed only when it has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

FREEZE_EVERY = 7
"""Days of study in a row for which a freeze day is put by."""
MOST_FREEZES = 2
"""Freeze days that can be put by."""
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Streak:
    """What a learner's days of study come to.

    Attributes:
        days: Days of study in a row, up to today; 0 when the streak is over.
        longest: Most there ever were in a row.
        freezes: Freeze days put by, 0 to ``MOST_FREEZES``.
        last_day: Last day of study; None when there was none.
        frozen: Missed days that a freeze day was taken for, ascending.
    """

    days: int = 0
    longest: int = 0
    freezes: int = 0
    last_day: date | None = None
    frozen: tuple[date, ...] = ()


def streak(study_days: Iterable[date], today: date) -> Streak:
    """The streak that these days make, in whatever order and however often they are given.

    Args:
        study_days: Days of study in the learner's calendar; one after today, as a flight to the west
            leaves behind, counts as it is.
        today: The day that it is for the learner.
    """
    *_, latest = Streak(), *progress(study_days)
    return _missed_until(latest, today)


def progress(study_days: Iterable[date]) -> Iterator[Streak]:
    """The streak on each day of study, ascending."""
    found = Streak()
    for day in sorted(set(study_days)):
        found = _studied(_missed_until(found, day), day)
        yield found


def _studied(before: Streak, day: date) -> Streak:
    days = before.days + 1
    gained = 1 if days % FREEZE_EVERY == 0 else 0
    return Streak(
        days=days,
        longest=max(before.longest, days),
        freezes=min(before.freezes + gained, MOST_FREEZES),
        last_day=day,
        frozen=before.frozen,
    )


def _missed_until(before: Streak, day: date) -> Streak:
    """The streak when ``day`` begins, after the days since the last one of study were missed."""
    if before.last_day is None:
        return before
    missed = max((day - before.last_day).days - 1, 0)
    taken = min(missed, before.freezes)
    return Streak(
        days=before.days if taken == missed else 0,
        longest=before.longest,
        freezes=before.freezes - taken,
        last_day=before.last_day,
        frozen=before.frozen
        + tuple(before.last_day + _DAY * number for number in range(1, taken + 1)),
    )
