"""Exact arithmetic on points, and the one place where they are rounded for people.

A third of a point has no finite decimal, so shares and points are rationals until they are shown.
Comparisons (pass marks, highest attempt) happen on the exact value, never on a rounded one.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

WIRE_PLACES = 6
"""Decimal places on the wire of a value that has no finite decimal."""

_PRECISION = 60


def percent(part: Fraction, whole: Fraction) -> Fraction:
    """``part`` as a percentage of ``whole``, exact; 0 when there is nothing to earn."""
    return part * 100 / whole if whole else Fraction(0)


def rounded(value: Fraction, places: int) -> Decimal:
    """The value with so many decimal places, halves away from zero as people are taught."""
    with localcontext() as context:
        context.prec = _PRECISION
        scaled = value * 10**places
        whole = (Decimal(scaled.numerator) / Decimal(scaled.denominator)).quantize(
            Decimal(1), rounding=ROUND_HALF_UP
        )
        return whole.scaleb(-places)


def text(value: Fraction) -> str:
    """The value as a decimal string: exact where that is finite, else with six places.

    Trailing zeros are left out: ``7.5``, ``3``, ``0.333333``.
    """
    finite = _finite(value)
    return _plain(rounded(value, WIRE_PLACES) if finite is None else finite)


def display(value: Fraction, places: int = 2) -> str:
    """The value rounded for people, with exactly ``places`` decimals: ``66.67``."""
    return f"{rounded(value, places):.{places}f}"


def _finite(value: Fraction) -> Decimal | None:
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return None
    with localcontext() as context:
        context.prec = _PRECISION
        return Decimal(value.numerator) / Decimal(value.denominator)


def _plain(value: Decimal) -> str:
    plain = f"{value:f}"
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain in {"-0", ""} else plain
