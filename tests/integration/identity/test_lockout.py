"""The lockout, attempt by attempt, with the same vectors on every credential store."""

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import pytest_asyncio

from integration.identity.conftest import PASSWORD
from integration.identity.test_credential_port import WRONG, Port
from kourse.identity.service.credentials import Outcome
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
SLOW = {
    "failure_factor": 5,
    "wait_increment": timedelta(seconds=2),
    "max_wait": timedelta(seconds=3),
    "quick_check": timedelta(0),
    "min_quick_wait": timedelta(seconds=60),
}
"""Waits that a test can sit out; nothing comes too quickly."""
QUICK = {
    **SLOW,
    "max_wait": timedelta(hours=1),
    "quick_check": timedelta(hours=1),
    "min_quick_wait": timedelta(minutes=10),
}
"""Any second failure comes too quickly."""


class Locked:
    """A store, and what becomes of each attempt."""

    def __init__(self, house, failures):
        self.port = Port(house)
        self._house = house
        self._failures = failures

    async def attempt(self, account, password=WRONG):
        """The outcome, failures in a row, and for how many seconds the last of them locks.

        Keycloak cuts the end of a lock to the second, so it comes up to a second early.
        """
        outcome = await self.port.outcome(account, password)
        count, last_ms, ends_ms = await self._failures(self._house, account.email)
        return outcome, count, max(0, -((last_ms - ends_ms) // 1000))

    async def attempt_once_open(self, account):
        """The same, as soon as no lock is in force."""
        await until(lambda: self._is_open(account))
        return await self.attempt(account)

    async def _is_open(self, account):
        return (await self.port.write("state", account)).locked_until is None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store_of(request, backend, start):
    """Makes stores that lock by a policy."""

    @asynccontextmanager
    async def made(policy):
        with backend.locking(request, policy) as locking:
            async with start(**locking.settings) as house:
                yield Locked(house, locking.failures)

    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def slow(store_of):
    async with store_of(SLOW) as store:
        yield store


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def quick(store_of):
    async with store_of(QUICK) as store:
        yield store


class TestWait:
    async def test_grows_with_every_full_set_of_failures_up_to_its_end(self, slow):
        account = await slow.port.account()

        found = [await slow.attempt_once_open(account) for _ in range(10)]

        waits = [0, 0, 0, 0, 2, 2, 2, 2, 2, 3]
        assert found == [(Outcome.WRONG, n, wait) for n, wait in enumerate(waits, 1)]

    async def test_begins_anew_after_a_success(self, slow):
        account = await slow.port.account()
        for _ in range(4):
            await slow.attempt(account)

        right = await slow.attempt(account, PASSWORD)
        found = [await slow.attempt(account) for _ in range(4)]

        assert right == (Outcome.RIGHT, 0, 0)
        assert found == [(Outcome.WRONG, n, 0) for n in range(1, 5)]

    async def test_follows_at_once_on_failures_faster_than_people_type(self, quick):
        account = await quick.port.account()

        found = [await quick.attempt(account) for _ in range(2)]

        assert found == [(Outcome.WRONG, 1, 0), (Outcome.WRONG, 2, 600)]


class TestLock:
    async def test_refuses_every_password_alike_and_counts_none(self, quick):
        account = await quick.port.account()
        for _ in range(2):
            await quick.attempt(account)

        found = [await quick.attempt(account, one) for one in (WRONG, PASSWORD, WRONG)]

        assert found == [(Outcome.WRONG, 2, 600)] * 3
