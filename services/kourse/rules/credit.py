"""Credit for work handed in late."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

from kourse.contracts.resources.meta import LatePolicy

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def periods_late(due_at: datetime | None, handed_in_at: datetime, policy: LatePolicy) -> int:
    """Days, or hours where the policy counts them, begun after the due time.

    0 within the policy's grace or without a due time. The grace only decides whether it is late: who
    exceeds it is late since the due time.
    """
    if due_at is None or handed_in_at <= due_at + timedelta(minutes=policy.grace_minutes):
        return 0
    return -((due_at - handed_in_at) // (DAY if policy.percent_per_hour is None else HOUR))


def deduction(share: Fraction, periods: int, policy: LatePolicy) -> Fraction:
    """What lateness takes from a share of the points, 0 to ``share``, exact.

    ``min(rate x periods, most, share - floor)``, never below 0: a score under the floor is left as it
    is. With several hand-ins deduct from each first, then choose the one that counts.

    Args:
        share: Share of the points earned, 0 to 1.
        periods: Days or hours late, from ``periods_late``.
        policy: The assignment's late policy.

    Source:
        Canvas LMS, ``late_policy.rb``, ``points_deducted``.
    """
    by_hour = policy.percent_per_hour
    rate = policy.percent_per_day if by_hour is None else by_hour
    lost = Fraction(min(rate * periods, policy.max_percent), 100)
    above_floor = max(share - Fraction(policy.floor_percent, 100), Fraction(0))
    return min(lost, above_floor)


def credited(share: Fraction, periods: int, policy: LatePolicy) -> Fraction:
    """The share of the points that counts after the deduction."""
    return share - deduction(share, periods, policy)
