"""A learner's own calendar: which day a moment fell on where they were."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Self
from zoneinfo import ZoneInfo

DEFAULT_ZONE = "UTC"
"""Zone of somebody who has named none, as in their profile."""


@dataclass(frozen=True)
class Calendar:
    """A learner's time zones over time.

    A later move changes no day that has been: each moment falls on the day of the zone that was the
    learner's then.

    Attributes:
        since: When each zone began to count, ascending.
        zones: IANA names, one for each moment of ``since``.
    """

    since: tuple[datetime, ...] = ()
    zones: tuple[str, ...] = ()

    @classmethod
    def of(cls, changes: Iterable[tuple[datetime, str]]) -> Self:
        """The calendar that these changes make, in whatever order they are given."""
        ordered = sorted(changes)
        return cls(tuple(at for at, _ in ordered), tuple(zone for _, zone in ordered))

    def zone_at(self, moment: datetime) -> str:
        """Name of the zone that was the learner's at that moment."""
        place = bisect_right(self.since, moment)
        return self.zones[place - 1] if place else DEFAULT_ZONE

    def day_of(self, moment: datetime) -> date:
        """The day that it was for the learner."""
        return moment.astimezone(ZoneInfo(self.zone_at(moment))).date()
