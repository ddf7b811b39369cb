"""The pool that hashes passwords: right answers, and a bound on what waits."""

import asyncio
import threading

import pytest

from kourse.contracts.errors import Unavailable
from kourse.identity.service.hashing import HashPool


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
