"""Which level points reach."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.notification.domain.levels import level, points_needed


class TestLevel:
    @pytest.mark.parametrize(
        ("points", "expected"),
        [(0, 1), (99, 1), (100, 2), (299, 2), (300, 3), (599, 3), (600, 4), (1000, 5), (-5, 1)],
    )
    def test_needs_a_hundred_more_for_each_step(self, points, expected):
        assert level(points) == expected

    @given(st.integers(1, 5000))
    def test_begins_exactly_where_it_says(self, number):
        assert level(points_needed(number)) == number
        assert number == 1 or level(points_needed(number) - 1) == number - 1
