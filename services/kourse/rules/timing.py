"""When an attempt ends: time limit, closing time and accommodation in one formula.

All times are aware instants of the database's clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

SAVING_GRACE = timedelta(seconds=60)
"""After the deadline saves and submissions are still accepted for so long, for slow networks."""

NO_ACCOMMODATION = Fraction(1)


def effective_close(
    closes_at: datetime | None, limit: timedelta | None, factor: Fraction = NO_ACCOMMODATION
) -> datetime | None:
    """The instant after which a learner may not work on an exam, or None when it never closes.

    ``close + limit x (factor - 1)``: extra time also moves the close, so a learner with an
    accommodation who starts at the last moment loses none of it.

    Args:
        closes_at: When the exam closes for the learner.
        limit: Time limit of an attempt, or None.
        factor: Extra time of an accommodation, at least 1; 5/4 is a quarter more.
    """
    if closes_at is None or limit is None:
        return closes_at
    return closes_at + _times(limit, factor - 1)


def lengthened_limit(limit: timedelta | None, factor: Fraction) -> timedelta | None:
    """The time limit of a learner with an accommodation, or None when there is no limit."""
    return None if limit is None else _times(limit, factor)


def deadline(
    started_at: datetime,
    closes_at: datetime | None,
    limit: timedelta | None,
    factor: Fraction = NO_ACCOMMODATION,
) -> datetime | None:
    """``least(start + limit x factor, effective close)``, or None when nothing bounds the attempt."""
    ends = [
        end
        for end in (
            None if limit is None else started_at + _times(limit, factor),
            effective_close(closes_at, limit, factor),
        )
        if end is not None
    ]
    return min(ends, default=None)


def lengthened(current: datetime | None, computed: datetime | None) -> datetime | None:
    """The later deadline: a change of policy may give a running attempt time, never take it away."""
    if current is None or computed is None:
        return None
    return max(current, computed)


def accepts_work(deadline_at: datetime | None, received_at: datetime) -> bool:
    """Whether something received then still counts, saving grace included."""
    return deadline_at is None or received_at <= deadline_at + SAVING_GRACE


def _times(limit: timedelta, factor: Fraction) -> timedelta:
    microseconds = limit // timedelta(microseconds=1)
    return timedelta(microseconds=round(microseconds * factor))
