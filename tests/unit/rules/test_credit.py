from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts.resources.meta import LatePolicy
from kourse.rules.credit import credited, deduction, periods_late

DUE = datetime(2027, 3, 1, 23, 59, tzinfo=UTC)
POLICY = LatePolicy(grace_minutes=15, percent_per_day=10, floor_percent=40)

percents = st.integers(0, 100)
policies = st.builds(
    LatePolicy,
    grace_minutes=st.integers(0, 1440),
    percent_per_day=percents,
    percent_per_hour=st.none() | percents,
    max_percent=percents,
    floor_percent=percents,
)
shares = st.fractions(0, 1, max_denominator=100)


class TestPeriodsLate:
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
        assert periods_late(DUE, DUE + late, POLICY) == days

    def test_counts_hours_where_the_policy_takes_by_the_hour(self):
        policy = LatePolicy(percent_per_hour=2)
        assert periods_late(DUE, DUE + timedelta(hours=2, seconds=1), policy) == 3

    @given(policies, st.timedeltas(timedelta(days=-2), timedelta(days=5)))
    def test_is_what_counting_period_by_period_gives(self, policy, late):
        """The oracle walks on from the due time, one day or hour after the other."""
        counted, passed = 0, timedelta(0)
        step = timedelta(days=1) if policy.percent_per_hour is None else timedelta(hours=1)
        while late > timedelta(minutes=policy.grace_minutes) and passed < late:
            counted, passed = counted + 1, passed + step
        assert periods_late(DUE, DUE + late, policy) == counted

    def test_is_none_without_a_due_time(self):
        assert periods_late(None, DUE, POLICY) == 0


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

    @given(shares, st.integers(0, 200), policies)
    def test_is_what_taking_percent_by_percent_gives(self, share, periods, policy):
        """The oracle takes one percent of the points after another, as long as the policy lets it."""
        rate = policy.percent_per_hour
        rate = policy.percent_per_day if rate is None else rate
        floor, percent = Fraction(policy.floor_percent, 100), Fraction(1, 100)
        kept, taken = share, 0
        while taken < rate * periods and taken < policy.max_percent and kept > floor:
            kept, taken = max(kept - percent, floor), taken + 1
        assert credited(share, periods, policy) == kept

    def test_takes_no_more_than_the_cap(self):
        policy = LatePolicy(percent_per_hour=5, max_percent=30)
        assert credited(Fraction(1), 24, policy) == Fraction("0.7")
