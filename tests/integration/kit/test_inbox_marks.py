"""Redis answers for known duplicates, and is believed only as far as the database says."""

import asyncio
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from kourse.kit.inbox import Inbox, marks, rows
from kourse.kit.inbox.taking import Hold, Taker
from support.events import Effects, arrival
from support.redis_server import RedisServer

FORGET = (
    "DELETE FROM course.inbox WHERE entity = %s",
    "DELETE FROM course.inbox_cursor WHERE entity = %s",
    "DELETE FROM course.thing WHERE split_part(name, '/', 1) = %s",
)


@pytest.fixture
def redis_server(tmp_path):
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def cache(redis_server):
    client = Redis.from_url(redis_server.url)
    yield client
    await client.aclose()


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A Redis that shares its machine with every other test may be slow; these ask what it answers."""
    monkeypatch.setattr(marks, "PATIENCE_S", 10.0)


@pytest.fixture
def effects():
    return Effects()


@pytest.fixture
async def take(course, cache, effects):
    """Takes arrivals with the marks of the consumer's present epoch."""
    inbox = Inbox(course, effects.handlers)
    kept = marks.Marks(cache, "course")

    async def take_all(*arrivals):
        kept.trust(await inbox.prepare())
        await Taker(inbox, "course", kept).take(arrivals, Hold(asyncio.Event()))

    return take_all


def restore(admin, cohort):
    """The database forgets what it knew of a cohort, as if it were restored from before."""
    for statement in FORGET:
        admin.execute(statement, (str(cohort),))


class TestMarks:
    async def test_answer_for_a_duplicate_before_the_database(self, take, effects, admin):
        cohort = uuid4()
        event = arrival(cohort, 1)
        await take(event)
        restore(admin, cohort)
        await take(event)
        assert effects.numbers(cohort) == [1]

    async def test_count_for_nothing_in_a_new_epoch(self, take, effects, admin, course):
        cohort = uuid4()
        event = arrival(cohort, 1)
        await take(event)
        restore(admin, cohort)
        async with course.transaction(None) as tx:
            assert await rows.renew_epoch(tx, "course") is not None
        await take(event)
        assert effects.numbers(cohort) == [1, 1]

    async def test_count_for_nothing_once_the_epoch_was_not_read_for_long(
        self, take, effects, admin, monkeypatch
    ):
        cohort = uuid4()
        event = arrival(cohort, 1)
        await take(event)
        restore(admin, cohort)
        monkeypatch.setattr(marks, "TRUST_S", 0.0)
        await take(event)
        assert effects.numbers(cohort) == [1, 1]

    async def test_are_not_written_for_what_only_waits(self, take, effects, cache):
        cohort = uuid4()
        early, missing = arrival(cohort, 2), arrival(cohort, 1)
        await take(early)
        assert await cache.keys(f"*{early.delivery.id}") == []
        await take(missing)
        assert effects.numbers(cohort) == [1, 2]
        assert len(await cache.keys(f"*{early.delivery.id}")) == 1

    async def test_end_after_a_week(self, take, cache):
        event = arrival(uuid4(), 1)
        await take(event)
        (key,) = await cache.keys(f"*{event.delivery.id}")
        assert marks.KEEP_S - 60 < await cache.ttl(key) <= marks.KEEP_S

    async def test_are_not_asked_for_again_soon_while_redis_hangs(
        self, take, effects, redis_server, monkeypatch
    ):
        monkeypatch.setattr(marks, "REST_S", 3600.0)
        monkeypatch.setattr(marks, "PATIENCE_S", 0.03)
        cohort = uuid4()
        before = REGISTRY.get_sample_value(SKIPPED, {"consumer": "course"}) or 0
        redis_server.pause()
        for seq in range(1, 31):
            await take(arrival(cohort, seq))
        redis_server.resume()
        assert effects.numbers(cohort) == list(range(1, 31))
        assert REGISTRY.get_sample_value(SKIPPED, {"consumer": "course"}) == before + 1


SKIPPED = "kourse_inbox_marks_failed_total"
