"""Replicas of a relay share the partitions; what the broker refuses is held back, and nothing else is."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from pamqp import commands
from pamqp.header import ContentHeader
from prometheus_client import REGISTRY

from kourse.contracts import events, names
from kourse.kit import relay_link
from kourse.kit.amqp.values import read_fields
from kourse.kit.bus import Binding, Broker, Queue, declare_topology
from kourse.kit.outbox import Relay
from kourse.kit.shares import fair_share
from support.events import emit_joined, running
from support.scripted_broker import ScriptedBroker
from support.waiting import until

TESTS = Path(__file__).parents[2]
HOLDERS = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND objid < 16
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
RETURNED = {"service": "profile", "reason": "returned"}
UNPUBLISHED = "SELECT count(*) FROM profile.outbox WHERE entity = %s AND published_at IS NULL"


def cohort_in(part):
    """A new cohort whose events are in this partition."""
    while names.partition(str(cohort := uuid4())) != part:
        pass
    return cohort


@pytest.fixture
def unpublished(admin):
    """How many events of a cohort are not marked."""
    return lambda cohort: admin.execute(UNPUBLISHED, (str(cohort),)).fetchone()[0]


@pytest.fixture
def short_rest(monkeypatch):
    monkeypatch.setattr(relay_link, "RETURN_PAUSE_S", 0.2)


class HalfScripted(Broker):
    """Publishes to a scripted broker; all else goes to the real one."""

    def __init__(self, url, scripted):
        super().__init__(url)
        self._scripted = Broker(scripted.url)

    def publishing(self):
        return self._scripted.publishing()

    async def close(self):
        await self._scripted.close()
        await super().close()


@pytest.fixture
async def scripted():
    async with ScriptedBroker() as scripted:
        yield scripted


@pytest.fixture
async def scripted_relay(scripted, profile_worker, broker_url):
    broker = HalfScripted(broker_url, scripted)
    yield Relay(profile_worker, broker)
    await broker.close()


def sequences(scripted):
    """What was published, as (subject, number), in order."""
    return [
        (headers["cloudEvents:subject"], headers["cloudEvents:sequence"])
        for headers in (content.properties.headers for content in scripted.heard_of(ContentHeader))
    ]


@pytest.fixture
async def relays(open_database, broker_url):
    """Makes replicas, each with connections of its own."""
    brokers = []

    def make():
        brokers.append(Broker(broker_url))
        return Relay(open_database("kourse_profile_worker", "profile"), brokers[-1])

    yield make
    for broker in brokers:
        await broker.close()


@asynccontextmanager
async def relay_process(schemas, broker_url, **env):
    """A replica in a process of its own, killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "support.relay_process"),
        *(schemas.url("kourse_profile_worker"), "profile", broker_url),
        cwd=TESTS,
        env={**os.environ, **env},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def shared(*relays):
    """Whether all partitions are held, each by one replica, and none holds more than its share."""
    held = [part for relay in relays for part in relay.parts]
    fair = fair_share(len(relays))
    return sorted(held) == list(range(16)) and all(len(each.parts) <= fair for each in relays)


class TestShares:
    @pytest.mark.parametrize(
        ("members", "share"), [(0, 16), (1, 16), (2, 8), (3, 6), (5, 4), (16, 1), (40, 1)]
    )
    def test_are_sixteen_divided_by_the_replicas(self, members, share):
        assert fair_share(members) == share

    async def test_move_to_replicas_that_come_and_back_when_they_go(self, relays):
        first, second, third = relays(), relays(), relays()
        async with running(first):
            await until(lambda: shared(first))
            async with running(second):
                await until(lambda: shared(first, second))
                async with running(third):
                    await until(lambda: shared(first, second, third))
                await until(lambda: shared(first, second))
            await until(lambda: shared(first))

    async def test_come_back_when_a_replica_is_killed(self, relays, schemas, broker_url, admin):
        first = relays()
        async with running(first), relay_process(schemas, broker_url) as other:
            await until(lambda: len(first.parts) == 8)
            await until(lambda: admin.execute(HOLDERS).fetchone()[0] == 16)
            other.send_signal(signal.SIGKILL)
            await until(lambda: shared(first))


