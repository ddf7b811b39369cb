from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts.resources.meta import LatePolicy
from kourse.rules.credit import credited, days_late, deduction

DUE = datetime(2027, 3, 1, 23, 59, tzinfo=UTC)
POLICY = LatePolicy(grace_minutes=15, percent_per_day=10, floor_percent=40)

policies = st.builds(
    LatePolicy, percent_per_day=st.integers(0, 100), floor_percent=st.integers(0, 100)
)
shares = st.fractions(0, 1, max_denominator=100)


class TestDaysLate:
    @pytest.mark.parametrize(
        ("late", "days"),
        [
            (timedelta(0), 0),
            (timedelta(minutes=15), 0),
            (timedelta(minutes=15, microseconds=1), 1),
            (timedelta(days=1), 1),
            (timedelta(days=1, seconds=1), 2),
            (timedelta(days=-3), 0),
        ],
    )
    def test_counts_days_begun_after_the_grace(self, late, days):
        assert days_late(DUE, DUE + late, POLICY) == days

    def test_is_none_without_a_due_time(self):
        assert days_late(None, DUE, POLICY) == 0


class TestCredited:
    @pytest.mark.parametrize(
        ("share", "days", "kept"),
        [("1", 0, "1"), ("1", 2, "0.8"), ("1", 9, "0.4"), ("0.45", 3, "0.4"), ("0.3", 3, "0.3")],
    )
    def test_loses_a_share_each_day_down_to_the_floor(self, share, days, kept):
        assert credited(Fraction(share), days, POLICY) == Fraction(kept)

    @given(shares, st.integers(0, 400), policies)
    def test_stays_between_nothing_and_the_share_earned(self, share, days, policy):
        assert 0 <= credited(share, days, policy) <= share
        assert deduction(share, 0, policy) == 0

    @given(shares, st.integers(0, 50), policies)
    def test_never_grows_with_time(self, share, days, policy):
        assert credited(share, days + 1, policy) <= credited(share, days, policy)
