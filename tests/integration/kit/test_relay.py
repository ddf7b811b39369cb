"""Replicas of a relay share the partitions; what the broker refuses is held back, and nothing else is."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kourse.kit.bus import Broker
from kourse.kit.outbox import Relay
from kourse.kit.shares import fair_share
from support.events import running, until

TESTS = Path(__file__).parents[2]
HOLDERS = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND objid < 16
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


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