@pytest.mark.usefixtures("short_rest")
class TestRefusal:
    async def test_of_an_event_holds_back_its_partition_and_no_other(
        self, scripted, scripted_relay, profile, unpublished
    ):
        refused, fine = cohort_in(3), cohort_in(4)
        await emit_joined(profile, refused, range(3))
        await emit_joined(profile, fine, range(3))
        async with running(scripted_relay):
            await until(lambda: len(sequences(scripted)) == 6)
            for tag, (entity, number) in enumerate(sequences(scripted), start=1):
                nacked = (entity, number) == (str(refused), 2)
                answer = commands.Basic.Nack if nacked else commands.Basic.Ack
                scripted.say(answer(tag), 1)
            await until(lambda: unpublished(fine) == 0)
            await until(lambda: len(sequences(scripted)) == 8)
            assert unpublished(refused) == 2
            assert sequences(scripted)[6:] == [(str(refused), 2), (str(refused), 3)]
            scripted.say(commands.Basic.Ack(8, multiple=True), 1)
            await until(lambda: unpublished(refused) == 0)

    async def test_by_silence_is_a_refusal_too(
        self, scripted, scripted_relay, profile, unpublished, monkeypatch
    ):
        monkeypatch.setattr(relay_link, "CONFIRM_TIMEOUT_S", 0.2)
        cohort = cohort_in(5)
        await emit_joined(profile, cohort, range(2))
        async with running(scripted_relay):
            await until(lambda: len(sequences(scripted)) >= 4)
            assert unpublished(cohort) == 2
            tag = len(sequences(scripted))
            scripted.say(commands.Basic.Ack(tag, multiple=True), 1)
            await until(lambda: _confirmed(scripted) and unpublished(cohort) == 0)
        numbers = [number for _, number in sequences(scripted)]
        assert numbers == [1, 2] * (len(numbers) // 2)

    async def test_of_everything_by_a_blocked_broker_is_waited_for(
        self, scripted, scripted_relay, profile, unpublished, no_faults
    ):
        async with running(scripted_relay):
            await until(lambda: len(scripted_relay.parts) == 16)
            scripted.say(commands.Connection.Blocked("low on memory"))
            cohort = cohort_in(6)
            selected = asyncio.Event()
            no_faults.arm("relay.selected", lambda: asyncio.sleep(0, selected.set()))
            await emit_joined(profile, cohort, range(2))
            await selected.wait()
            assert sequences(scripted) == []
            scripted.say(commands.Connection.Unblocked())
            await until(lambda: _confirmed(scripted) and unpublished(cohort) == 0)

    async def test_by_a_full_queue_ends_when_there_is_room(
        self, profile, profile_worker, broker_url, unpublished, admin
    ):
        part = 7
        cohort, broker = cohort_in(part), Broker(broker_url)
        queue = names.consumer_queue("course", part)
        await declare_topology(broker)
        full = Queue("full", {"x-max-length": 1, "x-overflow": "reject-publish"})
        key = names.type_binding("profile.group.joined", part)
        binding = Binding(names.EVENTS_EXCHANGE, "full", key)
        await broker.declare([full, binding])
        await emit_joined(profile, cohort, range(5))
        async with running(Relay(profile_worker, broker)):
            await until(lambda: unpublished(cohort) < 5)
            assert unpublished(cohort) == 4
            await broker.remove([binding, full])
            await until(lambda: unpublished(cohort) == 0)
        async with broker.reading(queue, prefetch=50, stopping=asyncio.Event()) as reader:
            first_seen = {}
            while len(first_seen) < 5:
                for message in await reader.batch():
                    first_seen.setdefault(read_fields(message.fields)["cloudEvents:sequence"])
        assert list(first_seen) == [1, 2, 3, 4, 5]
        await broker.close()

    async def test_for_want_of_its_queues_keeps_the_event_and_makes_them_again(
        self, profile, profile_worker, broker_url, unpublished
    ):
        part = 9
        cohort, broker = cohort_in(part), Broker(broker_url)
        takers = [
            who for who in events.consumers() if events.Stream.GROUP in events.streams_of(who)
        ]
        queues = [names.consumer_queue(taker, part) for taker in takers]
        await declare_topology(broker)
        returned = partial(REGISTRY.get_sample_value, "kourse_outbox_refused_total", RETURNED)
        before = returned() or 0
        async with running(relay := Relay(profile_worker, broker)):
            await until(lambda: len(relay.parts) == 16)
            await broker.remove(Queue(queue) for queue in queues)
            await emit_joined(profile, cohort, range(2))
            await until(lambda: unpublished(cohort) == 0)
        assert returned() > before
        await holding(broker, 2, *queues)
        assert await counted(broker, names.UNROUTED_EXCHANGE) == [0]
        await broker.close()

    async def test_never_meets_an_event_that_nobody_awaits(self, broker_url):
        broker = Broker(broker_url)
        await declare_topology(broker)
        async with broker.open() as wire:
            await wire.queue_purge(names.UNROUTED_EXCHANGE)
        key = names.routing_key("course.content.archived", "demo", "feedless", None, 0)
        await broker.publish(names.EVENTS_EXCHANGE, key, b"{}", mandatory=True)
        await holding(broker, 1, names.UNROUTED_EXCHANGE)
        await broker.close()


async def holding(broker, count, *queues):
    """Returns when each queue holds so many; one that is slow to tell counts as empty to the broker."""

    async def hold():
        return await counted(broker, *queues) == [count] * len(queues)

    await until(hold)


async def counted(broker, *queues):
    """Messages that are ready in each of these queues."""
    async with broker.open() as wire:
        found = [await wire.queue_declare(queue, passive=True) for queue in queues]
    return [each.message_count for each in found]


def _confirmed(scripted):
    """Confirms everything that has come so far."""
    if count := len(sequences(scripted)):
        scripted.say(commands.Basic.Ack(count, multiple=True), 1)
    return True


class TestFeed:
    @pytest.mark.parametrize("feed", ["full", "absent"])
    async def test_that_nobody_reads_holds_nothing_up(
        self, feed, profile, profile_worker, broker_url, unpublished
    ):
        broker, cohort = Broker(broker_url), cohort_in(8)
        await declare_topology(broker)
        exchange = names.course_exchange("demo", "feed")
        if feed == "full":
            bounded = {"x-queue-type": "quorum", "x-max-length": 3, "x-overflow": "drop-head"}
            binding = Binding(names.EVENTS_EXCHANGE, exchange, "profile.group.joined.#")
            await broker.declare([Queue(exchange, bounded), binding])
        await emit_joined(profile, cohort, range(40))
        async with running(Relay(profile_worker, broker)):
            await until(lambda: unpublished(cohort) == 0)
        if feed == "full":
            kept = []
            async with broker.reading(exchange, prefetch=9, stopping=asyncio.Event()) as reader:
                while len(kept) < 3:
                    kept += [
                        read_fields(each.fields)["cloudEvents:sequence"]
                        for each in await reader.batch()
                    ]
            assert kept == [38, 39, 40]
            await broker.remove([binding, Queue(exchange)])
        await broker.close()
