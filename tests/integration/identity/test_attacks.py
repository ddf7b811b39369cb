"""What attackers try at the doors of identity, on every credential store; each test is one trick."""

import asyncio
from uuid import uuid4

import pytest

from integration.identity.conftest import PASSWORD, address, bearer
from integration.identity.test_account import WRONG
from integration.identity.test_credential_port import Port
from integration.identity.test_second_factor import add_factor, log_in_with_code
from kourse.identity.service.credentials import Outcome

pytestmark = pytest.mark.asyncio(loop_scope="module")
LOOKALIKE = PASSWORD.replace("a", "\N{CYRILLIC SMALL LETTER A}")


async def account_with(house, token, **headers):
    return await house.http.get("/v1/account", headers=bearer(token) | headers)


class TestGuessing:
    async def test_in_parallel_checks_no_more_than_one_set_of_failures(self, house):
        port = Port(house)
        account = await port.account()

        guesses = (port.outcome(account, f"guess number {number:03d}") for number in range(60))
        outcomes = await asyncio.gather(*guesses)

        assert set(outcomes) == {Outcome.WRONG}
        assert 1 <= (await port.write("state", account)).failures <= 5

    async def test_of_codes_locks_as_guessing_of_passwords_does(self, house):
        email, tokens = await house.member()
        secret, _ = await add_factor(house, tokens)

        for _ in range(5):
            assert (await house.log_in(email, code="000000")).status == 401

        assert (await log_in_with_code(house, email, secret)).status == 401
        assert house.events(house.user_id(email)).count("identity.user.locked") == 1

    async def test_of_recovery_codes_leads_nowhere(self, house):
        email, tokens = await house.member()
        _, codes = await add_factor(house, tokens)
        near = codes[0][:-1] + ("a" if codes[0][-1] != "a" else "b")

        for guess in (near, "", "-", codes[0][:-1], codes[0] + codes[1]):
            assert (await house.log_in(email, recoveryCode=guess)).status == 401

        assert (await house.log_in(email, recoveryCode=codes[0])).status == 200

    async def test_of_one_password_at_many_addresses_is_answered_alike(self, house):
        known = [(await house.member())[0] for _ in range(2)]
        strangers = [address() for _ in range(10)]

        answers = [await house.log_in(one, "Summer2026!") for one in [*known, *strangers]]

        assert {answer.status for answer in answers} == {401}
        assert len({frozenset(answer.headers) for answer in answers}) == 1
        assert [(await house.log_in(one)).status for one in known] == [200, 200]


class TestPasswords:
    @pytest.mark.parametrize(
        "password",
        [LOOKALIKE, PASSWORD.upper(), f"{PASSWORD}\0", f" {PASSWORD}", PASSWORD[:-1], "", "\0"],
    )
    async def test_that_look_alike_open_nothing(self, house, password):
        email, _ = await house.member()

        assert (await house.log_in(email, password)).status in {400, 401, 422}

    async def test_of_half_a_megabyte_are_hashed_by_nobody(self, house):
        email, _ = await house.member()

        assert (await house.log_in(email, "a" * 500_000)).status == 422
        assert (await house.log_in(email)).status == 200

    async def test_open_no_address_that_looks_alike(self, house):
        email, _ = await house.member()
        name, _, domain = email.partition("@")

        for other in (f"{name}@\N{CYRILLIC SMALL LETTER ES}chool.example", f"{name}+x@{domain}"):
            assert (await house.log_in(other)).status in {401, 422}


class TestRefreshToken:
    async def test_opens_no_route_in_place_of_an_access_token(self, house):
        _, tokens = await house.member()

        assert (await account_with(house, tokens["refreshToken"])).status == 401

    async def test_that_thief_and_owner_present_at_once_ends_the_session(self, house):
        _, tokens = await house.member()
        token = tokens["refreshToken"]

        answers = await asyncio.gather(house.refresh(token), house.refresh(token, agent="thief"))

        assert sorted(answer.status for answer in answers) == [200, 401]
        (won,) = [await answer.json() for answer in answers if answer.status == 200]
        for agent in ("tests", "thief"):
            assert (await house.refresh(won["refreshToken"], agent=agent)).status == 401
        assert (await account_with(house, won["accessToken"])).status == 401
        assert (await account_with(house, tokens["accessToken"])).status == 401

    async def test_is_dead_after_the_account_was_disabled(self, house):
        email, tokens = await house.member()
        path = f"/v1/accounts/{house.user_id(email)}/status"
        admin = bearer(await house.admin())
        for status in ("disabled", "active"):
            await house.http.put(path, json={"status": status}, headers=admin)

        assert (await house.refresh(tokens["refreshToken"])).status == 401
        assert (await house.log_in(email)).status == 200


class TestSession:
    async def test_is_none_that_the_client_chose(self, house):
        email, tokens = await house.member()
        chosen = (await house.claims(tokens["accessToken"]))["sid"]

        answer = await house.log_in(email, sid=chosen)
        if answer.status == 200:
            token = (await answer.json())["accessToken"]
            assert (await house.claims(token))["sid"] != chosen
        else:
            assert answer.status == 422


class TestHeaders:
    @pytest.mark.parametrize("name", ["X-User-Id", "x_user_id", "X-Forwarded-User", "X-Tenant-Id"])
    async def test_make_nobody_somebody_else(self, house, name):
        victim, _ = await house.member()
        email, tokens = await house.member()
        spoofed = {name: str(house.user_id(victim))}

        assert (await account_with(house, None, **spoofed)).status == 401
        mine = await account_with(house, tokens["accessToken"], **spoofed)
        assert (await mine.json())["email"] == email


class TestRegistration:
    @pytest.mark.parametrize(
        "more",
        [
            {"roles": [{"role": "tenant-admin"}]},
            {"role": "platform-admin"},
            {"isVerified": True},
            {"emailVerified": True},
            {"id": str(uuid4())},
            {"disabled": False},
        ],
        ids=lambda more: next(iter(more)),
    )
    async def test_gives_nobody_more_than_they_may_ask_for(self, house, more):
        email = address()

        await house.register(email, **more)

        held = house.rows(
            "SELECT r.role FROM identity.role_assignment r JOIN identity.account a"
            " ON a.id = r.user_id WHERE a.email = %s AND r.role <> 'learner'",
            email,
        )
        verified = house.rows(
            "SELECT 1 FROM identity.account WHERE email = %s AND email_verified_at IS NOT NULL",
            email,
        )
        assert (held, verified) == ([], [])
        assert (await house.log_in(email, WRONG)).status == 401
