"""Waits after failures grow, stay within their limits and begin anew after a success."""

from hypothesis import given
from hypothesis import strategies as st

from kourse_operator.engine.backoff import Backoff


class TestFailed:
    @given(st.floats(0, 1, exclude_max=True), st.integers(1, 60))
    def test_stays_between_first_and_longest(self, draw, times):
        backoff = Backoff(0.5, 300, lambda: draw)
        waits = [backoff.failed("a") for _ in range(times)]
        assert all(0.5 <= wait <= 300 for wait in waits)
        assert waits == sorted(waits)

    def test_doubles(self):
        backoff = Backoff(0.5, 300, lambda: 0.0)
        assert [backoff.failed("a") for _ in range(4)] == [0.5, 1, 2, 4]

    def test_counts_each_key_by_itself(self):
        backoff = Backoff(0.5, 300, lambda: 0.0)
        backoff.failed("a")
        assert backoff.failed("b") == 0.5

    def test_begins_anew_after_success(self):
        backoff = Backoff(0.5, 300, lambda: 0.0)
        backoff.failed("a")
        backoff.succeeded("a")
        assert backoff.failures("a") == 0
        assert backoff.failed("a") == 0.5
