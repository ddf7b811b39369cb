"""What people do with their own account, on real servers, also as an attacker would try it."""

import asyncio
from datetime import timedelta

import grpc
import pytest

from integration.identity.conftest import PASSWORD, address, bearer

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER = "a different long secret"
WRONG = "not the password at all"


async def request_reset(house, email, **headers):
    """Asks for a link, from a network address of its own unless the headers name one."""
    body = {"email": email}
    return await house.post("/v1/auth/request-password-reset", body, **from_elsewhere() | headers)


async def reset(house, token, password=OTHER):
    return await house.post("/v1/auth/reset-password", {"token": token, "password": password})


async def reset_token(house, email):
    """The token of a reset link, as the mail service gets it."""
    await request_reset(house, email)
    return (await house.redeem(house.delivery(email))).secret


def from_elsewhere():
    """Headers of a request from a network address that no other test uses."""
    return {"X-Forwarded-For": address()}


async def without_instance(answer):
    body = await answer.json()
    body.pop("instance", None)
    return body


class TestRequestPasswordReset:
    async def test_answers_a_known_and_an_unknown_address_alike(self, house):
        email, _ = await house.member()

        known = await request_reset(house, email)
        unknown = await request_reset(house, address())

        assert known.status == unknown.status == 202
        assert await known.text() == await unknown.text()
        assert set(known.headers) == set(unknown.headers)

    async def test_tells_the_mail_service_and_keeps_no_token_in_a_row(self, house):
        email, _ = await house.member()

        token = await reset_token(house, email)

        assert house.events(house.user_id(email))[-1] == "identity.reset.requested"
        for table in ("delivery", "outbox", "audit_entry"):
            assert token not in str(house.rows(f"SELECT t.* FROM identity.{table} t"))
        assert token.encode() not in b"".join([key async for key in house.store.scan_iter("*")])

    async def test_sends_nothing_to_an_address_that_is_not_verified(self, house):
        email = address()
        await house.register(email)
        before = house.events(house.user_id(email))

        assert (await request_reset(house, email)).status == 202
        assert house.events(house.user_id(email)) == before

    async def test_stops_mailing_a_victim_after_three_requests_in_an_hour(self, house):
        email, _ = await house.member()

        answers = [await request_reset(house, email) for _ in range(5)]

        assert {answer.status for answer in answers} == {202}
        assert house.events(house.user_id(email)).count("identity.reset.requested") == 3

    async def test_stops_mailing_a_victim_however_many_ask_at_once(self, house):
        email, _ = await house.member()

        await asyncio.gather(*(request_reset(house, email) for _ in range(10)))

        assert house.events(house.user_id(email)).count("identity.reset.requested") == 3

    async def test_stops_serving_one_network_address_after_ten_in_an_hour(self, house):
        here = from_elsewhere()
        for _ in range(10):
            await request_reset(house, address(), **here)
        email, _ = await house.member()
        before = house.events(house.user_id(email))

        assert (await request_reset(house, email, **here)).status == 202
        assert house.events(house.user_id(email)) == before

    async def test_takes_no_address_of_the_link_from_the_request(self, house):
        """The link is written by the mail service from its settings; identity gives a token alone."""
        email, _ = await house.member()
        await request_reset(house, email, Host="attacker.example")

        ((payload, headers),) = house.rows(
            "SELECT payload, headers FROM identity.outbox WHERE entity = %s"
            " AND type = 'identity.reset.requested'",
            str(house.user_id(email)),
        )
        assert "attacker" not in f"{payload}{headers}"


