"""The lockout, attempt by attempt, with the same vectors on every credential store."""

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
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


@dataclass
class Attempt:
    """What became of an attempt.

    Attributes:
        count: Failures in a row.
        ends_ms: When the lock ends, in Unix milliseconds; 0, or a moment before, when none is in force.
        span_ms: Before and after the attempt.
    """

    outcome: Outcome
    count: int
    ends_ms: int
    span_ms: tuple[int, int]

    def locks_for(self, seconds):
        """Whether the attempt may have locked for so long, at some moment between before and after.

        Keycloak cuts the end of a lock to the second, so it comes up to a second early. On a machine that
        takes longer for the attempt than the lock lasts, the lock is over when it is looked at.
        """
        before, after = self.span_ms
        earliest, latest = before + seconds * 1000 - 1000, after + seconds * 1000
        if self.ends_ms <= after:
            return seconds == 0 or earliest <= after
        return earliest <= self.ends_ms <= latest


class Locked:
    """A store, and what becomes of each attempt."""

    def __init__(self, house, failures):
        self.port = Port(house)
        self._house = house
        self._failures = failures

    async def attempt(self, account, password=WRONG):
        """An attempt and how the account stands after it."""
        before = now_ms()
        outcome = await self.port.outcome(account, password)
        count, ends_ms = await self._failures(self._house, account.email)
        return Attempt(outcome, count, ends_ms, (before, now_ms()))

    async def attempt_once_open(self, account):
        """The same, as soon as no lock is in force."""
        await until(lambda: self._is_open(account))
        return await self.attempt(account)

    async def _is_open(self, account):
        return (await self.port.write("state", account)).locked_until is None


def now_ms():
    return int(time.time() * 1000)


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

        for count, wait in enumerate([0, 0, 0, 0, 2, 2, 2, 2, 2, 3], 1):
            failure = await slow.attempt_once_open(account)

            assert (failure.outcome, failure.count) == (Outcome.WRONG, count)
            assert failure.locks_for(wait)

    async def test_begins_anew_after_a_success(self, slow):
        account = await slow.port.account()
        for _ in range(4):
            await slow.attempt(account)

        right = await slow.attempt(account, PASSWORD)
        later = [await slow.attempt(account) for _ in range(4)]

        assert (right.outcome, right.count) == (Outcome.RIGHT, 0)
        assert [failure.count for failure in later] == [1, 2, 3, 4]
        assert all(failure.locks_for(0) for failure in later)

    async def test_follows_at_once_on_failures_faster_than_people_type(self, quick):
        account = await quick.port.account()

        first, second = [await quick.attempt(account) for _ in range(2)]

        assert (first.count, second.count) == (1, 2)
        assert (first.locks_for(0), second.locks_for(600)) == (True, True)


class TestLock:
    async def test_refuses_every_password_alike_and_counts_none(self, quick):
        account = await quick.port.account()
        _, locking = [await quick.attempt(account) for _ in range(2)]

        for password in (WRONG, PASSWORD, WRONG):
            refused = await quick.attempt(account, password)

            assert refused.outcome is Outcome.WRONG
            assert (refused.count, refused.ends_ms) == (2, locking.ends_ms)
