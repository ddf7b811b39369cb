"""Waiting grows, is capped, is spread, and ends with a stop."""

import asyncio

import pytest

from kourse.kit.backoff import full_jitter, pause


class TestFullJitter:
    @pytest.mark.parametrize(("attempt", "ceiling"), [(1, 0.2), (2, 0.4), (8, 25.6), (9, 30.0)])
    def test_doubles_up_to_the_cap(self, attempt, ceiling):
        assert full_jitter(attempt, draw=lambda: 1.0) == pytest.approx(ceiling)

    def test_may_be_nothing(self):
        assert full_jitter(5, draw=lambda: 0.0) == 0

    def test_does_not_overflow_after_a_week_of_attempts(self):
        assert full_jitter(100_000, draw=lambda: 1.0) == 30


class TestPause:
    async def test_ends_after_its_time(self):
        assert not await pause(asyncio.Event(), 0.001)

    async def test_ends_at_once_with_a_stop(self):
        stopping = asyncio.Event()
        stopping.set()
        async with asyncio.timeout(1):
            assert await pause(stopping, 60)
