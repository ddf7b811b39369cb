"""Probes tell the truth: a silent watch and a queue nobody works on are complaints."""

import pytest

from kourse.contracts.resources import KINDS
from kourse_operator import health as module
from kourse_operator.engine.engine import Engine
from kourse_operator.health import Health
from support.operator_fakes import resource


@pytest.fixture
def now(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(module, "monotonic", lambda: clock[0])
    return clock


@pytest.fixture
async def health(room, now):
    engine = Engine(room.store, room.cluster, room.reconciler, room.remover)
    await engine.lead()
    engine.queue._clock = lambda: now[0]
    return Health(engine, silence_limit_s=360, age_limit_s=120)


class TestComplaints:
    def test_are_none_at_the_start(self, health):
        assert health.complaints() == []

    def test_name_the_watch_that_fell_silent(self, health, now):
        now[0] += 300
        for kind in KINDS[1:]:
            health.heard(kind.kind)
        now[0] += 100
        assert health.complaints() == ["the watch of Course has been silent for 400 s"]

    async def test_tell_that_nobody_works(self, health, now):
        health._engine.see(resource())
        now[0] += 121
        assert health.complaints() == ["an object has waited 121 s for a worker"]


class TestObstacles:
    def test_end_with_the_start(self, health):
        assert health.obstacles()
        health.is_started = True
        assert health.obstacles() == []
