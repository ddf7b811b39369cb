"""What only identity's own credential store can show: its counters, its hashes, its queue."""

import asyncio
import hashlib
import time
from datetime import timedelta

import pytest

from integration.identity.backends import LOCAL
from integration.identity.conftest import ADMIN, address

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def backend():
    """Identity's own rows, whatever else there is."""
    return LOCAL


class TestSignOn:
    async def test_is_none_without_an_issuer(self, house):
        left = await house.http.get("/v1/auth/sso/login", allow_redirects=False)
        told = await house.http.post(
            "/v1/auth/sso/backchannel-logout", data={"logout_token": "any"}
        )

        assert (left.status, told.status) == (404, 404)


class TestLogIn:
    async def test_locks_an_address_without_an_account_just_so(self, start):
        async with start(lockout_quick_check=timedelta(hours=1)) as house:
            email = address()
            for _ in range(2):
                await house.log_in(email)

            key = f"lockout:{hashlib.sha256(email.encode()).hexdigest()}"
            assert float(await house.store.hget(key, "until")) > time.time() * 1000

    async def test_checks_at_most_five_of_many_guesses_at_once(self, house, monkeypatch):
        email, _ = await house.member()
        pool = house.process.runtime.extras["house"].credentials._pool
        checked = []
        opens = pool.opens

        async def counted(sealed, password):
            checked.append(password)
            return await opens(sealed, password)

        monkeypatch.setattr(pool, "opens", counted)
        guesses = (house.log_in(email, f"guess number {number:03d}") for number in range(100))
        answers = await asyncio.gather(*guesses)

        assert {answer.status for answer in answers} <= {401, 503}
        assert 1 <= len(checked) <= 5

    async def test_forgets_failures_after_a_success(self, start):
        async with start(lockout_failure_factor=2) as house:
            email, _ = await house.member()
            for _ in range(3):
                await house.log_in(email, "not the password at all")
                assert (await house.log_in(email)).status == 200

    async def test_answers_503_when_too_many_passwords_wait(self, start):
        async with start(hash_workers=1, hash_queue=0) as house:
            room = house.process.runtime.extras["house"].credentials._pool._room
            room.acquire()
            answer = await house.log_in(ADMIN[0], ADMIN[1])
            room.release()

            assert answer.status == 503
            assert answer.headers["Retry-After"]
            assert (await house.log_in(*ADMIN)).status == 200
