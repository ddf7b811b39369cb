"""Which level points reach."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.notification.domain.levels import level, points_needed, reached
from kourse.notification.domain.points import counted
from unit.notification.test_points import LEDGERS


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


class TestReached:
    @given(LEDGERS)
    def test_names_each_level_up_to_that_of_the_sum(self, ledger):
        total = sum(one.points for one in counted(ledger))

        assert list(reached(ledger)) == list(range(2, level(total) + 1))

    @given(LEDGERS)
    def test_comes_with_the_deed_whose_points_were_missing(self, ledger):
        for number, at in reached(ledger).items():
            earned = counted(ledger)
            assert sum(one.points for one in earned if one.earned_at <= at) >= points_needed(number)
            assert sum(one.points for one in earned if one.earned_at < at) < points_needed(number)
