"""What several partitions have in hand goes into the database together."""

import asyncio

import pytest

from kourse.contracts.errors import Unavailable
from kourse.kit.inbox.gathering import AT_ONCE, Gathering


class Database:
    """Notes the lots that it is given, and holds each until it is let go."""

    def __init__(self):
        self.lots = []
        self.free = asyncio.Event()
        self.bad = set()
        self.error = ValueError("bad")

    async def act(self, arrivals):
        self.lots.append(arrivals)
        await self.free.wait()
        if self.bad & set(arrivals):
            raise self.error


@pytest.fixture
def database():
    return Database()


async def some(gathering, *hands):
    """Begins to take the hands; their tasks."""
    tasks = [asyncio.create_task(gathering.take(hand)) for hand in hands]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


class TestGathering:
    async def test_takes_hands_that_come_at_once_together(self, database):
        gathering = Gathering(database.act, most=10)
        tasks = await some(gathering, ["a1", "a2"], ["b1"])
        database.free.set()
        await asyncio.gather(*tasks)
        assert database.lots == [["a1", "a2", "b1"]]

    async def test_gathers_what_comes_while_lots_are_under_way(self, database):
        gathering = Gathering(database.act, most=10)
        tasks = []
        for hand in (["a1"], ["b1"], ["c1"], ["d1"]):
            tasks += await some(gathering, hand)
        assert database.lots == [["a1"], ["b1"]][:AT_ONCE]
        database.free.set()
        await asyncio.gather(*tasks)
        assert database.lots == [["a1"], ["b1"], ["c1", "d1"]]

    async def test_keeps_a_distance_between_small_lots(self, database, monkeypatch):
        monkeypatch.setattr("kourse.kit.inbox.gathering.LINGER_S", 0.2)
        database.free.set()
        gathering = Gathering(database.act, most=100)
        hands = [[f"a{number}"] for number in range(20)]
        tasks = [task for hand in hands for task in await some(gathering, hand)]
        await asyncio.gather(*tasks)
        assert [[arrival] for lot in database.lots for arrival in lot] == hands
        assert database.lots[:AT_ONCE] == hands[:AT_ONCE]
        assert len(database.lots) < len(hands) / 2

    async def test_hurries_when_lots_are_half_full(self, database, monkeypatch):
        monkeypatch.setattr("kourse.kit.inbox.gathering.LINGER_S", 3600.0)
        database.free.set()
        gathering = Gathering(database.act, most=4)
        hands = [[f"{name}1", f"{name}2"] for name in "abcdef"]
        tasks = [task for hand in hands for task in await some(gathering, hand)]
        await asyncio.gather(*tasks)
        assert database.lots == hands

    async def test_keeps_lots_within_bounds_and_hands_whole(self, database):
        database.free.set()
        gathering = Gathering(database.act, most=3)
        await asyncio.gather(*await some(gathering, ["a1", "a2"], ["b1", "b2"], ["c1"], ["d"] * 5))
        assert database.lots == [["a1", "a2"], ["b1", "b2", "c1"], ["d"] * 5]

    async def test_takes_each_hand_alone_when_one_of_them_is_bad(self, database):
        database.free.set()
        database.bad = {"b1"}
        gathering = Gathering(database.act, most=10)
        tasks = await some(gathering, ["a1"], ["b1"], ["c1"])
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert database.lots == [["a1", "b1", "c1"], ["a1"], ["b1"], ["c1"]]
        assert outcomes == [None, database.error, None]

    async def test_tells_everybody_when_a_back_end_is_down(self, database):
        database.free.set()
        database.bad, database.error = {"a1"}, Unavailable("the database is down")
        gathering = Gathering(database.act, most=10)
        tasks = await some(gathering, ["a1"], ["b1"])
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert outcomes == [database.error] * 2
        assert len(database.lots) == 1

    async def test_goes_on_when_one_who_waits_is_cancelled(self, database):
        gathering = Gathering(database.act, most=10)
        first, second = await some(gathering, ["a1"], ["b1"])
        first.cancel()
        database.free.set()
        await second
        with pytest.raises(asyncio.CancelledError):
            await first
