"""Points and their ledger over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from kourse.kit.http import View
from kourse.notification.service.standing import ExplainedEntry


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
