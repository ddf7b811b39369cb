"""Events that never came are noticed, and fetched from the producer's own outbox."""

from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY
from psycopg.rows import class_row

from kourse.contracts import names
from kourse.contracts.errors import Unavailable
from kourse.kit.bus import Broker, Queue, declare_topology
from kourse.kit.delivery import Outgoing, headers_of
from kourse.kit.inbox import Consumer, Handlers, Pace, aside
from kourse.kit.inbox.cursor import Arrival
from kourse.kit.operations import dead_letters
from kourse.kit.outbox import Relay
from support.events import Effects, Failing, emit_joined, running
from support.waiting import until

SWALLOW = (
    "UPDATE profile.outbox SET published_at = now() WHERE entity = %s AND seq <= %s AND seq > %s"
)
ARCHIVED = (
    "SELECT id, event_id, tenant, stream, entity, seq, started_at, type, version,"
    " payload::text AS payload, headers, routing_key, part, traceparent, created_at"
    " FROM profile.outbox WHERE tenant = %s AND stream = %s AND entity = %s"
    " AND seq > %s AND seq < %s ORDER BY seq LIMIT 3"
)
PARKED = "SELECT reason, seq FROM course.parked_event WHERE entity = %s ORDER BY seq"
UNBLOCK = (
    "UPDATE course.inbox_cursor SET blocked = false WHERE entity = %s",
    "UPDATE course.parked_event SET reason = 'gap' WHERE entity = %s",
)
SOON = {"lease_s": 60, "renew_s": 0.2, "look_s": 0.2}


class OutboxArchive:
    """Reads the producer's outbox itself, three events at a time.

    Attributes:
        down: Whether it does not answer.
        asked: For which entity it was asked, each time.
    """

    def __init__(self, connection):
        self._connection = connection
        self.down = False
        self.asked = []

    async def fetch(self, tenant, stream, entity, after_seq, before_seq):
        self.asked.append(entity)
        if self.down:
            raise Unavailable
        with self._connection.cursor(row_factory=class_row(Outgoing)) as cursor:
            rows = cursor.execute(ARCHIVED, (tenant, stream, entity, after_seq, before_seq))
            return [Arrival.of(headers_of(row), row.payload.encode()) for row in rows]


@pytest.fixture
def archive(admin):
    return OutboxArchive(admin)


@pytest.fixture
def effects():
    return Effects()


@pytest.fixture
def course_worker(open_database):
    return open_database("kourse_course_worker", "course")


@pytest.fixture
def consuming(course, course_worker, profile_worker, broker_url, effects):
    """Profile's relay and course's consumer, with what it is given."""

    @asynccontextmanager
    async def made(handlers=None, archive=None, gap_s=0.1):
        broker = Broker(broker_url)
        consumer = Consumer(
            course,
            broker,
            handlers or effects.handlers,
            worker=course_worker,
            archive=archive,
            pace=Pace(gap_s=gap_s, **SOON),
        )
        try:
            async with running(Relay(profile_worker, broker), consumer):
                yield
        finally:
            await broker.close()

    return made


@pytest.fixture
def lose(profile, admin):
    """A cohort with events of which some never reach the broker."""

    async def made(count, *, lost, after=0):
        cohort = uuid4()
        await emit_joined(profile, cohort, range(1, count + 1))
        admin.execute(SWALLOW, (str(cohort), after + lost, after))
        return cohort

    return made


def parked(admin, cohort):
    return admin.execute(PARKED, (str(cohort),)).fetchall()


def metric(name):
    return REGISTRY.get_sample_value(name, {"consumer": "course"}) or 0


