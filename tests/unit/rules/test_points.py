from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.rules import points

rationals = st.fractions(min_value=-10_000, max_value=10_000, max_denominator=27_720)


class TestText:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            (Fraction(0), "0"),
            (Fraction(15, 2), "7.5"),
            (Fraction(100), "100"),
            (Fraction(1, 3), "0.333333"),
            (Fraction(2, 3), "0.666667"),
            (Fraction(-1, 8), "-0.125"),
            (Fraction(1, 3_000_000_000), "0"),
            (Fraction(-1, 3_000_000_000), "0"),
        ],
    )
    def test_is_exact_where_finite_and_short_otherwise(self, value, shown):
        assert points.text(value) == shown

    @given(rationals)
    def test_is_within_half_of_the_last_place(self, value):
        assert abs(Fraction(Decimal(points.text(value))) - value) <= Fraction(1, 2 * 10**6)

    @given(st.decimals(-10_000, 10_000, places=8))
    def test_keeps_every_finite_decimal(self, value):
        assert Fraction(Decimal(points.text(Fraction(value)))) == Fraction(value)


class TestDisplay:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [(Fraction(2, 3) * 100, "66.67"), (Fraction(1, 200), "0.01"), (Fraction(-1, 200), "-0.01")],
    )
    def test_rounds_halves_away_from_zero(self, value, shown):
        assert points.display(value) == shown

    def test_shows_the_places_asked_for(self):
        assert points.display(Fraction(5), 1) == "5.0"
        assert points.display(Fraction(5, 2), 0) == "3"


class TestPercent:
    def test_is_exact(self):
        assert points.percent(Fraction(1, 3), Fraction(1)) == Fraction(100, 3)

    def test_of_nothing_is_nothing(self):
        assert points.percent(Fraction(0), Fraction(0)) == 0

    def test_six_thirds_of_four_points_pass_at_fifty(self):
        assert points.percent(sum([Fraction(1, 3)] * 6, Fraction(0)), Fraction(4)) == 50
