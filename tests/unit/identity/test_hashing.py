"""The pool that hashes passwords: right answers, and a bound on what waits."""

import asyncio
import os
import sys
import threading

import pytest

from kourse.contracts.errors import Unavailable
from kourse.identity.service.hashing import NICENESS, HashPool


@pytest.fixture
def pool():
    pool = HashPool(workers=1, queue=1, memory_kib=8, iterations=1)
    yield pool
    pool.close()


class TestHashPool:
    async def test_opens_what_it_sealed_and_nothing_else(self, pool):
        sealed = await pool.seal("lantern over quiet water")

        assert await pool.opens(sealed, "lantern over quiet water")
        assert not await pool.opens(sealed, "lantern over quiet waters")

    async def test_seals_the_same_password_differently_each_time(self, pool):
        assert await pool.seal("same") != await pool.seal("same")

    async def test_answers_no_when_there_is_nothing_sealed(self, pool):
        assert not await pool.opens(None, "nobody's password")

    async def test_answers_no_to_a_seal_that_is_none(self, pool):
        assert not await pool.opens("not an argon2 string", "anything")

    async def test_notices_seals_of_older_parameters(self, pool):
        stronger = HashPool(workers=1, queue=1, memory_kib=16, iterations=1)

        assert stronger.is_outdated(await pool.seal("x"))
        assert not pool.is_outdated(await pool.seal("x"))
        stronger.close()

    async def test_uses_argon2id_with_the_parameters_it_was_given(self, pool):
        assert (await pool.seal("x")).startswith("$argon2id$v=19$m=8,t=1,p=1$")

    async def test_refuses_at_once_what_finds_no_room(self, pool):
        release = threading.Event()
        running = [asyncio.ensure_future(pool._run(release.wait)) for _ in range(2)]
        await asyncio.sleep(0)

        with pytest.raises(Unavailable) as refusal:
            await pool.seal("one too many")
        release.set()
        await asyncio.gather(*running)

        assert refusal.value.retry_after_s is not None
        assert await pool.seal("there is room again")


class TestNeighbours:
    @pytest.mark.parametrize(("cores", "workers"), [(None, 1), (1, 1), (2, 1), (8, 7)])
    def test_have_a_core_for_themselves(self, monkeypatch, cores, workers):
        monkeypatch.setattr("os.cpu_count", lambda: cores)
        pool = HashPool(workers=0, queue=1, memory_kib=8, iterations=1)
        pool.close()

        assert pool.workers == workers

    @pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own")
    async def test_go_before_the_threads_that_hash(self, pool, monkeypatch):
        met = []

        def hashing(_hasher, password):
            met.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            return password

        monkeypatch.setattr("argon2.PasswordHasher.hash", hashing)
        await pool.seal("lantern over quiet water")

        assert met == [min(os.getpriority(os.PRIO_PROCESS, 0) + NICENESS, 19)]
