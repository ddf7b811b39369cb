"""The level that a sum of points reaches."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from math import isqrt

from kourse.notification.domain.points import Entry, counted

POINTS_OF_LEVEL = 100
"""Level n + 1 needs n times this more than level n did: 100, 300, 600, 1000, …"""


def level(points: int) -> int:
    """The level that a sum of points reaches, from 1."""
    return (1 + isqrt(1 + 8 * max(points, 0) // POINTS_OF_LEVEL)) // 2


def points_needed(level_number: int) -> int:
    """The least sum of points that reaches a level."""
    return POINTS_OF_LEVEL * level_number * (level_number - 1) // 2


def reached(ledger: Iterable[Entry]) -> dict[int, datetime]:
    """The levels above the first that a ledger has come to, with the moments of the deeds that did it."""
    found: dict[int, datetime] = {}
    total, before = 0, 1
    for entry in counted(ledger):
        total += entry.points
        now = level(total)
        found |= dict.fromkeys(range(before + 1, now + 1), entry.earned_at)
        before = now
    return found