class TestResetPassword:
    async def test_opens_the_account_with_the_new_password_alone(self, house):
        email, _ = await house.member()

        answer = await reset(house, await reset_token(house, email))

        assert answer.status == 204
        assert "accessToken" not in await answer.text()
        assert (await house.log_in(email, OTHER)).status == 200
        assert (await house.log_in(email)).status == 401
        assert house.events(house.user_id(email))[-1] == "identity.password.reset"

    async def test_ends_every_session_and_kills_their_access_tokens(self, house):
        email, first = await house.member()
        second = await house.tokens(email)

        await reset(house, await reset_token(house, email))

        for tokens in (first, second):
            assert (await house.refresh(tokens["refreshToken"])).status == 401
            account = await house.http.get("/v1/account", headers=bearer(tokens["accessToken"]))
            assert account.status == 401

    async def test_takes_a_token_once_however_many_try_at_once(self, house):
        email, _ = await house.member()
        token = await reset_token(house, email)

        answers = await asyncio.gather(
            *(reset(house, token, f"a long secret number {n}") for n in range(5))
        )

        assert sorted(answer.status for answer in answers) == [204, 400, 400, 400, 400]

    async def test_takes_the_newest_token_alone(self, house):
        email, _ = await house.member()
        older = await reset_token(house, email)
        newer = await reset_token(house, email)

        assert (await reset(house, older)).status == 400
        assert (await reset(house, newer)).status == 204

    async def test_takes_no_token_of_somebody_elses_record(self, house):
        (email, _), (other, _) = await house.member(), await house.member()
        token, foreign = await reset_token(house, email), await reset_token(house, other)
        mixed = foreign[:22] + token[22:]

        assert (await reset(house, mixed)).status == 400
        assert (await reset(house, token)).status == 204

    @pytest.mark.parametrize("token", ["x", "=" * 64, "ü", "A" * 64])
    async def test_refuses_a_guess(self, house, token):
        answer = await reset(house, token)

        assert (answer.status, (await answer.json())["code"]) == (400, "link-rejected")

    async def test_keeps_the_token_when_the_password_is_weak(self, house):
        email, _ = await house.member()
        token = await reset_token(house, email)

        assert (await (await reset(house, token, "password1234")).json())["code"] == "weak-password"
        assert (await reset(house, token)).status == 204

    async def test_is_refused_after_the_tokens_lifetime(self, start):
        async with start(code_lifetime=timedelta(milliseconds=1)) as house:
            email = address()
            await house.register(email)
            house.rows(
                "UPDATE identity.account SET email_verified_at = now() WHERE email = %s"
                " RETURNING 1",
                email,
            )

            assert (await reset(house, await reset_token(house, email))).status == 400

    async def test_works_while_log_in_is_locked_and_ends_the_lock(self, house):
        email, _ = await house.member()
        for _ in range(5):
            await house.log_in(email, WRONG)
        assert (await house.log_in(email)).status == 401

        await reset(house, await reset_token(house, email))

        assert (await house.log_in(email, OTHER)).status == 200

    async def test_is_refused_once_the_password_was_changed(self, house):
        email, tokens = await house.member()
        token = await reset_token(house, email)
        await change_password(house, tokens)

        assert (await reset(house, token, "yet another long secret")).status == 400


async def change_password(house, tokens, password=PASSWORD, new=OTHER):
    body = {"password": password, "newPassword": new}
    headers = bearer(tokens["accessToken"])
    return await house.http.put("/v1/account/password", json=body, headers=headers)


class TestChangePassword:
    async def test_is_refused_to_somebody_without_a_token(self, house):
        body = {"password": PASSWORD, "newPassword": OTHER}

        assert (await house.http.put("/v1/account/password", json=body)).status == 401

    async def test_is_refused_with_a_wrong_password(self, house):
        email, tokens = await house.member()

        answer = await change_password(house, tokens, WRONG)

        assert (await answer.json())["code"] == "invalid-credentials"
        assert (await house.log_in(email)).status == 200

    async def test_ends_every_session_but_this_one(self, house):
        email, here = await house.member()
        elsewhere = await house.tokens(email)

        assert (await change_password(house, here)).status == 204

        assert (await house.refresh(elsewhere["refreshToken"])).status == 401
        assert (await house.refresh(here["refreshToken"])).status == 200
        assert (await house.log_in(email, OTHER)).status == 200
        assert house.events(house.user_id(email))[-1] == "identity.password.changed"

    async def test_refuses_a_weak_password(self, house):
        _, tokens = await house.member()

        answer = await change_password(house, tokens, new="password1234")

        assert (await answer.json())["code"] == "weak-password"


class TestLocks:
    async def test_are_told_of_once(self, house):
        email, _ = await house.member()
        for _ in range(7):
            await house.log_in(email, WRONG)

        assert house.events(house.user_id(email)).count("identity.user.locked") == 1

    async def test_end_no_session(self, house):
        email, tokens = await house.member()
        for _ in range(5):
            await house.log_in(email, WRONG)

        assert (await house.refresh(tokens["refreshToken"])).status == 200


async def request_email(house, tokens, new, password=PASSWORD):
    body = {"password": password, "newEmail": new}
    return await house.post("/v1/account/email", body, token=tokens["accessToken"])


async def confirm_email(house, tokens, code):
    body = {"code": code}
    return await house.post("/v1/account/email/confirm", body, token=tokens["accessToken"])


