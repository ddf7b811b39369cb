"""Badges: what they count, from when to when they can be won, and who has won them.

A badge is a rule: a criterion and the count at which it is won. Courses declare theirs with each published
version; those of a version can be won until the next is published. All criteria only ever grow with a
ledger, so a badge is won at one moment, which follows from the ledger, the learner's calendar and the sheets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import accumulate
from uuid import UUID

from kourse.contracts.names import NAMESPACE, part_id
from kourse.notification.domain import streaks
from kourse.notification.domain.calendars import Calendar
from kourse.notification.domain.points import STUDY, Entry, Reason, counted, in_order

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""Before anybody studied here."""


class Criterion(StrEnum):
    """What a badge counts; those of a course count in that course alone."""

    LESSONS_COMPLETED = "LessonsCompleted"
    EXAMS_PASSED = "ExamsPassed"
    COURSES_COMPLETED = "CoursesCompleted"
    POINTS_EARNED = "PointsEarned"
    STREAK_DAYS = "StreakDays"


@dataclass(frozen=True)
class Badge:
    """Something to win.

    Attributes:
        id: The same in every version of its course.
        key: Its name for programs, stable within its course.
        title: Its name for people; empty for those of the platform, which templates name.
        description: What it is won for, in words; likewise.
        criterion: A criterion's value; one that is not known here is never met.
        threshold: Count at which it is won.
    """

    id: UUID
    key: str
    title: str
    description: str
    criterion: str
    threshold: int


@dataclass(frozen=True)
class Sheet:
    """The badges that can be won from a moment on, until the next sheet of the same course.

    Attributes:
        course: Name of the course; None for the platform's.
        course_id: Its id; likewise.
        version: The course's version that declared them.
        since: When it was published.
    """

    course: str | None
    course_id: UUID | None
    version: int
    since: datetime
    badges: tuple[Badge, ...]


@dataclass(frozen=True)
class Won:
    """A badge that somebody has won.

    Attributes:
        sheet: The sheet by which it was won.
        at: When the last deed for it was done, or its sheet published if that came later.
    """

    badge: Badge
    sheet: Sheet
    at: datetime


@dataclass(frozen=True)
class Count:
    """How far a learner has come with what a criterion counts.

    Attributes:
        at: When they had come so far.
        number: How far.
    """

    at: datetime
    number: int


Growth = Mapping[str, list[Count]]
"""By criterion, how a learner came along, oldest first."""


def _of_platform(key: str, criterion: Criterion, threshold: int) -> Badge:
    return Badge(part_id(NAMESPACE, "badge", key), key, "", "", criterion, threshold)


PLATFORM = Sheet(
    course=None,
    course_id=None,
    version=1,
    since=BEGINNING,
    badges=(
        _of_platform("seven-days", Criterion.STREAK_DAYS, 7),
        _of_platform("thirty-days", Criterion.STREAK_DAYS, 30),
        _of_platform("hundred-days", Criterion.STREAK_DAYS, 100),
        _of_platform("first-course", Criterion.COURSES_COMPLETED, 1),
        _of_platform("five-courses", Criterion.COURSES_COMPLETED, 5),
        _of_platform("thousand-points", Criterion.POINTS_EARNED, 1000),
    ),
)
"""Badges for study in all courses; every tenant has them. The templates ``badges.txt`` name them."""


_OF_REASON = {
    Criterion.LESSONS_COMPLETED: Reason.LESSON_COMPLETED,
    Criterion.EXAMS_PASSED: Reason.EXAM_PASSED,
    Criterion.COURSES_COMPLETED: Reason.COURSE_COMPLETED,
}


def badge_id(course_id: UUID, key: str) -> UUID:
    """Id of a course's badge."""
    return part_id(course_id, "badge", key)


def won(sheets: Iterable[Sheet], ledger: Sequence[Entry], calendar: Calendar) -> dict[UUID, Won]:
    """What the ledger's learner has won, by the badges' ids.

    Args:
        sheets: All sheets that concern the learner, of all versions.
        ledger: All their entries, in any order.
        calendar: By which their days go.
    """
    by_course: dict[str | None, list[Sheet]] = {}
    for sheet in sheets:
        by_course.setdefault(sheet.course, []).append(sheet)
    found: dict[UUID, Won] = {}
    for course, versions in by_course.items():
        growth = growths(ledger, calendar, course)
        for one in _won_in(sorted(versions, key=lambda sheet: sheet.version), growth):
            found.setdefault(one.badge.id, one)
    return found


def growths(ledger: Sequence[Entry], calendar: Calendar, course: str | None) -> Growth:
    """How a learner came along by each criterion, oldest first.

    Args:
        ledger: All their entries, in any order.
        calendar: By which their days go.
        course: The course that counts alone; None for all.
    """
    mine = [one for one in in_order(ledger) if course in {None, one.course}]
    counting = counted(mine)
    grown: dict[str, list[Count]] = {
        criterion: _sums(counting, [int(one.reason is reason) for one in counting])
        for criterion, reason in _OF_REASON.items()
    }
    grown[Criterion.POINTS_EARNED] = _sums(counting, [one.points for one in counting])
    grown[Criterion.STREAK_DAYS] = _streaks(mine, calendar)
    return grown


def count(growth: Growth, badge: Badge) -> int:
    """How far the learner has come with what the badge counts."""
    counts = growth.get(badge.criterion, [])
    return counts[-1].number if counts else 0


def _sums(entries: Sequence[Entry], worth: Iterable[int]) -> list[Count]:
    totals = accumulate(worth)
    return [Count(one.earned_at, total) for one, total in zip(entries, totals, strict=True)]


def _streaks(entries: Sequence[Entry], calendar: Calendar) -> list[Count]:
    begun: dict[date, datetime] = {}
    for entry in entries:
        if entry.reason in STUDY:
            begun.setdefault(calendar.day_of(entry.earned_at), entry.earned_at)
    # A flight to the west puts a later moment on an earlier day.
    moments = accumulate((begun[day] for day in sorted(begun)), max)
    return [
        Count(at, one.longest) for at, one in zip(moments, streaks.progress(begun), strict=True)
    ]


def _won_in(versions: Sequence[Sheet], growth: Growth) -> Iterable[Won]:
    ends = [*(sheet.since for sheet in versions[1:]), None]
    for sheet, end in zip(versions, ends, strict=True):
        for badge in sheet.badges:
            reached = _reached(growth, badge)
            if reached is None:
                continue
            at = max(reached, sheet.since)
            if end is None or at < end:
                yield Won(badge, sheet, at)


def _reached(growth: Growth, badge: Badge) -> datetime | None:
    counts = growth.get(badge.criterion, [])  # none where only a newer release knows what it counts
    return next((one.at for one in counts if one.number >= badge.threshold), None)
