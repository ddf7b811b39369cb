"""Quotas in memory, and what clients are told about them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.gateway.limits import (
    Decision,
    FailureLimiter,
    Limiter,
    LocalBuckets,
    Quota,
    limit_headers,
)

QUOTA = Quota("user", 10, 60.0)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class TestLocalBuckets:
    def test_gives_the_whole_quota_at_once_and_no_more(self):
        buckets = LocalBuckets(QUOTA, 10, Clock())

        taken = [buckets.take("a") for _ in range(12)]

        assert [decision.is_allowed for decision in taken] == [True] * 10 + [False] * 2
        assert [decision.remaining for decision in taken] == [*range(9, -1, -1), 0, 0]
        assert taken[-1].retry_after_s == pytest.approx(6.0)
        assert taken[-1].reset_s == pytest.approx(60.0)

    def test_gives_one_back_each_interval(self):
        clock = Clock()
        buckets = LocalBuckets(QUOTA, 10, clock)
        for _ in range(10):
            buckets.take("a")
        clock.now += 6.0

        assert buckets.take("a").is_allowed
        assert not buckets.take("a").is_allowed

    def test_keeps_people_apart(self):
        buckets = LocalBuckets(Quota("user", 1, 60.0), 1, Clock())

        assert buckets.take("a").is_allowed
        assert buckets.take("b").is_allowed
        assert not buckets.take("a").is_allowed

    @given(st.lists(st.floats(0, 30), max_size=60))
    def test_never_gives_more_than_quota_and_time_allow(self, pauses):
        clock = Clock()
        buckets = LocalBuckets(QUOTA, 10, clock)
        allowed = 0
        for pause in pauses:
            clock.now += pause
            allowed += buckets.take("a").is_allowed

        assert allowed <= 10 + sum(pauses) / 6.0 + 1e-6

    async def test_give_a_share_of_the_quota_without_redis(self):
        limiter = Limiter(QUOTA, None, replicas=5, clock=Clock())

        assert [(await limiter.take("a")).is_allowed for _ in range(3)] == [True, True, False]


class TestFailureLimiter:
    async def test_stops_an_address_after_its_failures_for_a_while(self):
        clock = Clock()
        failures = FailureLimiter(Limiter(QUOTA, None, clock=clock), clock=clock)
        for _ in range(10):
            assert failures.wait_s("a") == 0
            await failures.note("a")

        assert failures.wait_s("a") == pytest.approx(6.0)
        assert failures.wait_s("b") == 0
        clock.now += 6.0
        assert failures.wait_s("a") == 0


class TestLimitHeaders:
    def test_are_structured_fields(self):
        decision = Decision(is_allowed=True, remaining=4, retry_after_s=0.0, reset_s=35.2)

        assert limit_headers(QUOTA, decision) == {
            "ratelimit-policy": '"user";q=10;w=60',
            "ratelimit": '"user";r=4;t=36',
        }
