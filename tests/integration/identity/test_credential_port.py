"""What every credential store does behind identity's port, whichever is behind it."""

import time
from dataclasses import replace

import pytest

from integration.identity.conftest import PASSWORD, address, with_code
from kourse.identity.domain import totp
from kourse.identity.repository import accounts
from kourse.identity.service.credentials import Outcome
from kourse.kit.ids import new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER = "another lantern over water"
WRONG = "not the password at all"
SECRET = b"12345678901234567890"


class Port:
    """A credential store with transactions, and an account that it knows."""

    def __init__(self, house):
        self.parts = house.process.runtime.extras["house"]
        self.store = self.parts.credentials

    async def account(self, password=PASSWORD):
        """A verified account that the password opens."""
        account_id, email = new_id(), address()
        sealed = password and await self.store.seal(password)
        async with self.parts.database.transaction("demo") as tx:
            await accounts.add_account(
                tx, account_id=account_id, email=email, display_name="Ana", locale="en",
                is_verified=True,
            )  # fmt: skip
            account = await accounts.get_account(tx, account_id)
            await self.store.create(tx, account, sealed)
        return account

    async def write(self, method, *args):
        """Calls a method of the port in a transaction of its own."""
        async with self.parts.database.transaction("demo") as tx:
            return await getattr(self.store, method)(tx, *args)

    async def outcome(self, account, password=PASSWORD, code=""):
        return (await self.store.check(account.email, password, code)).outcome

    async def disable(self, account):
        async with self.parts.database.transaction("demo") as tx:
            await accounts.set_disabled(tx, account.id, is_disabled=True)
            await self.store.follow(tx, replace(account, is_disabled=True))


@pytest.fixture
def port(house):
    return Port(house)


def code(offset=0):
    """The code of the present time step, or of one nearby."""
    return totp.code_at(SECRET, totp.step_at(time.time()) + offset)


class TestCheck:
    async def test_opens_with_the_right_password_alone(self, port):
        account = await port.account()

        assert await port.outcome(account) is Outcome.RIGHT
        assert await port.outcome(account, WRONG) is Outcome.WRONG

    async def test_knows_no_stranger(self, port):
        assert (await port.store.check(address(), PASSWORD)).outcome is Outcome.WRONG

    async def test_opens_nothing_of_an_account_without_a_password(self, port):
        account = await port.account(password=None)

        assert await port.outcome(account, "") is Outcome.WRONG
        assert not (await port.write("state", account)).has_password

    async def test_says_when_a_failure_locks_and_refuses_the_right_password_then(self, port):
        account = await port.account()

        locks = [(await port.store.check(account.email, WRONG)).locked_until for _ in range(5)]

        assert locks[0] is None
        assert len([one for one in locks if one]) == 1
        assert await port.outcome(account) is Outcome.WRONG
        state = await port.write("state", account)
        assert state.locked_until is not None

    async def test_opens_again_once_unlocked(self, port):
        account = await port.account()
        for _ in range(5):
            await port.outcome(account, WRONG)

        await port.store.unlock(account)

        state = await port.write("state", account)
        assert (state.failures, state.locked_until) == (0, None)
        assert await port.outcome(account) is Outcome.RIGHT


class TestSetPassword:
    async def test_closes_the_account_to_the_former_one(self, port):
        account = await port.account()

        await port.write("set_password", account, await port.store.seal(OTHER))

        assert await port.outcome(account, OTHER) is Outcome.RIGHT
        assert await port.outcome(account) is Outcome.WRONG


class TestFollow:
    async def test_opens_nothing_of_a_disabled_account(self, port):
        account = await port.account()

        await port.disable(account)

        assert await port.outcome(account) is Outcome.WRONG

    async def test_opens_the_account_under_its_new_address_alone(self, port):
        account = await port.account()
        moved = replace(account, email=address())
        async with port.parts.database.transaction("demo") as tx:
            await accounts.change_email(tx, account.id, moved.email)
            await port.store.follow(tx, moved)

        assert await port.outcome(moved) is Outcome.RIGHT
        assert await port.outcome(account) is Outcome.WRONG


class TestDelete:
    async def test_opens_nothing_afterwards_and_may_be_repeated(self, port):
        account = await port.account()

        await port.write("delete", account)
        await port.write("delete", account)

        assert await port.outcome(account) is Outcome.WRONG


class TestFactor:
    async def test_asks_for_a_code_and_takes_each_once(self, port):
        account = await port.account()
        await port.write("put_factor", account, SECRET)
        assert (await port.write("state", account)).has_factor

        assert await port.outcome(account) is Outcome.FACTOR_NEEDED
        presented = []

        async def check(code):
            presented.append(code)
            return await port.outcome(account, code=code)

        found = await with_code(SECRET, check, is_right=lambda one: one is Outcome.RIGHT)
        assert found is Outcome.RIGHT
        assert await port.outcome(account, code=presented[-1]) is Outcome.WRONG

    async def test_tells_nobody_without_the_password_of_the_factor(self, port):
        account = await port.account()
        await port.write("put_factor", account, SECRET)

        assert await port.outcome(account, WRONG, code()) is Outcome.WRONG

    async def test_refuses_a_code_that_is_not_of_now(self, port):
        account = await port.account()
        await port.write("put_factor", account, SECRET)

        assert await port.outcome(account, code=code(-10)) is Outcome.WRONG

    async def test_asks_for_the_password_alone_once_removed(self, port):
        account = await port.account()
        await port.write("put_factor", account, SECRET)

        await port.write("remove_factor", account)

        assert await port.outcome(account) is Outcome.RIGHT