class TestChangeEmail:
    async def test_waits_for_the_code_that_went_to_the_new_address(self, house):
        email, tokens = await house.member()
        new = address()

        assert (await request_email(house, tokens, new)).status == 202
        mail = await house.redeem(house.delivery(email))
        assert mail.email == new
        assert (await house.log_in(email)).status == 200
        assert (await confirm_email(house, tokens, mail.secret)).status == 204

        assert (await house.log_in(new)).status == 200
        assert (await house.log_in(email)).status == 401

    async def test_tells_the_former_address(self, house):
        email, tokens = await house.member()
        new = address()
        await request_email(house, tokens, new)
        await confirm_email(house, tokens, (await house.redeem(house.delivery(email))).secret)

        warning = await house.redeem(house.delivery(new))

        assert (warning.email, warning.secret) == (email, "")
        assert house.events(house.user_id(new))[-1] == "identity.email.changed"

    async def test_answers_a_taken_and_a_free_address_alike(self, house):
        email, tokens = await house.member()
        taken, _ = await house.member()

        answers = [await request_email(house, tokens, one) for one in (taken, address())]

        assert [answer.status for answer in answers] == [202, 202]
        assert await answers[0].text() == await answers[1].text()
        asked = house.rows(
            "SELECT recipient FROM identity.delivery WHERE account_id = %s", house.user_id(email)
        )
        assert (taken,) not in asked

    async def test_is_refused_with_a_wrong_password(self, house):
        _, tokens = await house.member()

        assert (await request_email(house, tokens, address(), WRONG)).status == 401

    async def test_takes_no_code_of_somebody_else(self, house):
        email, tokens = await house.member()
        _, other = await house.member()
        await request_email(house, tokens, address())
        code = (await house.redeem(house.delivery(email))).secret

        assert (await confirm_email(house, other, code)).status == 400

    async def test_takes_no_code_of_a_registration(self, house):
        email, tokens = await house.member()
        await request_email(house, tokens, address())
        code = (await house.redeem(house.delivery(email))).secret

        assert (await house.verify(email, code)).status == 400


class TestSessions:
    async def test_are_listed_with_the_present_one_marked(self, house):
        email, tokens = await house.member()
        await house.tokens(email, agent="a phone")

        answer = await house.http.get("/v1/account/sessions", headers=bearer(tokens["accessToken"]))

        items = (await answer.json())["items"]
        assert {(one["client"], one["current"]) for one in items} == {
            ("a phone", False), ("tests", True),
        }  # fmt: skip
        assert {one["tenant"] for one in items} == {"demo"}

    async def test_end_one_by_one(self, house):
        email, tokens = await house.member()
        other = await house.tokens(email)
        sid = (await house.claims(other["accessToken"]))["sid"]

        path, headers = f"/v1/account/sessions/{sid}", bearer(tokens["accessToken"])
        assert (await house.http.delete(path, headers=headers)).status == 204

        assert (await house.refresh(other["refreshToken"])).status == 401
        assert (await house.refresh(tokens["refreshToken"])).status == 200

    async def test_of_somebody_else_are_not_there(self, house):
        _, tokens = await house.member()
        _, victim = await house.member()
        sid = (await house.claims(victim["accessToken"]))["sid"]

        path, headers = f"/v1/account/sessions/{sid}", bearer(tokens["accessToken"])

        assert (await house.http.delete(path, headers=headers)).status == 404
        assert (await house.refresh(victim["refreshToken"])).status == 200

    async def test_all_end_together_with_their_access_tokens(self, house):
        email, first = await house.member()
        second = await house.tokens(email)

        headers = bearer(first["accessToken"])
        assert (await house.http.delete("/v1/account/sessions", headers=headers)).status == 204

        for tokens in (first, second):
            assert (await house.refresh(tokens["refreshToken"])).status == 401
            account = await house.http.get("/v1/account", headers=bearer(tokens["accessToken"]))
            assert account.status == 401

    async def test_are_told_of_when_stolen(self, house):
        email, tokens = await house.member()
        await house.refresh(tokens["refreshToken"])
        await house.refresh(tokens["refreshToken"], agent="thief")

        assert house.events(house.user_id(email))[-1] == "identity.session.compromised"


class TestRedeemDelivery:
    async def test_gives_no_link_for_a_disabled_account(self, house):
        email, _ = await house.member()
        await request_reset(house, email)
        await house.disable(email)

        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await house.redeem(house.delivery(email))

        assert refusal.value.code() is grpc.StatusCode.NOT_FOUND
