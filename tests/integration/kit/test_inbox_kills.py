"""Replicas of a consumer share its partitions, and none of them can be lost at a wrong moment."""

import signal
from collections import Counter
from uuid import uuid4

import pytest

from kourse.kit.bus import Broker
from kourse.kit.outbox import Relay
from support.consumer_process import Replica
from support.events import Effects, backbone, emit_joined, running
from support.waiting import until

EFFECTS = "SELECT name FROM course.thing WHERE name LIKE %s ORDER BY id"
PARKED = "SELECT reason, error <> '', seq FROM course.parked_event WHERE entity = %s ORDER BY seq"
OWNERS = (
    "SELECT owner, part FROM course.partition_lease WHERE owner IS NOT NULL"
    " AND expires_at > clock_timestamp()"
)


@pytest.fixture
def replica(schemas, broker_url):
    """Makes a replica of the consumer as a process."""
    urls = (schemas.url("kourse_course"), schemas.url("kourse_course_worker"), broker_url)

    def made(faults=""):
        return Replica(*urls, faults=faults)

    return made


@pytest.fixture
async def relayed(profile_worker, broker_url):
    """Profile's relay runs."""
    broker = Broker(broker_url)
    async with running(Relay(profile_worker, broker)):
        yield
    await broker.close()


@pytest.fixture
def numbers(admin):
    """Numbers of a cohort's events in the order in which they took effect."""

    def stored(cohort):
        names = admin.execute(EFFECTS, (f"{cohort}/%",)).fetchall()
        return [int(name.rpartition("/")[2]) for (name,) in names]

    return stored


@pytest.fixture
def shares(admin):
    """How many partitions each replica holds, largest first."""

    def held():
        return sorted(Counter(owner for owner, _ in admin.execute(OWNERS)).values(), reverse=True)

    return held


class TestKilledReplica:
    @pytest.mark.parametrize(
        "point", ["inbox.applied", "inbox.committed", "inbox.marked", "inbox.acknowledged"]
    )
    async def test_loses_and_doubles_nothing_at(
        self, point, replica, profile, course, profile_worker, broker_url, numbers
    ):
        cohorts = [uuid4() for _ in range(5)]
        for cohort in cohorts:
            await emit_joined(profile, cohort, range(40))
        broker = Broker(broker_url)
        async with running(Relay(profile_worker, broker)):
            with replica(f"{point}=kill") as killed:
                await until(lambda: killed.ended() == -signal.SIGKILL)
        await broker.close()
        async with backbone(course, profile_worker, broker_url, Effects()):
            await until(lambda: all(len(numbers(cohort)) >= 40 for cohort in cohorts))
        assert all(numbers(cohort) == list(range(40)) for cohort in cohorts)

    async def test_leaves_a_poisoned_event_parked_with_its_reason(
        self, replica, relayed, profile, numbers, admin
    ):
        poisoned, healthy = uuid4(), uuid4()
        await emit_joined(profile, poisoned, [1, 666, 2])
        with replica("inbox.parked=kill") as killed:
            await until(lambda: killed.ended() == -signal.SIGKILL)
        await emit_joined(profile, healthy, range(3))
        with replica():
            await until(lambda: len(numbers(healthy)) == 3)
            parked = [("poison", True, 2), ("blocked", False, 3)]
            entity = (str(poisoned),)
            await until(lambda: admin.execute(PARKED, entity).fetchall() == parked)
        assert numbers(poisoned) == [1]


@pytest.mark.usefixtures("relayed")
class TestReplicas:
    async def test_share_half_and_half_once_there_are_two(self, replica, profile, numbers, shares):
        cohorts = [uuid4() for _ in range(20)]
        with replica() as first:
            await until(lambda: shares() == [16])
            before = await self.emit(profile, cohorts, range(10))
            with replica() as second:
                await until(lambda: shares() == [8, 8])
                await self.emit(profile, cohorts, range(10, 20))
                await until(lambda: all(len(numbers(cohort)) >= 20 for cohort in cohorts))
                for each in (first, second):
                    each.send(signal.SIGTERM)
                    await until(lambda each=each: each.ended() == 0)
        assert before
        assert all(numbers(cohort) == list(range(20)) for cohort in cohorts)

    async def test_hand_over_at_once_on_a_clean_stop(self, replica, shares, admin):
        with replica() as first, replica() as second:
            await until(lambda: shares() == [8, 8])
            admin.execute("SELECT pg_stat_clear_snapshot()")
            first.send(signal.SIGTERM)
            await until(lambda: first.ended() == 0)
            assert len(shares()) <= 1  # the leases of the first are not waited for
            await until(lambda: shares() == [16])
            second.send(signal.SIGTERM)
            await until(lambda: second.ended() == 0)
        assert shares() == []

    async def test_take_over_from_one_that_is_killed(self, replica, profile, numbers, shares):
        cohorts = [uuid4() for _ in range(20)]
        with replica() as first, replica():
            await until(lambda: shares() == [8, 8])
            first.send(signal.SIGKILL)
            await self.emit(profile, cohorts, range(10))
            await until(lambda: all(len(numbers(cohort)) >= 10 for cohort in cohorts))
            await until(lambda: shares() == [16])
        assert all(numbers(cohort) == list(range(10)) for cohort in cohorts)

    @pytest.mark.parametrize("point", ["inbox.applied", "inbox.committed"])
    async def test_are_not_harmed_by_one_that_was_paused_at(
        self, point, replica, profile, numbers, shares
    ):
        cohorts = [uuid4() for _ in range(20)]
        with replica(f"{point}=stop") as paused:
            await until(lambda: shares() == [16])
            await self.emit(profile, cohorts, range(10))
            await until(paused.is_paused)
            with replica():
                await until(lambda: shares() == [16])
                paused.send(signal.SIGCONT)
                await self.emit(profile, cohorts, range(10, 20))
                await until(lambda: all(len(numbers(cohort)) >= 20 for cohort in cohorts))
                await until(lambda: shares() == [8, 8])
        assert all(numbers(cohort) == list(range(20)) for cohort in cohorts)

    async def emit(self, profile, cohorts, range_):
        return [await emit_joined(profile, cohort, range_) for cohort in cohorts]
