"""Points, their ledger and streaks over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from typing import Self
from uuid import UUID

from kourse.kit.http import View
from kourse.notification.service.standing import Days, ExplainedEntry


class PointsEntryView(View):
    """Points that were given once, for one deed."""

    id: UUID
    points: int
    reason: str
    text: str
    """The sentence that explains them, in the reader's language."""
    course: str
    earned_at: datetime

    @classmethod
    def of(cls, explained: ExplainedEntry) -> Self:
        """As the learner sees it."""
        entry = explained.entry
        return cls(
            id=entry.id,
            points=entry.points,
            reason=entry.reason.value,
            text=explained.text,
            course=entry.course,
            earned_at=entry.earned_at,
        )


class PointsView(View):
    """A learner's points, and why each was given."""

    points: int
    level: int
    next_level_at: int
    """Points at which the next level begins."""
    entries: list[PointsEntryView]
    next: str | None = None
    """Cursor of the next page of entries, or null at the end."""


class StreakView(View):
    """Days of study in a row, in the learner's own calendar."""

    days: int
    """Days of study in a row; 0 when the streak is over."""
    longest: int
    freezes: int
    """Freeze days put by; each bridges one missed day by itself."""
    studied_today: bool
    today: date
    """The day that it is for the learner."""
    time_zone: str
    """IANA zone that the learner's days go by, from their profile."""
    frozen: list[date]
    """Missed days that a freeze day was taken for, ascending."""

    @classmethod
    def of(cls, days: Days) -> Self:
        """As the learner sees it."""
        streak = days.streak
        return cls(
            days=streak.days,
            longest=streak.longest,
            freezes=streak.freezes,
            studied_today=days.studied_today,
            today=days.today,
            time_zone=days.time_zone,
            frozen=list(streak.frozen),
        )
