"""The inbox decides from the database alone, whatever the broker delivers and how often."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from kourse.contracts.events import GroupJoined
from kourse.kit.bus import Broker, declare_topology
from kourse.kit.delivery import UndecodableError, UnknownEventError
from kourse.kit.inbox import Consumer, Handlers, Inbox
from kourse.kit.inbox.marks import Marks
from kourse.kit.inbox.taking import Hold, Taker
from support.events import PACE, Effects, Failing, arrival, headers, joined, running
from support.redis_server import RedisServer, free_port
from support.waiting import until

PARKED = "SELECT reason, seq FROM course.parked_event WHERE entity = %s ORDER BY seq"
CURSOR = "SELECT last_seq, blocked FROM course.inbox_cursor WHERE entity = %s"
RECORDED = "SELECT count(*) FROM course.inbox WHERE entity = %s"
CONSUMER = {"consumer": "course"}
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


@pytest.fixture
def effects():
    return Effects()


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory):
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["without", "there", "stopped", "flushed"])
async def cache(request, redis_server):
    """Redis as it may be: none, one that works, one that is down, one that forgets all the time."""
    if request.param == "without":
        yield None
        return
    nowhere = f"redis://127.0.0.1:{free_port()}"
    client = Redis.from_url(nowhere if request.param == "stopped" else redis_server.url)
    client.forgets = request.param == "flushed"
    yield client
    await client.aclose()


@pytest.fixture
async def take(course, effects, cache):
    """Delivers an event, and then those that it releases."""
    inbox = Inbox(course, effects.handlers)
    marks = Marks(cache, "course")
    marks.trust(await inbox.prepare())
    taker = Taker(inbox, "course", marks)

    async def take_one(cohort, seq, **changes):
        if cache is not None and cache.forgets:
            await cache.flushall()
        await taker.take([arrival(cohort, seq, **changes)], Hold(asyncio.Event()))

    take_one.inbox = inbox
    return take_one


class TestTake:
    async def test_applies_once_however_often_it_is_delivered_at_once(self, take, effects, admin):
        cohort = uuid4()
        await asyncio.gather(*(take(cohort, 1) for _ in range(20)))
        assert effects.numbers(cohort) == [1]
        assert admin.execute(RECORDED, (str(cohort),)).fetchone() == (1,)

    async def test_sets_an_early_event_aside_until_the_missing_one_comes(
        self, take, effects, admin
    ):
        cohort = uuid4()
        for seq in (1, 4, 3):
            await take(cohort, seq)
        assert effects.numbers(cohort) == [1]
        assert admin.execute(PARKED, (str(cohort),)).fetchall() == [("gap", 3), ("gap", 4)]
        await take(cohort, 2)
        assert effects.numbers(cohort) == [1, 2, 3, 4]
        assert admin.execute(PARKED, (str(cohort),)).fetchall() == []

    async def test_keeps_order_under_any_shuffle_with_repeats_and_parallel_readers(
        self, take, effects, admin
    ):
        cohort = uuid4()
        deliveries = [*range(1, 31)] * 3
        random.Random(7).shuffle(deliveries)
        readers = [deliveries[start::4] for start in range(4)]

        async def read(sequence):
            for seq in sequence:
                await take(cohort, seq)

        await asyncio.gather(*map(read, readers))
        assert effects.numbers(cohort) == list(range(1, 31))
        assert admin.execute(CURSOR, (str(cohort),)).fetchone() == (30, False)

    async def test_lets_an_entity_older_than_the_consumer_begin_where_it_is(self, take, effects):
        cohort = uuid4()
        for seq in (7, 8, 3):
            await take(cohort, seq, sequencestart=LONG_AGO.isoformat())
        assert effects.numbers(cohort) == [7, 8]

    async def test_keeps_tenants_apart_that_share_an_entity(self, take, effects):
        cohort = uuid4()
        await take(cohort, 1)
        await take(cohort, 1, tenant="south", id=str(uuid4()))
        assert effects.numbers(cohort) == [1, 1]

    async def test_advances_past_a_type_it_ignores(self, take, effects, admin):
        cohort = uuid4()
        declared = (
            f'{{"cohort_id": "{cohort}", "cohort": "a", "title": "A", "courses": [],'
            ' "starts_on": "2026-01-01", "ends_on": "2026-02-01", "time_zone": "UTC"}'
        )
        kind = {
            "type": "profile.cohort.declared",
            "dataschema": "https://kourse.dev/schemas/profile.cohort.declared/1",
        }
        await take.inbox.take([arrival(cohort, 1, declared.encode(), **kind)])
        await take(cohort, 2)
        assert effects.numbers(cohort) == [2]

    async def test_does_not_advance_past_a_type_that_only_a_newer_build_knows(self, take, admin):
        cohort = uuid4()
        with pytest.raises(UnknownEventError):
            await take.inbox.take([arrival(cohort, 1, type="profile.group.renamed")])
        assert admin.execute(CURSOR, (str(cohort),)).fetchone() is None

    async def test_does_not_take_a_version_that_it_does_not_know(self, take, admin):
        cohort = uuid4()
        schema = "https://kourse.dev/schemas/profile.group.joined/2"
        with pytest.raises(UnknownEventError):
            await take.inbox.take([arrival(cohort, 1, dataschema=schema)])
        assert admin.execute(CURSOR, (str(cohort),)).fetchone() is None

    async def test_cannot_set_aside_what_is_not_even_json(self, take):
        for body in (b"\xff not text", b"not json"):
            with pytest.raises(UndecodableError):
                await take.inbox.take([arrival(uuid4(), 2, body)])


class TestPoison:
    async def test_is_not_parked_when_another_reader_applied_it_meanwhile(self, take, admin):
        cohort = uuid4()
        await take(cohort, 1)
        await take.inbox.poison(arrival(cohort, 1), "late", 5)
        assert admin.execute(CURSOR, (str(cohort),)).fetchone() == (1, False)

    async def test_keeps_its_reason_when_it_is_delivered_again(self, take, admin):
        cohort = uuid4()
        await take.inbox.poison(arrival(cohort, 1), "hopeless", 5)
        await take(cohort, 1)
        assert admin.execute(PARKED, (str(cohort),)).fetchall() == [("poison", 1)]


class TestBatch:
    async def test_writes_many_events_of_a_type_at_once(self, course, admin):
        handlers, seen = Handlers("course"), []

        @handlers.on_many(GroupJoined)
        async def note(_tx, pairs):
            seen.append([event.cohort for event, _ in pairs])

        first, second = uuid4(), uuid4()
        inbox = Inbox(course, handlers)
        await inbox.prepare()
        batch = [arrival(first, 2), arrival(second, 1), arrival(first, 1), arrival(first, 2)]
        taken = await inbox.take(batch)
        assert seen == [["n1", "n1", "n2"]]
        assert set(taken.done) == {each.delivery.id for each in batch}
        assert admin.execute(CURSOR, (str(first),)).fetchone() == (2, False)
        assert admin.execute(RECORDED, (str(second),)).fetchone() == (1,)

    async def test_parks_only_the_entity_of_a_poisoned_event(self, course, effects, admin):
        effects.failing = Failing(13)
        poisoned, healthy = uuid4(), uuid4()
        inbox = Inbox(course, effects.handlers)
        marks = Marks(None, "course")
        await inbox.prepare()
        bodies = {2: joined(poisoned, 13).model_dump_json().encode()}
        batch = [arrival(poisoned, seq, bodies.get(seq)) for seq in range(1, 5)]
        batch += [arrival(healthy, seq) for seq in range(1, 5)]
        await Taker(inbox, "course", marks).take(batch, Hold(asyncio.Event()))
        assert effects.numbers(healthy) == [1, 2, 3, 4]
        assert effects.numbers(poisoned) == [1]
        parked = [("poison", 2), ("blocked", 3), ("blocked", 4)]
        assert admin.execute(PARKED, (str(poisoned),)).fetchall() == parked

    async def test_tries_a_poisoned_event_five_times_alone_after_the_batch(
        self, course, effects, admin
    ):
        tries, poisoned = [], uuid4()

        def fail(number):
            tries.append(number)
            raise ZeroDivisionError

        effects.failing = fail
        inbox = Inbox(course, effects.handlers)
        await inbox.prepare()
        batch = [arrival(poisoned, 1), arrival(poisoned, 2)]
        await Taker(inbox, "course", Marks(None, "course")).take(batch, Hold(asyncio.Event()))
        assert tries == [1] * 6
        parked = [("poison", 1), ("blocked", 2)]
        assert admin.execute(PARKED, (str(poisoned),)).fetchall() == parked

    async def test_hands_back_only_what_cannot_be_kept(self, course, effects):
        cohort = uuid4()
        inbox = Inbox(course, effects.handlers)
        await inbox.prepare()
        unfit = arrival(uuid4(), 2, b"not json")
        batch = [arrival(cohort, 1), unfit, arrival(cohort, 2)]
        taker = Taker(inbox, "course", Marks(None, "course"))
        assert await taker.take(batch, Hold(asyncio.Event())) == [unfit]
        assert effects.numbers(cohort) == [1, 2]

    async def test_keeps_tenants_apart(self, course, effects, admin):
        cohort = uuid4()
        inbox = Inbox(course, effects.handlers)
        await inbox.prepare()
        south = arrival(cohort, 1, tenant="south", id=str(uuid4()))
        taker = Taker(inbox, "course", Marks(None, "course"))
        await taker.take([arrival(cohort, 1), south], Hold(asyncio.Event()))
        stored = "SELECT tenant FROM course.thing WHERE name = %s ORDER BY tenant"
        tenants = admin.execute(stored, (f"{cohort}/1",)).fetchall()
        assert tenants == [("demo",), ("south",)]


class TestConsumer:
    @pytest.fixture
    async def broker(self, broker_url):
        broker = Broker(broker_url)
        await declare_topology(broker)
        yield broker
        await broker.close()

    async def publish(self, broker, message_headers, body):
        key = "profile.group.joined.demo._._.p03"
        await broker.publish("kourse.events", key, body, headers=message_headers, mandatory=True)

    @pytest.mark.parametrize(
        ("changes", "body"),
        [
            ({"id": "no-uuid"}, b"{}"),
            ({"tenant": None}, b"{}"),
            ({"sequence": 0}, b"{}"),
            ({"time": "yesterday"}, b"{}"),
            ({}, b"\x00\x01"),
        ],
        ids=["id", "tenant", "sequence", "time", "body"],
    )
    async def test_sends_what_it_cannot_even_park_to_the_dead_letters(
        self, course, broker, effects, changes, body
    ):
        async with running(Consumer(course, broker, effects.handlers, parts=[3], pace=PACE)):
            await until(lambda: self.count(broker, "course.events.p03", consumers=1))
            await self.publish(broker, headers(uuid4(), 1, **changes), body)
            await until(lambda: self.purge(broker, "course.dead"))

    async def test_keeps_order_when_the_queue_does_not(self, course, broker, effects, admin):
        cohort = uuid4()
        order = [*range(1, 41)] * 2
        random.Random(11).shuffle(order)
        for seq in order:
            body = joined(cohort, seq).model_dump_json().encode()
            await self.publish(broker, headers(cohort, seq), body)
        async with running(Consumer(course, broker, effects.handlers, parts=[3], pace=PACE)):
            await until(lambda: len(effects.numbers(cohort)) >= 40)
        assert effects.numbers(cohort) == list(range(1, 41))
        assert admin.execute(PARKED, (str(cohort),)).fetchall() == []

    async def test_parks_an_event_that_this_build_does_not_know(
        self, course, broker, effects, admin
    ):
        cohort = uuid4()
        schema = "https://kourse.dev/schemas/profile.group.joined/9"
        async with running(Consumer(course, broker, effects.handlers, parts=[3], pace=PACE)):
            await until(lambda: self.count(broker, "course.events.p03", consumers=1))
            await self.publish(broker, headers(cohort, 1, dataschema=schema), b"{}")
            await until(lambda: admin.execute(PARKED, (str(cohort),)).fetchall() == [("poison", 1)])
        assert admin.execute(CURSOR, (str(cohort),)).fetchone() == (0, True)

    async def test_tells_how_long_the_oldest_event_has_waited(self, course, broker):
        handlers, go_on = Handlers("course"), asyncio.Event()

        @handlers.on(GroupJoined)
        async def wait(_tx, _event, _delivery):
            await go_on.wait()

        def age():
            return REGISTRY.get_sample_value("kourse_inbox_oldest_age_seconds", CONSUMER)

        cohort = uuid4()
        async with running(Consumer(course, broker, handlers, parts=[3], pace=PACE)):
            assert age() == 0
            body = joined(cohort, 1).model_dump_json().encode()
            written = datetime.now(UTC) - timedelta(minutes=2)
            await self.publish(broker, headers(cohort, 1, time=written.isoformat()), body)
            await until(lambda: age() >= 120)
            go_on.set()
            await until(lambda: age() == 0)

    async def count(self, broker, queue, consumers):
        async with broker.open() as wire:
            answer = await wire.queue_declare(queue, passive=True)
            return answer.consumer_count >= consumers

    async def purge(self, broker, queue):
        async with broker.open() as wire:
            return (await wire.queue_purge(queue)).message_count == 1
