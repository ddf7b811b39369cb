"""The circuit as resilience4j documents it."""

import pytest

from kourse.gateway.breaker import Breaker, BreakerRules, Circuit


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(BreakerRules(), clock=clock)


def calls(breaker, *outcomes, seconds=0.0):
    for failed in outcomes:
        assert breaker.admit() == 0
        breaker.record(failed=failed, seconds=seconds)


class TestClosed:
    def test_stays_so_below_the_minimum_of_calls(self, breaker):
        calls(breaker, *[True] * 9)

        assert breaker.state is Circuit.CLOSED

    def test_opens_when_half_of_the_calls_fail(self, breaker):
        calls(breaker, *[False] * 5, *[True] * 5)

        assert breaker.state is Circuit.OPEN

    def test_stays_so_when_fewer_fail(self, breaker):
        calls(breaker, *[False, False, True] * 6)

        assert breaker.state is Circuit.CLOSED

    def test_opens_when_most_calls_are_slow(self, breaker):
        calls(breaker, *[False] * 2)
        calls(breaker, *[False] * 8, seconds=2.0)

        assert breaker.state is Circuit.OPEN

    def test_judges_the_last_20_calls_only(self, breaker):
        calls(breaker, *[False] * 100)
        calls(breaker, *[True] * 9)
        assert breaker.state is Circuit.CLOSED

        calls(breaker, True)
        assert breaker.state is Circuit.OPEN


class TestOpen:
    def test_refuses_calls_and_says_for_how_long(self, breaker, clock):
        calls(breaker, *[True] * 10)
        clock.now = 2.0

        assert breaker.admit() == pytest.approx(3.0)

    def test_tries_again_after_5_seconds(self, breaker, clock):
        calls(breaker, *[True] * 10)
        clock.now = 5.0

        assert breaker.state is Circuit.HALF_OPEN


class TestHalfOpen:
    @pytest.fixture(autouse=True)
    def half_open(self, breaker, clock):
        calls(breaker, *[True] * 10)
        clock.now = 5.0

    def test_admits_3_calls_at_a_time(self, breaker):
        assert [breaker.admit() for _ in range(4)] == [0, 0, 0, 1.0]

    def test_closes_when_they_succeed(self, breaker):
        calls(breaker, False, False, False)

        assert breaker.state is Circuit.CLOSED

    def test_opens_again_when_they_fail(self, breaker):
        calls(breaker, False, True, True)

        assert breaker.state is Circuit.OPEN
        assert breaker.admit() == pytest.approx(5.0)

    def test_does_not_listen_to_calls_from_before_it_opened(self, breaker, clock):
        clock.now = 6.0
        assert breaker.state is Circuit.HALF_OPEN
        for _ in range(3):
            breaker.record(failed=True, seconds=5.0)
        assert breaker.state is Circuit.HALF_OPEN

        calls(breaker, False, False, False)
        assert breaker.state is Circuit.CLOSED

    def test_gives_the_place_of_a_call_without_an_outcome_to_another(self, breaker):
        for _ in range(5):
            assert breaker.admit() == 0
            breaker.forget()

        calls(breaker, False, False, False)
        assert breaker.state is Circuit.CLOSED
