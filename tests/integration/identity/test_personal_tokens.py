"""Personal access tokens on real servers, also as an attacker would try them."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from integration.identity.conftest import ADMIN, PASSWORD, address, bearer
from integration.identity.programs import (
    EXCHANGE,
    administrator,
    assign,
    create_token,
    exchange,
    exchanged,
    made_token,
    status_of,
)
from kourse.identity.domain import program_secrets
from kourse.identity.domain.program_secrets import Kind

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECRET_TABLES = ("personal_token", "outbox", "audit_entry")


class TestCreateToken:
    async def test_shows_the_secret_once_and_keeps_only_its_digest(self, house):
        email, access = await administrator(house)

        made = await made_token(house, access)
        await exchanged(house, made["token"])

        assert program_secrets.is_genuine(Kind.PERSONAL_TOKEN, made["token"])
        listed = await (await house.http.get("/v1/account/tokens", headers=bearer(access))).text()
        assert made["details"]["id"] in listed
        assert made["token"] not in listed
        for table in SECRET_TABLES:
            assert made["token"] not in str(house.rows(f"SELECT t.* FROM identity.{table} t"))
        assert house.events(house.user_id(email))[-1] == "identity.token.created"
        assert house.audited(made["details"]["id"])[0] == "account.create-token:done"

    async def test_asks_for_the_password_again(self, house):
        _, access = await administrator(house)

        assert (await create_token(house, access, password="not the password")).status == 401

    @pytest.mark.parametrize(
        "changes",
        [
            {"lifetimeDays": 0},
            {"lifetimeDays": 367},
            {"lifetimeDays": None},
            {"permissions": []},
            {"permissions": ["everything"]},
            {"name": " "},
            {"scope": {"course": "a", "cohort": "b"}},
            {"expiresAt": "2999-01-01T00:00:00Z"},
        ],
    )
    async def test_refuses_a_wish_that_is_not_bounded(self, house, changes):
        assert (await create_token(house, await house.admin(), ADMIN[1], **changes)).status == 422

    @pytest.mark.parametrize(
        "changes",
        [
            {"permissions": ["role:assign"]},
            {"permissions": ["course:study", "gradebook:read"]},
            {"permissions": ["account:self"]},
        ],
    )
    async def test_refuses_more_than_the_person_holds(self, house, changes):
        _, tokens = await house.member()

        assert (await create_token(house, tokens["accessToken"], **changes)).status == 403

    async def test_stops_at_fifty(self, house):
        email, tokens = await house.member()
        await made_token(house, tokens["accessToken"], permissions=["course:study"])
        house.database.execute(
            "INSERT INTO identity.personal_token SELECT gen_random_uuid(), tenant, account_id, name,"
            " 'filler ' || n || account_id, permissions, course, cohort, created_at, expires_at"
            " FROM identity.personal_token, generate_series(1, 49) n WHERE account_id = %s",
            (house.user_id(email),),
        )

        answer = await create_token(house, tokens["accessToken"], permissions=["course:study"])

        assert (answer.status, (await answer.json())["code"]) == (409, "too-many")


class TestPersonalToken:
    async def test_opens_what_it_names_and_nothing_else_of_its_holder(self, house):
        _, access = await administrator(house)
        token = await exchanged(house, (await made_token(house, access))["token"])

        assert await status_of(house, "/v1/memberships", token) == 200
        for path in ("/v1/account", "/v1/account/tokens", "/v1/service-accounts"):
            assert await status_of(house, path, token) == 403
        assert (await create_token(house, token)).status == 403

    async def test_is_no_access_token_itself(self, house):
        made = await made_token(house, (await administrator(house))[1])

        assert await status_of(house, "/v1/memberships", made["token"]) == 401
        assert (await house.refresh(made["token"])).status == 401

    async def test_gives_no_refresh_token_and_says_what_it_allows(self, house):
        made = await made_token(house, (await administrator(house))[1])

        answer = await (await exchange(house, made["token"])).json()
        claims = await house.claims(answer["access_token"])

        assert "refresh_token" not in answer
        assert (answer["scope"], answer["token_type"]) == ("membership:manage", "Bearer")
        assert (claims["permissions"], claims["sid"]) == (
            ["membership:manage"],
            made["details"]["id"],
        )

    async def test_keeps_to_the_scope_asked_for(self, house):
        _, access = await administrator(house)
        both = ["membership:manage", "role:assign"]
        made = await made_token(house, access, permissions=both)

        narrow = await exchanged(house, made["token"], scope="role:assign")

        assert await status_of(house, "/v1/memberships", narrow) == 403
        assert (await house.claims(narrow))["permissions"] == ["role:assign"]
        wider = await exchanged(house, made["token"], scope="role:assign course:author")
        assert (await house.claims(wider))["permissions"] == ["role:assign"]
        assert (await exchange(house, made["token"], scope="everything")).status == 400

    async def test_of_one_cohort_carries_no_role_beyond_it(self, house):
        email, _ = await administrator(house)
        await assign(house, email, [{"role": "learner"}, {"role": "teacher"}])
        access = (await house.tokens(email))["accessToken"]
        made = await made_token(
            house, access, permissions=["cohort:read"], scope={"cohort": "autumn"}
        )

        claims = await house.claims(await exchanged(house, made["token"]))

        assert claims["roles"] == []
        assert set(claims["scopes"]) == {"learner@cohort:autumn", "teacher@cohort:autumn"}

    async def test_loses_what_its_holder_loses(self, house):
        email, access = await administrator(house)
        made = await made_token(house, access)
        before = await exchanged(house, made["token"])

        await assign(house, email, [{"role": "learner"}])

        assert await status_of(house, "/v1/memberships", before) == 401
        after = await (await exchange(house, made["token"])).json()
        assert after["scope"] == ""
        assert await status_of(house, "/v1/memberships", after["access_token"]) == 403

    async def test_cannot_be_used_to_give_more_than_it_allows(self, house):
        """The holder may make authors, the token may assign roles alone."""
        _, access = await administrator(house)
        made = await made_token(house, access, permissions=["role:assign"])
        email, _ = await house.member()
        path = f"/v1/memberships/{house.user_id(email)}/roles"
        token = await exchanged(house, made["token"])

        answers = [
            await house.http.put(path, json={"roles": [{"role": role}]}, headers=bearer(token))
            for role in ("tenant-admin", "author", "learner")
        ]

        assert [answer.status for answer in answers] == [403, 403, 204]

    async def test_is_revoked_at_once_with_what_it_was_exchanged_for(self, house):
        _, access = await administrator(house)
        made = await made_token(house, access)
        token = await exchanged(house, made["token"])
        path = f"/v1/account/tokens/{made['details']['id']}"

        assert await status_of(house, path, access, "delete") == 204

        assert await status_of(house, "/v1/memberships", token) == 401
        assert (await exchange(house, made["token"])).status == 400
        assert await status_of(house, path, access, "delete") == 404

    async def test_of_another_person_is_neither_seen_nor_revoked(self, house):
        made = await made_token(house, (await administrator(house))[1])
        _, other = await administrator(house)

        listed = await house.http.get("/v1/account/tokens", headers=bearer(other))

        assert (await listed.json())["items"] == []
        path = f"/v1/account/tokens/{made['details']['id']}"
        assert await status_of(house, path, other, "delete") == 404
        assert (await exchange(house, made["token"])).status == 200

    async def test_outlives_a_log_out_and_ends_when_all_are_revoked(self, house):
        email, access = await administrator(house)
        made = await made_token(house, access)

        assert await status_of(house, "/v1/account/sessions", access, "delete") == 204
        assert (await exchange(house, made["token"])).status == 200

        access = (await house.tokens(email))["accessToken"]
        assert await status_of(house, "/v1/account/tokens", access, "delete") == 204
        assert (await exchange(house, made["token"])).status == 400

    async def test_ends_when_the_password_is_reset(self, house):
        email, access = await administrator(house)
        made = await made_token(house, access)
        headers = {"X-Forwarded-For": address()}
        await house.post("/v1/auth/request-password-reset", {"email": email}, **headers)
        link = (await house.redeem(house.delivery(email))).secret

        body = {"token": link, "password": "a different long secret"}
        assert (await house.post("/v1/auth/reset-password", body)).status == 204

        assert (await exchange(house, made["token"])).status == 400

    async def test_opens_nothing_while_its_holder_is_suspended_or_disabled(self, house):
        email, access = await administrator(house)
        made = await made_token(house, access)
        admin = await house.admin()

        for path, closed in (("memberships", "suspended"), ("accounts", "disabled")):
            for status, expected in ((closed, 400), ("active", 200)):
                answer = await house.http.put(
                    f"/v1/{path}/{house.user_id(email)}/status",
                    json={"status": status},
                    headers=bearer(admin),
                )
                assert answer.status == 204, await answer.text()
                assert (await exchange(house, made["token"])).status == expected

    async def test_is_gone_with_its_holder(self, house):
        email, access = await administrator(house)
        made = await made_token(house, access)
        token = await exchanged(house, made["token"])

        body = {"password": PASSWORD}
        assert (await house.post("/v1/account/delete", body, token=access)).status == 204

        assert (await exchange(house, made["token"])).status == 400
        assert await status_of(house, "/v1/memberships", token) == 401
        assert house.rows("SELECT 1 FROM identity.account WHERE email = %s", email) == []

    async def test_opens_nothing_after_its_end(self, house):
        made = await made_token(house, (await administrator(house))[1])
        house.database.execute(
            "UPDATE identity.personal_token SET expires_at = clock_timestamp() WHERE id = %s",
            (made["details"]["id"],),
        )

        assert (await exchange(house, made["token"])).status == 400
        assert house.audited(made["details"]["id"])[-1] == "auth.exchange:refused"

    async def test_says_about_when_it_was_used(self, house):
        _, access = await administrator(house)
        made = await made_token(house, access)
        assert made["details"]["usedAt"] is None

        await exchange(house, made["token"])
        before = await (await house.http.get("/v1/account/tokens", headers=bearer(access))).json()
        await exchange(house, made["token"])
        after = await (await house.http.get("/v1/account/tokens", headers=bearer(access))).json()

        used = datetime.fromisoformat(before["items"][0]["usedAt"])
        assert abs(datetime.now(UTC) - used) < timedelta(hours=1)
        assert before == after

    async def test_that_is_guessed_or_changed_opens_nothing(self, house):
        secret = (await made_token(house, (await administrator(house))[1]))["token"]
        guesses = [
            program_secrets.make(Kind.PERSONAL_TOKEN),
            program_secrets.make(Kind.SERVICE_ACCOUNT),
            secret[:-1],
            secret.swapcase(),
            secret + "\x00",
            "kourse_pat_' OR digest <> '",
            "",
        ]

        answers = await asyncio.gather(*(exchange(house, guess) for guess in guesses))

        assert {answer.status for answer in answers} == {400}

    async def test_is_refused_at_the_host_of_another_tenant(self, start):
        async with start(domain="kourse.test") as house:
            access = (await house.tokens(*ADMIN))["accessToken"]
            made = await made_token(house, access, password=ADMIN[1])
            form = {"grant_type": EXCHANGE, "subject_token": made["token"]}

            async def answer(host):
                return await house.http.post("/v1/oauth/token", data=form, headers={"Host": host})

            assert (await answer("demo.kourse.test")).status == 200
            assert (await answer("other.kourse.test")).status == 400