class TestGap:
    async def test_alerts_and_is_closed_from_the_archive(self, consuming, lose, effects, archive):
        cohort = await lose(20, lost=7, after=3)
        alerts = metric("kourse_inbox_gaps_overdue_total")
        async with consuming(archive=archive):
            await until(lambda: len(effects.numbers(cohort)) >= 20)
        assert effects.numbers(cohort) == list(range(1, 21))
        assert metric("kourse_inbox_gaps_overdue_total") == alerts + 1

    async def test_that_a_removed_queue_leaves_is_told_and_closed(
        self, consuming, profile, effects, archive, broker_url
    ):
        cohort, broker = uuid4(), Broker(broker_url)
        missing = metric("kourse_inbox_queues_missing_total")
        async with consuming(archive=archive):
            await emit_joined(profile, cohort, [1])
            await until(lambda: effects.numbers(cohort) == [1])
            queue = names.consumer_queue("course", names.partition(str(cohort)))
            await broker.remove([Queue(queue)])
            await emit_joined(profile, cohort, [2, 3])
            await until(lambda: metric("kourse_inbox_queues_missing_total") > missing)
            await declare_topology(broker)
            await emit_joined(profile, cohort, [4])
            await until(lambda: len(effects.numbers(cohort)) >= 4)
        assert effects.numbers(cohort) == [1, 2, 3, 4]
        await broker.close()

    async def test_is_left_alone_before_its_time(self, consuming, lose, effects, archive, admin):
        cohort = await lose(3, lost=1, after=1)
        async with consuming(archive=archive, gap_s=3600):
            await until(lambda: parked(admin, cohort) == [("gap", 3)])
            later = await lose(1, lost=0)
            await until(lambda: effects.numbers(later) == [1])
        assert effects.numbers(cohort) == [1]
        assert str(cohort) not in archive.asked

    async def test_stays_while_the_archive_is_down(self, consuming, lose, effects, archive):
        cohort = await lose(3, lost=1, after=1)
        archive.down = True
        async with consuming(archive=archive):
            await until(lambda: archive.asked.count(str(cohort)) > 1)
            assert effects.numbers(cohort) == [1]
            archive.down = False
            await until(lambda: len(effects.numbers(cohort)) >= 3)
        assert effects.numbers(cohort) == [1, 2, 3]

    async def test_stays_when_nobody_has_what_is_missing(
        self, consuming, lose, effects, archive, admin
    ):
        cohort = await lose(3, lost=1, after=1)
        admin.execute("DELETE FROM profile.outbox WHERE entity = %s AND seq = 2", (str(cohort),))
        async with consuming(archive=archive):
            await until(lambda: archive.asked.count(str(cohort)) > 1)
        assert effects.numbers(cohort) == [1]
        assert parked(admin, cohort) == [("gap", 3)]


class TestBeginning:
    @pytest.fixture
    def handlers(self, effects):
        handlers = effects.handlers
        handlers.begins = "archive"
        return handlers

    def test_is_chosen_when_handlers_are_made(self):
        assert Handlers("course", begins="archive").begins == "archive"

    async def test_is_fetched_at_once(self, consuming, lose, effects, archive, handlers):
        cohort = await lose(9, lost=8)
        async with consuming(handlers, archive, gap_s=3600):
            await until(lambda: len(effects.numbers(cohort)) >= 9)
        assert effects.numbers(cohort) == list(range(1, 10))

    async def test_is_where_the_archive_begins(
        self, consuming, lose, effects, archive, handlers, admin
    ):
        cohort = await lose(5, lost=4)
        admin.execute("DELETE FROM profile.outbox WHERE entity = %s AND seq < 3", (str(cohort),))
        lost = metric("kourse_inbox_lost_beginnings_total")
        async with consuming(handlers, archive, gap_s=3600):
            await until(lambda: len(effects.numbers(cohort)) >= 3)
        assert effects.numbers(cohort) == [3, 4, 5]
        assert metric("kourse_inbox_lost_beginnings_total") == lost + 1


class TestAside:
    async def test_is_measured_and_taken_once_a_person_unblocked_it(
        self, consuming, lose, effects, admin, course_worker
    ):
        effects.failing = Failing(2)
        poisoned = await lose(4, lost=0)
        async with consuming(gap_s=3600):
            waiting = [("poison", 2), ("blocked", 3), ("blocked", 4)]
            await until(lambda: parked(admin, poisoned) == waiting)
            await aside.measure(course_worker, "course")
            assert metric("kourse_inbox_parked") >= 1
            assert metric("kourse_inbox_blocked_entities") >= 1
            effects.failing = Failing()
            for statement in UNBLOCK:
                admin.execute(statement, (str(poisoned),))
            await until(lambda: parked(admin, poisoned) == [])
        assert effects.numbers(poisoned) == [1, 2, 3, 4]

    async def test_counts_gaps_with_their_age(self, consuming, lose, admin, course_worker):
        cohort = await lose(3, lost=1, after=1)
        await aside.measure(course_worker, "course")
        before = metric("kourse_inbox_gaps")
        async with consuming(gap_s=3600):
            await until(lambda: parked(admin, cohort) == [("gap", 3)])
        await aside.measure(course_worker, "course")
        assert metric("kourse_inbox_gaps") == before + 1
        assert metric("kourse_inbox_gap_oldest_age_seconds") > 0

    async def test_counts_dead_letters_until_they_are_gone(self, consuming, broker_url):
        broker, body = Broker(broker_url), str(uuid4()).encode()
        await declare_topology(broker)
        async with consuming():
            for _ in range(3):
                await broker.publish(names.DEAD_LETTER_EXCHANGE, "course", body)
            await until(lambda: metric("kourse_inbox_dead_letters") == 3)
            for letter in await dead_letters.look_through(broker, "course"):
                await dead_letters.drop(broker, "course", letter.key)
            await until(lambda: metric("kourse_inbox_dead_letters") == 0)
        await broker.close()
