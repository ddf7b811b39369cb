"""Log-in, refresh, log-out and service tokens, on real servers, also under attack."""

import asyncio

import pytest

from integration.identity.conftest import ADMIN, NO_GRACE, PASSWORD, address, bearer
from support.redis_server import RedisServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def without_instance(answer):
    body = await answer.json()
    body.pop("instance")
    return body


class TestLogIn:
    async def test_answers_an_unknown_address_and_a_wrong_password_alike(self, house):
        email, _ = await house.member()

        wrong = await house.log_in(email, "not the password at all")
        unknown = await house.log_in(address())

        assert wrong.status == unknown.status == 401
        assert await without_instance(wrong) == await without_instance(unknown)
        assert set(wrong.headers) == set(unknown.headers)

    async def test_tells_of_the_missing_verification_only_who_knows_the_password(self, house):
        email = address()
        await house.register(email)

        assert (await (await house.log_in(email)).json())["code"] == "email-not-verified"
        wrong = await house.log_in(email, "not the password at all")
        assert (await wrong.json())["code"] == "invalid-credentials"

    async def test_is_refused_in_a_tenant_that_one_does_not_belong_to(self, house):
        email, _ = await house.member()

        answer = await house.log_in(email, tenant="elsewhere")

        assert answer.status == 403
        assert (await answer.json())["code"] == "not-a-member"

    async def test_is_refused_to_a_disabled_account_as_to_a_stranger(self, house):
        email, _ = await house.member()
        await house.disable(email)

        assert (await (await house.log_in(email)).json())["code"] == "invalid-credentials"

    async def test_is_refused_to_a_suspended_member(self, house):
        email, _ = await house.member()
        house.rows(
            "UPDATE identity.membership SET status = 'suspended' WHERE user_id = %s RETURNING 1",
            house.user_id(email),
        )

        assert (await (await house.log_in(email)).json())["code"] == "not-a-member"

    async def test_gives_a_token_with_exactly_the_claims_that_services_need(self, house):
        email, tokens = await house.member()

        claims = await house.claims(tokens["accessToken"])

        assert set(claims) == {
            "iss", "sub", "aud", "exp", "iat", "jti", "sid", "tenant", "roles", "scopes",
        }  # fmt: skip
        assert claims["sub"] == str(house.user_id(email))
        assert (claims["tenant"], claims["roles"], claims["aud"]) == ("demo", ["learner"], "kourse")
        assert 299 <= claims["exp"] - claims["iat"] <= 300
        assert (tokens["expiresIn"], tokens["tokenType"]) == (300, "Bearer")

    async def test_writes_down_who_got_in_and_who_did_not(self, house):
        email, tokens = await house.member()
        sid = (await house.claims(tokens["accessToken"]))["sid"]
        await house.log_in(email, "not the password at all")

        assert house.audited(sid) == ["auth.login:done"]
        assert house.audited(house.user_id(email))[-1] == "auth.login:refused"

    async def test_is_locked_after_five_failures(self, house):
        email, _ = await house.member()
        for _ in range(5):
            await house.log_in(email, "not the password at all")

        assert (await (await house.log_in(email)).json())["code"] == "invalid-credentials"


class TestRefresh:
    @pytest.mark.parametrize("token", ["unknown", "x" * 256, "ü"])
    async def test_is_refused_for_a_token_that_nobody_issued(self, house, token):
        assert (await house.refresh(token)).status == 401

    async def test_takes_no_access_token(self, house):
        _, tokens = await house.member()

        assert (await house.refresh(tokens["accessToken"])).status in {401, 422}

    async def test_gives_a_new_pair_in_the_same_session(self, house):
        _, tokens = await house.member()

        renewed = await (await house.refresh(tokens["refreshToken"])).json()

        assert renewed["refreshToken"] != tokens["refreshToken"]
        before = await house.claims(tokens["accessToken"])
        after = await house.claims(renewed["accessToken"])
        assert before["sid"] == after["sid"]
        assert before["jti"] != after["jti"]

    async def test_gives_the_same_successor_again_when_the_answer_was_lost(self, house):
        _, tokens = await house.member()

        first = await (await house.refresh(tokens["refreshToken"])).json()
        again = await (await house.refresh(tokens["refreshToken"])).json()

        assert first["refreshToken"] == again["refreshToken"]
        assert (await house.refresh(first["refreshToken"])).status == 200

    async def test_ends_the_session_when_a_spent_token_comes_after_its_successor_was_used(
        self, house
    ):
        _, tokens = await house.member()
        second = await (await house.refresh(tokens["refreshToken"])).json()
        third = await (await house.refresh(second["refreshToken"])).json()

        assert (await house.refresh(tokens["refreshToken"])).status == 401

        assert (await house.refresh(third["refreshToken"])).status == 401
        sid = (await house.claims(third["accessToken"]))["sid"]
        assert house.audited(sid)[-1] == "auth.refresh-reused:refused"

    async def test_ends_the_session_when_another_client_presents_a_spent_token(self, house):
        _, tokens = await house.member()
        second = await (await house.refresh(tokens["refreshToken"])).json()

        assert (await house.refresh(tokens["refreshToken"], agent="thief")).status == 401
        assert (await house.refresh(second["refreshToken"])).status == 401

    async def test_ends_the_session_at_any_reuse_without_a_grace(self, start):
        async with start(refresh_grace=NO_GRACE) as house:
            _, tokens = await house.member()
            second = await (await house.refresh(tokens["refreshToken"])).json()

            assert (await house.refresh(tokens["refreshToken"])).status == 401
            assert (await house.refresh(second["refreshToken"])).status == 401

    async def test_kills_the_access_tokens_of_a_stolen_session(self, house):
        _, tokens = await house.member()
        await house.refresh(tokens["refreshToken"])
        await house.refresh(tokens["refreshToken"], agent="thief")

        account = await house.http.get(
            "/v1/account", headers={"Authorization": f"Bearer {tokens['accessToken']}"}
        )

        assert account.status == 401

    async def test_has_one_successor_for_fifty_requests_at_once(self, house):
        _, tokens = await house.member()

        answers = await asyncio.gather(*(house.refresh(tokens["refreshToken"]) for _ in range(50)))

        served = [answer for answer in answers if answer.status == 200]
        assert {answer.status for answer in answers} <= {200, 503}
        assert len({(await answer.json())["refreshToken"] for answer in served}) == 1

    async def test_stores_no_token_that_could_be_used(self, house):
        _, tokens = await house.member()
        renewed = await (await house.refresh(tokens["refreshToken"])).json()
        dump = []
        async for key in house.store.scan_iter("*", count=1000):
            dump.append(key)
            if await house.store.type(key) == b"hash":
                dump += (await house.store.hgetall(key)).values()

        held = b" ".join(dump).decode(errors="replace")
        assert tokens["refreshToken"] not in held
        assert renewed["refreshToken"] not in held

    async def test_is_refused_after_log_out(self, house):
        _, tokens = await house.member()
        await house.post("/v1/auth/logout", token=tokens["accessToken"])

        assert (await house.refresh(tokens["refreshToken"])).status == 401

    async def test_is_refused_once_the_membership_ended(self, house):
        email, tokens = await house.member()
        house.rows(
            "DELETE FROM identity.membership WHERE user_id = %s RETURNING 1", house.user_id(email)
        )

        assert (await house.refresh(tokens["refreshToken"])).status == 401

    async def test_ends_with_the_sessions_lifetime(self, start):
        async with start(session_lifetime=0.001) as house:
            tokens = await house.tokens(*ADMIN)

            assert (await house.refresh(tokens["refreshToken"])).status == 401


