"""Views that are kept until something that they depend on changes."""

import asyncio
from datetime import timedelta

import pytest
import redis.asyncio as redis

from kourse.contracts.errors import Unavailable
from kourse.kit.views import Lifetimes, View, Views
from support.waiting import until

LONG, NONE = timedelta(hours=1), timedelta(0)


class Maker:
    """Makes a view that says how often it was made."""

    def __init__(self):
        self.made = 0
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.is_whole = True
        self.error = None

    async def __call__(self):
        self.made += 1
        number = self.made
        await self.may_end.wait()
        if self.error is not None:
            raise self.error
        return View(b"%d" % number, is_whole=self.is_whole)


@pytest.fixture
async def cache(servers):
    async with redis.Redis.from_url(servers.endpoints.cache_url) as client:
        await client.flushdb()
        yield client


@pytest.fixture
def make():
    return Maker()


def views(cache, **lifetimes):
    return Views(cache, "test", Lifetimes(**{"fresh": LONG, "overtaken": NONE, **lifetimes}))


class TestGet:
    async def test_makes_a_view_once(self, cache, make):
        one = views(cache)
        shown = [await one.get("k", [one.mark("demo", "a")], make) for _ in range(3)]

        assert (shown, make.made) == ([b"1"] * 3, 1)

    async def test_shares_what_another_process_made(self, cache, make):
        one, other = views(cache), views(cache)
        await one.get("k", [one.mark("demo", "a")], make)

        assert await other.get("k", [other.mark("demo", "a")], make) == b"1"

    async def test_makes_it_anew_once_a_mark_is_touched(self, cache, make):
        one = views(cache)
        marks = [one.mark("demo", "a"), one.mark("demo", "b")]
        await one.get("k", marks, make)
        await one.touch("demo", ["b"])

        assert await one.get("k", marks, make) == b"2"

    async def test_keeps_it_when_another_tenants_mark_is_touched(self, cache, make):
        one = views(cache)
        await one.get("k", [one.mark("demo", "a")], make)
        await one.touch("other", ["a"])

        assert await one.get("k", [one.mark("demo", "a")], make) == b"1"

    async def test_counts_nothing_that_was_overtaken_while_it_was_made(self, cache, make):
        one = views(cache)
        marks = [one.mark("demo", "a")]
        make.may_end.clear()
        first = asyncio.create_task(one.get("k", marks, make))
        await until(lambda: make.made == 1)
        await one.touch("demo", ["a"])
        make.may_end.set()

        assert await first == b"1"
        assert await one.get("k", marks, make) == b"2"

    async def test_gives_an_old_one_while_a_new_one_is_made_behind_it(self, cache, make):
        one = views(cache, fresh=NONE)
        marks = [one.mark("demo", "a")]
        await one.get("k", marks, make)
        make.may_end.clear()

        assert await one.get("k", marks, make) == b"1"
        assert await one.get("k", marks, make) == b"1"
        await until(lambda: make.made == 2)
        make.may_end.set()
        await until(lambda: not one._making)
        assert make.made == 2

    async def test_gives_an_overtaken_one_while_it_is_young(self, cache, make):
        one = views(cache, overtaken=LONG)
        marks = [one.mark("demo", "a")]
        await one.get("k", marks, make)
        await one.touch("demo", ["a"])

        assert await one.get("k", marks, make) == b"1"
        await until(lambda: not one._making)
        assert await one.get("k", marks, make) == b"2"

    async def test_makes_one_for_all_who_ask_at_a_time(self, cache, make):
        one = views(cache)
        make.may_end.clear()
        asking = [asyncio.create_task(one.get("k", [], make)) for _ in range(20)]
        await until(lambda: make.made == 1)
        make.may_end.set()

        assert set(await asyncio.gather(*asking)) == {b"1"}

    async def test_outlives_whoever_asked_first_and_left(self, cache, make):
        one = views(cache)
        make.may_end.clear()
        first = asyncio.create_task(one.get("k", [], make))
        await until(lambda: make.made == 1)
        first.cancel()
        make.may_end.set()

        assert await one.get("k", [], make) == b"1"

    async def test_keeps_none_that_is_not_whole(self, cache, make):
        one = views(cache)
        make.is_whole = False

        assert [await one.get("k", [], make) for _ in range(2)] == [b"1", b"2"]

    async def test_fails_as_its_making_does_and_tries_again(self, cache, make):
        one = views(cache)
        make.error = Unavailable("down")
        with pytest.raises(Unavailable):
            await one.get("k", [], make)
        make.error = None

        assert await one.get("k", [], make) == b"2"

    async def test_makes_every_view_without_redis(self, make):
        async with redis.Redis.from_url("redis://127.0.0.1:1") as nobody:
            one = views(nobody)
            await one.touch("demo", ["a"])

            assert [await one.get("k", [], make) for _ in range(2)] == [b"1", b"2"]


class TestTouched:
    async def test_tells_which_mark_of_which_tenant(self, cache):
        one = views(cache)
        told = one.touched()
        assert await anext(told) is None
        await one.touch("demo", ["a"])

        assert await anext(told) == ("demo", "a")
        await told.aclose()
