"""From an outbox row to its effect: nothing lost, nothing twice, nothing out of order."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from kourse.contracts.errors import Unavailable
from kourse.kit import faults
from kourse.kit import relay as relay_module
from kourse.kit.bus import Broker
from kourse.kit.inbox import Consumer
from kourse.kit.outbox import Relay
from support.events import PACE, Effects, backbone, emit_joined, running
from support.proxy import proxied
from support.waiting import LONG_S, until

TESTS = Path(__file__).parents[2]
UNPUBLISHED = "SELECT count(*) FROM profile.outbox WHERE published_at IS NULL"
EFFECTS = "SELECT count(*) FROM course.thing WHERE name LIKE %s"
PARKED = "SELECT reason, seq FROM course.parked_event WHERE entity = %s ORDER BY seq"
CURSOR = "SELECT last_seq, blocked FROM course.inbox_cursor WHERE entity = %s"
POINTS = [point for point in faults.POINTS if point.startswith("relay.")]


@pytest.fixture
def effects():
    return Effects()


@pytest.fixture
def stored(admin):
    """How many effects of a cohort the database holds."""
    return lambda cohort: admin.execute(EFFECTS, (f"{cohort}/%",)).fetchone()[0]


@pytest.fixture
def all_published(admin):
    return lambda: admin.execute(UNPUBLISHED).fetchone()[0] == 0


@pytest.fixture
async def proxied_broker(broker_url):
    """The broker behind a proxy: the proxy and the address through it."""
    async with proxied(broker_url) as through:
        yield through


class TestBackbone:
    async def test_applies_each_event_once_and_in_order(
        self, profile, course, profile_worker, broker_url, effects, stored, all_published
    ):
        cohorts = [uuid4() for _ in range(20)]
        async with backbone(course, profile_worker, broker_url, effects):
            await asyncio.gather(*(emit_joined(profile, cohort, range(10)) for cohort in cohorts))
            await until(lambda: all(stored(cohort) == 10 for cohort in cohorts))
            await until(all_published)
        assert all(effects.numbers(cohort) == list(range(10)) for cohort in cohorts)

    async def test_takes_what_was_written_while_nobody_ran(
        self, profile, course, profile_worker, broker_url, effects, stored
    ):
        cohort = uuid4()
        await emit_joined(profile, cohort, range(250))
        async with backbone(course, profile_worker, broker_url, effects):
            await until(lambda: stored(cohort) == 250)
        assert effects.numbers(cohort) == list(range(250))

    async def test_is_awoken_by_the_commit_and_not_only_by_looking_again(
        self,
        profile,
        course,
        profile_worker,
        broker_url,
        effects,
        stored,
        all_published,
        monkeypatch,
    ):
        monkeypatch.setattr(relay_module, "ROUND_S", 3600)
        async with backbone(course, profile_worker, broker_url, effects) as relay:
            await until(lambda: len(relay.parts) == 16)
            await until(all_published)
            cohort = uuid4()
            await emit_joined(profile, cohort, range(1))
            await until(lambda: stored(cohort) == 1)


class TestRelay:
    @pytest.mark.parametrize("point", POINTS)
    async def test_loses_nothing_when_it_dies_at(
        self, point, profile, course, profile_worker, broker_url, effects, stored, no_faults
    ):
        cohort = uuid4()
        died = []

        async def die():
            no_faults.disarm()
            died.append(point)
            raise Unavailable("killed by a test")

        await emit_joined(profile, cohort, range(30))
        no_faults.arm(point, die)
        async with backbone(course, profile_worker, broker_url, effects):
            await until(lambda: stored(cohort) == 30)
        assert died == [point]
        assert effects.numbers(cohort) == list(range(30))

    @pytest.mark.parametrize("point", POINTS)
    async def test_loses_nothing_when_its_process_is_killed_at(
        self, point, profile, course, profile_worker, broker_url, effects, stored, schemas
    ):
        cohort = uuid4()
        await emit_joined(profile, cohort, range(30))
        worker_url = schemas.url("kourse_profile_worker")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "support.relay_process", worker_url, "profile", broker_url),
            cwd=TESTS,
            env={**os.environ, "KOURSE_FAULTS": f"{point}=kill"},
        )
        assert await asyncio.wait_for(process.wait(), LONG_S) == -signal.SIGKILL
        async with backbone(course, profile_worker, broker_url, effects):
            await until(lambda: stored(cohort) == 30)
        assert effects.numbers(cohort) == list(range(30))

    async def test_goes_on_by_itself_after_the_broker_was_away(
        self, profile, course, profile_worker, proxied_broker, effects, stored, all_published
    ):
        proxy, url = proxied_broker
        cohort = uuid4()
        async with backbone(course, profile_worker, url, effects):
            await emit_joined(profile, cohort, range(5))
            await until(lambda: stored(cohort) == 5)
            await proxy.cut()
            await emit_joined(profile, cohort, range(5, 10))
            assert not all_published()
            await proxy.mend()
            await until(lambda: stored(cohort) == 10)
            await until(all_published)
        assert effects.numbers(cohort) == list(range(10))

    async def test_goes_on_by_itself_after_its_database_session_was_lost(
        self, profile, course, profile_worker, broker_url, effects, stored, admin
    ):
        cohort = uuid4()
        async with backbone(course, profile_worker, broker_url, effects) as relay:
            await until(lambda: len(relay.parts) == 16)
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name LIKE 'kourse-profile relay%'"
                " AND datname = current_database()"
            )
            await emit_joined(profile, cohort, range(5))
            await until(lambda: stored(cohort) == 5)

    async def test_takes_over_the_partitions_of_one_that_is_gone(
        self, profile_worker, open_database, broker_url
    ):
        broker = Broker(broker_url)
        first, second = (
            Relay(profile_worker, broker),
            Relay(open_database("kourse_profile_worker", "profile"), broker),
        )
        async with running(second):
            async with running(first):
                await until(lambda: len(first.parts) + len(second.parts) == 16)
                assert not first.parts & second.parts
            await until(lambda: len(second.parts) == 16)
        await broker.close()


class TestConsumer:
    async def test_holds_an_event_while_a_back_end_is_down(
        self, profile, course, profile_worker, broker_url, effects, stored
    ):
        cohort, failures = uuid4(), []

        def fail(number):
            if number == 1 and len(failures) < 4:
                failures.append(number)
                raise Unavailable

        effects.failing = fail
        async with backbone(course, profile_worker, broker_url, effects):
            await emit_joined(profile, cohort, range(3))
            await until(lambda: stored(cohort) == 3)
        assert len(failures) == 4
        assert effects.numbers(cohort) == [0, 1, 2]

    async def test_parks_a_poisoned_entity_and_lets_all_others_go_on(
        self, profile, course, profile_worker, broker_url, effects, stored, admin
    ):
        poisoned, healthy, tries = uuid4(), uuid4(), []

        def fail(number):
            if number == 101:
                tries.append(number)
                raise ZeroDivisionError

        effects.failing = fail
        async with backbone(course, profile_worker, broker_url, effects):
            await emit_joined(profile, poisoned, [100, 101, 102, 103])
            await emit_joined(profile, healthy, range(5))
            await until(lambda: stored(healthy) == 5)
            parked = [("poison", 2), ("blocked", 3), ("blocked", 4)]
            entity = (str(poisoned),)
            await until(lambda: admin.execute(PARKED, entity).fetchall() == parked)
        assert len(tries) >= 5  # and those of batches that it was in
        assert effects.numbers(poisoned) == [100]
        assert admin.execute(CURSOR, entity).fetchone() == (1, True)

    async def test_parks_once_when_it_fails_after_it_parked(
        self, profile, course, profile_worker, broker_url, effects, stored, admin, no_faults
    ):
        poisoned, failed = uuid4(), []

        def poison(number):
            if number == 0:
                raise ZeroDivisionError

        async def fail():
            no_faults.disarm()
            failed.append("inbox.parked")
            raise Unavailable("killed by a test")

        effects.failing = poison
        no_faults.arm("inbox.parked", fail)
        async with backbone(course, profile_worker, broker_url, effects):
            await emit_joined(profile, poisoned, range(2))
            parked = [("poison", 1), ("blocked", 2)]
            entity = (str(poisoned),)
            await until(lambda: admin.execute(PARKED, entity).fetchall() == parked)
        assert failed == ["inbox.parked"]

    async def test_drops_what_is_delivered_again(
        self, profile, course, profile_worker, broker_url, effects, stored, admin
    ):
        cohort = uuid4()
        again = "UPDATE profile.outbox SET published_at = NULL WHERE entity = %s"
        async with backbone(course, profile_worker, broker_url, effects):
            await emit_joined(profile, cohort, range(5))
            await until(lambda: stored(cohort) == 5)
            admin.execute(again, (str(cohort),))
            await emit_joined(profile, cohort, [5])
            await until(lambda: stored(cohort) == 6)
        assert effects.numbers(cohort) == list(range(6))

    @pytest.mark.parametrize(
        "point", ["inbox.applied", "inbox.committed", "inbox.marked", "inbox.acknowledged"]
    )
    async def test_applies_once_when_it_fails_at(
        self, point, profile, course, profile_worker, broker_url, effects, stored, no_faults
    ):
        cohort, failed = uuid4(), []

        async def fail():
            no_faults.disarm()
            failed.append(point)
            raise Unavailable("killed by a test")

        no_faults.arm(point, fail)
        async with backbone(course, profile_worker, broker_url, effects):
            await emit_joined(profile, cohort, range(3))
            await until(lambda: stored(cohort) == 3)
        assert failed == [point]

    async def test_leaves_its_work_to_another_that_takes_over(
        self, profile, course, profile_worker, broker_url, effects, stored
    ):
        cohort, broker = uuid4(), Broker(broker_url)
        successor = Effects()
        async with backbone(course, profile_worker, broker_url, effects):
            await emit_joined(profile, cohort, range(5))
            await until(lambda: stored(cohort) == 5)
            await emit_joined(profile, cohort, range(5, 50))
        async with running(
            Relay(profile_worker, broker),
            Consumer(course, broker, successor.handlers, pace=PACE),
        ):
            await until(lambda: stored(cohort) == 50)
        await broker.close()
        both = effects.numbers(cohort) + successor.numbers(cohort)
        assert both == list(range(50))
