"""The catalog's topology at a real broker: made once, left alone, and its outside feeds in nobody's way."""

from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from kourse.contracts import names
from kourse.contracts.events import AssignmentCreated
from kourse.kit.bus import Broker, declare_topology
from kourse.kit.topology import Queue, platform_topology
from support.events import running
from support.feeds import declare_feed
from support.siblings import Sibling
from support.waiting import until

LIMIT = 5
OTHER = Queue(
    names.UNROUTED_EXCHANGE, {"x-queue-type": "quorum", "x-delivery-limit": 20, "x-max-length": 3}
)
FEED = names.cohort_queue("demo", "autumn")


@pytest.fixture
def host(servers):
    """A virtual host of the test's own."""
    with servers.scratch_host() as url:
        yield url


@pytest.fixture
async def broker(host):
    opened = Broker(host, name="topology test")
    yield opened
    await opened.close()


def gauge():
    return REGISTRY.get_sample_value("kourse_topology_mismatches")


class TestDeclaration:
    async def test_can_be_repeated_by_every_process(self, broker):
        for _ in range(2):
            assert await broker.declare(platform_topology()) == []

    async def test_reports_what_differs_leaves_it_alone_and_makes_the_rest(self, broker):
        await broker.declare([OTHER])
        await broker.publish("", OTHER.name, b"kept")

        await declare_topology(broker)

        (mismatch,) = broker.mismatches
        assert OTHER.name in mismatch
        assert gauge() == 1
        async with broker.open() as wire:
            kept = await wire.basic_get(OTHER.name, no_ack=True)
            last = names.consumer_queue("profile", names.PARTITIONS - 1)
            await wire.queue_declare(last, passive=True)
        assert kept.body == b"kept"

    async def test_reports_nothing_any_more_once_it_was_put_right(self, broker):
        await broker.declare([OTHER])
        await declare_topology(broker)
        await broker.remove([OTHER])

        broker.forget_topology()
        await declare_topology(broker)

        assert (broker.mismatches, gauge()) == ((), 0)


async def counted(broker, queue):
    """Messages of a queue that are ready."""
    async with broker.open() as wire:
        return (await wire.queue_declare(queue, passive=True)).message_count


async def holding(count, expected):
    """Returns when there are so many; a queue that is slow to tell counts as empty to the broker."""

    async def hold():
        return await count() == expected

    await until(hold)


async def in_house(broker, consumer):
    """Messages of all of a consumer's partitions."""
    queues = [names.consumer_queue(consumer, part) for part in range(names.PARTITIONS)]
    return sum([await counted(broker, queue) for queue in queues])


def created(number):
    return AssignmentCreated(
        course_id=uuid4(),
        course="statistics",
        assignment_id=uuid4(),
        assignment=f"a{number}",
        title="A",
        category="work",
        points=1,
    )


class TestOutsideFeed:
    @pytest.fixture
    async def feed(self, broker):
        """A cohort's feed with room for a few messages."""
        await declare_feed(broker, maxMessages=LIMIT, ttlHours=1)

    @pytest.fixture
    async def course(self, scratch, broker):
        sibling = Sibling(scratch, broker, "course")
        yield sibling
        await sibling.close()

    async def publish(self, course, scratch, numbers):
        """Everything is published, and nothing was refused on the way."""
        before = refused()
        await course.tell(*(created(number) for number in numbers))
        pending = "SELECT count(*) FROM course.outbox WHERE published_at IS NULL"
        with scratch.admin() as admin:
            async with running(course.relay):
                await until(lambda: admin.execute(pending).fetchone()[0] == 0)
        assert refused() == before

    async def test_that_is_full_drops_its_oldest_and_holds_nobody_up(
        self, broker, feed, course, scratch
    ):
        total = 8 * LIMIT
        await self.publish(course, scratch, range(total))

        await holding(lambda: in_house(broker, "notification"), total)
        await holding(lambda: in_house(broker, "dashboard"), total)
        await holding(lambda: counted(broker, FEED), LIMIT)
        assert await counted(broker, names.UNROUTED_EXCHANGE) == 0

    async def test_that_is_gone_is_missed_by_nobody_else(self, broker, feed, course, scratch):
        await broker.remove([Queue(FEED)])
        await self.publish(course, scratch, range(LIMIT))

        await holding(lambda: in_house(broker, "notification"), LIMIT)


def refused():
    """Events that the broker did not take from this process."""
    return sum(
        sample.value
        for metric in REGISTRY.collect()
        if metric.name == "kourse_outbox_refused"
        for sample in metric.samples
        if sample.name.endswith("_total")
    )
