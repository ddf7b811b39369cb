"""Probes ask seldom, wait briefly, and say what is missing."""

import asyncio

import pytest

from kourse.contracts.errors import Unavailable
from kourse.kit.http import Health
from kourse.kit.http import health as module


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class BackEnd:
    def __init__(self):
        self.asked = 0
        self.failure = None

    async def ping(self):
        self.asked += 1
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def health(clock):
    health = Health("tiny", clock=clock)
    health.is_started = True
    return health


class TestIsReady:
    async def test_follows_what_is_required(self, health, clock):
        needed, optional = BackEnd(), BackEnd()
        health.watch("database", needed.ping)
        health.watch("cache", optional.ping, required=False)
        optional.failure = Unavailable()
        assert (await health.is_ready())[0]

        clock.now += 2
        needed.failure = Unavailable()
        is_ready, states = await health.is_ready()

        assert not is_ready
        assert states["database"].reason == "Unavailable"

    async def test_is_false_before_the_start_and_after_the_order_to_stop(self, health):
        health.is_started = False
        assert not (await health.is_ready())[0]
        health.is_started = True
        health.draining.set()
        assert not (await health.is_ready())[0]

    async def test_asks_once_a_second_however_often_it_is_asked(self, health, clock):
        back_end = BackEnd()
        health.watch("database", back_end.ping)
        for _ in range(10):
            await health.is_ready()
        assert back_end.asked == 1

        clock.now += 1
        await health.is_ready()
        assert back_end.asked == 2

    async def test_waits_for_nobody_longer_than_a_second(self, health, monkeypatch):
        monkeypatch.setattr(module, "PROBE_TIMEOUT_S", 0.01)
        health.watch("database", asyncio.Event().wait)

        is_ready, states = await health.is_ready()

        assert (is_ready, states["database"].reason) == (False, "no answer in time")

    async def test_knows_what_tasks_report(self, health):
        health.report("relay", works=False, reason="KeyError")

        is_ready, states = await health.is_ready()

        assert is_ready
        assert not states["relay"].works


class TestDegraded:
    async def test_says_in_its_own_words_what_is_wrong_and_keeps_the_service_ready(self, health):
        async def compare():
            raise module.Degraded("the queue kourse.unrouted has another limit")

        health.watch("topology", compare, required=False)

        is_ready, states = await health.is_ready()

        assert is_ready
        assert states["topology"].reason == "the queue kourse.unrouted has another limit"
