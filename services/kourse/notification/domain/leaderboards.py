"""Who stands where among those of a cohort who chose to be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Run:
    """A cohort's run, whose points count on its board.

    Attributes:
        courses: Names of its courses.
        starts_on: First day.
        ends_on: Last day.
        time_zone: IANA zone that both days are of.
    """

    courses: tuple[str, ...]
    starts_on: date
    ends_on: date
    time_zone: str

    @property
    def begins_at(self) -> datetime:
        """Midnight at which the first day begins."""
        return self._midnight(self.starts_on)

    @property
    def over_at(self) -> datetime:
        """Midnight at which the last day is over."""
        return self._midnight(self.ends_on + timedelta(days=1))

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), ZoneInfo(self.time_zone))


@dataclass(frozen=True)
class Place:
    """Where somebody stands.

    Attributes:
        rank: From 1; those with the same points share one, and the next after them is one more than all
            who are before it, as in competitions: 1, 2, 2, 4.
    """

    rank: int
    learner_id: UUID
    points: int


def ranked(points: Mapping[UUID, int]) -> list[Place]:
    """The places that these points give, best first; those who share one are in no telling order."""
    ordered = sorted(points, key=lambda learner_id: (-points[learner_id], learner_id))
    places: list[Place] = []
    for worth, sharing in groupby(ordered, key=lambda learner_id: points[learner_id]):
        rank = len(places) + 1
        places += [Place(rank, learner_id, worth) for learner_id in sharing]
    return places
