from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.rules.timing import SAVING_GRACE, accepts_work, deadline, effective_close, lengthened

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HALF_MORE = Fraction(3, 2)


class TestDeadline:
    @pytest.mark.parametrize(
        ("closes_at", "limit", "factor", "ends_at"),
        [
            (None, None, 1, None),
            (NOON + 5 * HOUR, None, 1, NOON + 5 * HOUR),
            (None, HOUR, 1, NOON + HOUR),
            (NOON + 5 * HOUR, HOUR, 1, NOON + HOUR),
            (NOON + HOUR / 2, HOUR, 1, NOON + HOUR / 2),
            (NOON + 5 * HOUR, HOUR, HALF_MORE, NOON + 1.5 * HOUR),
            (NOON + HOUR, HOUR, HALF_MORE, NOON + 1.5 * HOUR),
            (NOON + HOUR / 2, HOUR, HALF_MORE, NOON + HOUR),
            (NOON + HOUR, None, HALF_MORE, NOON + HOUR),
        ],
    )
    def test_is_the_earlier_of_limit_and_close(self, closes_at, limit, factor, ends_at):
        assert deadline(NOON, closes_at, limit, Fraction(factor)) == ends_at

    @given(
        st.timedeltas(timedelta(0), timedelta(days=30)),
        st.timedeltas(timedelta(minutes=1), timedelta(days=1)),
        st.fractions(1, 3, max_denominator=20),
        st.fractions(1, 3, max_denominator=20),
    )
    def test_never_shrinks_with_a_larger_factor(self, until_close, limit, one, other):
        smaller, larger = sorted((one, other))
        closes_at = NOON + until_close
        assert deadline(NOON, closes_at, limit, smaller) <= deadline(NOON, closes_at, limit, larger)


class TestEffectiveClose:
    def test_moves_by_the_extra_time(self):
        assert effective_close(NOON, HOUR, HALF_MORE) == NOON + HOUR / 2

    def test_is_the_close_itself_without_accommodation(self):
        assert effective_close(NOON, HOUR) == NOON


class TestLengthened:
    def test_gives_time_and_never_takes_it(self):
        assert lengthened(NOON, NOON + HOUR) == NOON + HOUR
        assert lengthened(NOON + HOUR, NOON) == NOON + HOUR

    def test_no_deadline_is_the_longest(self):
        assert lengthened(NOON, None) is None
        assert lengthened(None, NOON) is None


class TestAcceptsWork:
    def test_ends_with_the_grace(self):
        assert accepts_work(NOON, NOON + SAVING_GRACE)
        assert not accepts_work(NOON, NOON + SAVING_GRACE + timedelta(microseconds=1))
        assert accepts_work(None, NOON)
