"""The second factor of an account, on real servers and every credential store."""

import asyncio
from base64 import b32decode
from urllib.parse import parse_qs, urlsplit

import pytest

from integration.identity.conftest import PASSWORD, with_code
from integration.identity.test_account import WRONG, change_password

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def offer_factor(house, tokens, **more):
    """The secret of a second factor that nobody has confirmed."""
    body = {"password": PASSWORD, **more}
    answer = await house.post("/v1/account/factor", body, token=tokens["accessToken"])
    assert answer.status == 200, await answer.text()
    offered = await answer.json()
    assert parse_qs(urlsplit(offered["address"]).query)["secret"] == [offered["secret"]]
    return b32decode(offered["secret"])


async def add_factor(house, tokens):
    """Secret and recovery codes of a second factor."""
    secret = await offer_factor(house, tokens)

    async def confirm(code):
        path, body = "/v1/account/factor/confirm", {"code": code}
        return await house.post(path, body, token=tokens["accessToken"])

    answer = await with_code(secret, confirm, is_right=is_ok)
    assert answer.status == 200, await answer.text()
    return secret, (await answer.json())["codes"]


async def log_in_with_code(house, email, secret):
    """The answer to a code after the one that confirmed the factor."""
    return await with_code(
        secret, lambda code: house.log_in(email, code=code), is_right=is_ok, ahead=1
    )


def is_ok(answer):
    return answer.status == 200


class TestSecondFactor:
    async def test_counts_for_nothing_until_a_code_came_back(self, house):
        email, tokens = await house.member()
        await offer_factor(house, tokens)

        body = {"code": "000000"}
        wrong = await house.post("/v1/account/factor/confirm", body, token=tokens["accessToken"])

        assert wrong.status == 400
        assert (await house.log_in(email)).status == 200

    async def test_is_asked_for_at_log_in_by_whoever_knows_the_password(self, house):
        email, tokens = await house.member()
        secret, _ = await add_factor(house, tokens)

        missing = await house.log_in(email)
        assert (await missing.json())["code"] == "second-factor-required"
        stranger = await house.log_in(email, WRONG)
        assert (await stranger.json())["code"] == "invalid-credentials"
        right = await log_in_with_code(house, email, secret)
        assert right.status == 200
        assert house.events(house.user_id(email))[-1] == "identity.factor.added"

    async def test_takes_no_code_again_that_confirmed_it(self, house):
        email, tokens = await house.member()
        secret = await offer_factor(house, tokens)
        code = ""

        async def confirm(good):
            nonlocal code
            code = good
            path = "/v1/account/factor/confirm"
            return await house.post(path, {"code": good}, token=tokens["accessToken"])

        assert is_ok(await with_code(secret, confirm, is_right=is_ok))

        assert (await house.log_in(email, code=code)).status == 401
        assert is_ok(await log_in_with_code(house, email, secret))

    async def test_is_confirmed_once_however_many_try_at_once(self, house):
        _, tokens = await house.member()
        secret = await offer_factor(house, tokens)

        async def confirm(code):
            path, body = "/v1/account/factor/confirm", {"code": code}
            token = tokens["accessToken"]
            return await asyncio.gather(*(house.post(path, body, token=token) for _ in range(2)))

        answers = await with_code(secret, confirm, is_right=lambda many: any(map(is_ok, many)))

        assert sorted(answer.status for answer in answers) == [200, 400]

    async def test_takes_a_recovery_code_in_its_place_once(self, house):
        email, tokens = await house.member()
        _, codes = await add_factor(house, tokens)

        assert len(set(codes)) == 10
        assert (await house.log_in(email, recoveryCode=codes[0].upper())).status == 200
        assert (await house.log_in(email, recoveryCode=codes[0])).status == 401
        assert (await house.log_in(email, recoveryCode=codes[1])).status == 200

    async def test_is_removed_with_a_code_alone(self, house):
        email, tokens = await house.member()
        _, codes = await add_factor(house, tokens)
        path, token = "/v1/account/factor/remove", tokens["accessToken"]

        refused = await house.post(path, {"password": PASSWORD}, token=token)
        assert (await refused.json())["code"] == "second-factor-required"
        body = {"password": PASSWORD, "recoveryCode": codes[0]}
        assert (await house.post(path, body, token=token)).status == 204

        assert (await house.log_in(email)).status == 200
        assert house.events(house.user_id(email))[-1] == "identity.factor.removed"

    async def test_guards_what_else_the_password_opens(self, house):
        _, tokens = await house.member()
        await add_factor(house, tokens)

        answer = await change_password(house, tokens)

        assert (await answer.json())["code"] == "second-factor-required"

    async def test_is_not_replaced_by_somebody_at_an_open_screen(self, house):
        _, tokens = await house.member()
        _, codes = await add_factor(house, tokens)

        body = {"password": PASSWORD, "recoveryCode": codes[0]}
        answer = await house.post("/v1/account/factor", body, token=tokens["accessToken"])

        assert (answer.status, (await answer.json())["code"]) == (409, "second-factor-exists")

    async def test_stores_neither_secret_nor_recovery_code_in_the_clear(self, house):
        _, tokens = await house.member()
        secret, codes = await add_factor(house, tokens)

        assert all(bytes(sealed).find(secret) < 0 for (sealed,) in house.rows(
            "SELECT sealed FROM identity.factor"
        ))  # fmt: skip
        assert codes[0] not in str(house.rows("SELECT digest FROM identity.recovery_code"))
