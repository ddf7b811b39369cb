"""One candidate leads, the others wait: the rules of client-go's leader election, by a clock of the test's."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from kourse.contracts.errors import Unavailable
from kourse_operator.engine import election as module
from kourse_operator.engine.election import Election, Rhythm
from kourse_operator.engine.leadership import Leadership, Term
from kourse_operator.errors import LeadershipLost, NotLeading, Outdated

yielding = partial(asyncio.sleep, 0)


class FakeLease:
    """A Lease that candidates share; each write is bound to the version that was read."""

    def __init__(self):
        self.record = None
        self.error = None
        self.writes = 0

    async def read(self):
        if self.error:
            raise self.error
        return self.record

    async def write(self, record):
        if self.error:
            raise self.error
        if record.version != (self.record.version if self.record else ""):
            raise Outdated
        self.writes += 1
        self.record = replace(record, uid="lease", version=str(self.writes))
        return self.record


class Candidate:
    def __init__(self, lease, now, identity):
        self.leadership = Leadership(lambda: now[0])
        self.election = Election(
            lease, self.leadership, identity=identity, rhythm=Rhythm(), clock=lambda: now[0]
        )

    async def tries(self):
        return await self.election._attempt()

    @property
    def leads(self):
        return self.leadership.left_s > 0


@pytest.fixture
def now():
    return [1000.0]


@pytest.fixture
def lease():
    return FakeLease()


@pytest.fixture
def first(lease, now):
    return Candidate(lease, now, "first")


@pytest.fixture
def second(lease, now):
    return Candidate(lease, now, "second")


@pytest.fixture
def passing(now, monkeypatch):
    """Sleeping takes no time but the clock's."""

    async def sleep(seconds):
        now[0] += max(seconds, 0.001)

    monkeypatch.setattr(module.asyncio, "sleep", sleep)


class TestAcquiring:
    async def test_makes_the_lease_where_there_is_none(self, lease, first):
        assert await first.tries()
        assert (lease.record.holder, lease.record.duration_s) == ("first", 15)
        assert first.leadership.require() == Term("lease", 0)

    async def test_waits_for_the_duration_since_the_record_was_seen_to_change(
        self, first, second, now
    ):
        await first.tries()
        now[0] += 100
        assert not await second.tries(), "seen for the first time: it may be a second old"
        now[0] += 14.9
        assert not await second.tries()
        now[0] += 0.1
        assert await second.tries()
        assert second.leadership.require() == Term("lease", 1)

    async def test_begins_to_count_anew_with_every_renewal(self, first, second, now):
        await first.tries()
        for _ in range(5):
            assert not await second.tries()
            now[0] += 9
            assert await first.tries()
        assert not await second.tries()

    async def test_is_won_by_one_of_two_that_saw_the_same(self, lease, first, second, now):
        await first.tries()
        await second.tries()
        now[0] += 20
        stale = second.election._claim(lease.record)
        await first.tries()
        with pytest.raises(Outdated):
            await lease.write(stale)
        assert not await second.tries()
        assert lease.record.holder == "first"

    async def test_takes_at_once_what_was_given_back(self, lease, first, second):
        await first.tries()
        await second.tries()
        await first.election.release()
        assert not first.leads
        assert lease.record.holder == ""
        assert await second.tries()
        assert lease.record.transitions == 1

    async def test_is_no_loss_to_one_who_gives_it_back_when_a_renewal_is_due(
        self, lease, first, passing
    ):
        await first.tries()
        slow = asyncio.Event()
        write = lease.write

        async def slowly(record):
            await slow.wait()
            return await write(record)

        lease.write = slowly
        giving = asyncio.create_task(first.election.release())
        holding = asyncio.create_task(first.election.hold())
        while not first.election._turn.locked():
            await yielding()
        slow.set()
        await asyncio.gather(giving, holding)
        assert lease.record.holder == ""

    async def test_survives_an_api_server_that_is_down(self, lease, first):
        lease.error = Unavailable("down")
        assert not await first.tries()
        lease.error = None
        assert await first.tries()


class TestTakeover:
    async def test_comes_within_20_s_of_the_last_renewal(self, first, second, now, passing):
        await first.tries()
        since = now[0]
        assert not await second.tries()
        await second.election.win()
        assert 15 <= now[0] - since <= 20


class TestHolding:
    @pytest.fixture(autouse=True)
    def _time(self, passing):
        """Time passes by sleeping only."""

    async def test_ends_when_it_cannot_renew_in_time(self, lease, first, now):
        await first.tries()
        since = now[0]
        lease.error = Unavailable("down")
        with pytest.raises(LeadershipLost):
            await first.election.hold()
        assert now[0] - since == pytest.approx(10, abs=0.1), "before anyone else may begin"
        with pytest.raises(NotLeading):
            first.leadership.require()

    async def test_ends_when_another_took_it(self, lease, first, second, now):
        await first.tries()
        await second.tries()
        now[0] += 15
        assert await second.tries()
        with pytest.raises(LeadershipLost):
            await first.election.hold()
        assert lease.record.holder == "second"

    async def test_ends_when_somebody_deletes_the_lease(self, lease, first):
        await first.tries()
        lease.record = None
        with pytest.raises(LeadershipLost):
            await first.election.hold()


class TestLeadership:
    def test_may_write_nothing_before_it_begins(self, now):
        with pytest.raises(NotLeading):
            Leadership(lambda: now[0]).require()

    async def test_is_over_for_a_process_that_was_stopped_too_long(self, first, now):
        await first.tries()
        now[0] += 10
        with pytest.raises(NotLeading):
            first.leadership.require()

    async def test_counts_from_before_the_renewal_was_sent(self, lease, first, now):
        write = lease.write

        async def slow(record):
            now[0] += 4
            return await write(record)

        lease.write = slow
        await first.tries()
        assert first.leadership.left_s == pytest.approx(6)
