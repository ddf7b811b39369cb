"""The level that a sum of points reaches."""

from __future__ import annotations

from math import isqrt

POINTS_OF_LEVEL = 100
"""Level n + 1 needs n times this more than level n did: 100, 300, 600, 1000, …"""


def level(points: int) -> int:
    """The level that a sum of points reaches, from 1."""
    return (1 + isqrt(1 + 8 * max(points, 0) // POINTS_OF_LEVEL)) // 2


def points_needed(level_number: int) -> int:
    """The least sum of points that reaches a level."""
    return POINTS_OF_LEVEL * level_number * (level_number - 1) // 2