class TestLogOut:
    async def test_is_refused_to_somebody_without_a_token(self, house):
        assert (await house.post("/v1/auth/logout")).status == 401

    async def test_ends_this_session_and_no_other(self, house):
        email, tokens = await house.member()
        other = await house.tokens(email)

        assert (await house.post("/v1/auth/logout", token=tokens["accessToken"])).status == 204

        assert (await house.post("/v1/auth/logout", token=tokens["accessToken"])).status == 401
        assert (await house.refresh(other["refreshToken"])).status == 200


class TestReadAccount:
    async def test_is_refused_to_somebody_without_a_token(self, house):
        assert (await house.http.get("/v1/account")).status == 401

    async def test_shows_the_callers_own(self, house):
        email, tokens = await house.member()

        answer = await house.http.get(
            "/v1/account", headers={"Authorization": f"Bearer {tokens['accessToken']}"}
        )

        assert await answer.json() == {
            "id": str(house.user_id(email)),
            "email": email,
            "emailVerified": True,
            "displayName": "Ana Lindqvist",
            "locale": "en",
            "tenant": "demo",
            "roles": ["learner"],
            "scopes": [],
        }


class TestIssueServiceToken:
    async def test_is_refused_without_credentials(self, house):
        form = {"grant_type": "client_credentials", "audience": "course"}

        assert (await house.http.post("/v1/auth/token", data=form)).status == 401

    @pytest.mark.parametrize("client", ["notification", "nobody"])
    async def test_is_refused_for_a_wrong_secret_and_an_unknown_client_alike(self, house, client):
        answer = await house.service_token(client, secret="wrong")

        assert answer.status == 401
        assert (await answer.json())["code"] == "client-rejected"

    async def test_is_refused_for_an_audience_that_is_not_the_clients(self, house):
        assert (await house.service_token("dashboard", "assessment")).status == 403

    async def test_is_refused_for_another_grant(self, house):
        answer = await house.service_token("dashboard", "course", grant_type="password")

        assert answer.status == 400

    async def test_names_caller_and_audience_and_nothing_of_a_person(self, house):
        answer = await (await house.service_token("dashboard", "course")).json()

        claims = await house.claims(answer["access_token"])

        assert set(claims) == {"iss", "aud", "sub", "client_id", "iat", "exp", "jti"}
        assert (claims["sub"], claims["aud"]) == ("dashboard", "course")

    async def test_opens_no_door_for_people(self, house):
        answer = await (await house.service_token("dashboard", "identity")).json()

        account = await house.http.get(
            "/v1/account", headers={"Authorization": f"Bearer {answer['access_token']}"}
        )

        assert account.status == 401


class TestReadJwks:
    async def test_may_be_kept_by_caches(self, house):
        answer = await house.http.get("/.well-known/jwks.json")

        assert answer.headers["Cache-Control"] == "public, max-age=300"
        assert PASSWORD not in await answer.text()


class TestWithoutTokenStore:
    async def test_nobody_logs_in_and_whoever_is_in_goes_on_reading(self, start, tmp_path):
        with RedisServer(tmp_path) as redis:
            async with start(token_store_url=redis.url) as house:
                learner = (await house.member())[1]["accessToken"]
                admin = await house.admin()
                redis.stop()

                refused = await house.log_in(*ADMIN)
                assert (refused.status, refused.headers["Retry-After"]) == (503, "2")
                account = await house.http.get("/v1/account", headers=bearer(learner))
                assert account.status == 200
                members = await house.http.get("/v1/memberships", headers=bearer(admin))
                assert members.status == 503

                redis.start()
                assert (await house.log_in(*ADMIN)).status == 200
