"""Who may let whom in, and with which roles, on real servers."""

import asyncio
from urllib.parse import quote
from uuid import uuid4

import pytest

from integration.identity.conftest import ADMIN, address, bearer

pytestmark = pytest.mark.asyncio(loop_scope="module")


def admission(**changes):
    return {
        "email": address(),
        "displayName": "Tomás Teixeira",
        "roles": ["teacher"],
        "password": "chalk dust and patience",
        **changes,
    }


async def put_roles(house, user_id, roles, token):
    path = f"/v1/memberships/{user_id}/roles"
    return await house.http.put(path, json={"roles": roles}, headers=bearer(token))


class TestAdmitMember:
    async def test_is_refused_to_somebody_without_a_token(self, house):
        assert (await house.post("/v1/memberships", admission())).status == 401

    async def test_is_refused_to_a_learner(self, house):
        _, tokens = await house.member()

        answer = await house.post("/v1/memberships", admission(), token=tokens["accessToken"])

        assert answer.status == 403

    async def test_lets_a_person_in_who_can_log_in_at_once(self, house):
        body = admission()

        answer = await house.post("/v1/memberships", body, token=await house.admin())

        assert answer.status == 201
        made = await answer.json()
        assert made["roles"] == [
            {"role": "teacher", "scope": {"course": None, "cohort": None}, "until": None}
        ]
        tokens = await house.tokens(body["email"], body["password"])
        assert (await house.claims(tokens["accessToken"]))["roles"] == ["teacher"]
        assert house.events(made["userId"]) == ["identity.user.registered"]

    async def test_leaves_the_account_of_somebody_known_as_it_is(self, house):
        email, _ = await house.member(tenant="elsewhere")
        body = admission(email=email)

        answer = await house.post("/v1/memberships", body, token=await house.admin())

        assert (await answer.json())["displayName"] == "Ana Lindqvist"
        assert (await house.log_in(email, body["password"])).status == 401

    async def test_without_a_password_waits_for_the_person_to_register(self, house):
        body = admission(password=None)
        await house.post("/v1/memberships", body, token=await house.admin())

        await house.register(body["email"])
        code = (await house.redeem(house.delivery(body["email"]))).secret
        await house.verify(body["email"], code)

        tokens = await house.tokens(body["email"])
        assert (await house.claims(tokens["accessToken"]))["roles"] == ["teacher"]

    async def test_refuses_a_weak_first_password(self, house):
        body = admission(password="kourse2027!!")

        answer = await house.post("/v1/memberships", body, token=await house.admin())

        assert (await answer.json())["code"] == "weak-password"

    async def test_refuses_a_role_that_does_not_exist(self, house):
        answer = await house.post(
            "/v1/memberships", admission(roles=["wizard"]), token=await house.admin()
        )

        assert answer.status == 422

    async def test_gives_the_first_answer_again_when_retried_with_its_key(self, house):
        body, key = admission(), {"Idempotency-Key": str(uuid4())}
        token = await house.admin()

        first = await house.post("/v1/memberships", body, token=token, **key)
        again = await house.post("/v1/memberships", body, token=token, **key)

        assert (first.status, again.status) == (201, 201)
        assert await first.json() == await again.json()

    async def test_is_a_conflict_when_repeated_without_one(self, house):
        body, token = admission(), await house.admin()
        await house.post("/v1/memberships", body, token=token)

        answer = await house.post("/v1/memberships", body, token=token)

        assert (answer.status, (await answer.json())["code"]) == (409, "already-a-member")

    async def test_happens_once_when_concurrent(self, house):
        body, token = admission(), await house.admin()

        answers = await asyncio.gather(
            *(house.post("/v1/memberships", body, token=token) for _ in range(5))
        )

        assert sorted(answer.status for answer in answers) == [201, 409, 409, 409, 409]
        assert house.events(house.user_id(body["email"])) == ["identity.user.registered"]


async def send_roster(house, *lines, token=None, dry_run=False):
    """The outcomes of a roster's lines."""
    text = "\n".join(["email,displayName,roles", *lines])
    path = f"/v1/memberships/import?dryRun={str(dry_run).lower()}"
    answer = await house.post(path, {"csv": text}, token=token or await house.admin())
    if answer.status != 200:
        return answer.status
    return [one["outcome"] for one in (await answer.json())["lines"]]


class TestImportRoster:
    async def test_is_refused_to_a_learner(self, house):
        _, tokens = await house.member()

        assert await send_roster(house, token=tokens["accessToken"]) == 403

    async def test_does_every_line_that_can_be_done_and_changes_nothing_when_repeated(self, house):
        email = address()
        lines = [f"{email},Ana,teacher", "nobody,Bo,learner", f"{address()},Cy,platform-admin x"]

        assert await send_roster(house, *lines) == ["admitted", "refused", "refused"]
        assert await send_roster(house, *lines) == ["unchanged", "refused", "refused"]

        assert house.events(house.user_id(email)) == ["identity.user.registered"]

    async def test_keeps_nothing_of_a_dry_run(self, house):
        email = address()

        assert await send_roster(house, f"{email},Ana,learner", dry_run=True) == ["admitted"]

        assert house.rows("SELECT 1 FROM identity.account WHERE email = %s", email) == []


class TestListMembers:
    async def test_is_refused_to_somebody_without_a_token(self, house):
        assert (await house.http.get("/v1/memberships")).status == 401

    async def test_is_refused_to_a_teacher(self, house):
        body = admission()
        await house.post("/v1/memberships", body, token=await house.admin())
        tokens = await house.tokens(body["email"], body["password"])

        answer = await house.http.get("/v1/memberships", headers=bearer(tokens["accessToken"]))

        assert answer.status == 403

    async def test_finds_one_by_their_address(self, house):
        email, _ = await house.member()
        foreign, _ = await house.member(tenant="elsewhere")
        token, found = await house.admin(), []
        for asked in (email.upper(), foreign):
            path = f"/v1/memberships?email={quote(asked)}"
            page = await (await house.http.get(path, headers=bearer(token))).json()
            found.append([one["email"] for one in page["items"]])

        assert found == [[email], []]

    async def test_shows_this_tenants_members_alone_page_by_page(self, house):
        foreign, _ = await house.member(tenant="elsewhere")
        email, _ = await house.member()
        token, seen, path = await house.admin(), [], "/v1/memberships?limit=2"
        while path:
            page = await (await house.http.get(path, headers=bearer(token))).json()
            seen += [one["email"] for one in page["items"]]
            path = page["next"] and f"/v1/memberships?limit=2&after={page['next']}"

        assert email in seen
        assert foreign not in seen
        assert len(seen) == len(set(seen))

    @pytest.mark.parametrize("after", ["x", "WyJ4Il0", "W251bGxd"])
    async def test_refuses_a_cursor_that_is_none(self, house, after):
        answer = await house.http.get(
            f"/v1/memberships?after={after}", headers=bearer(await house.admin())
        )

        assert answer.status == 400


class TestAssignRoles:
    async def test_is_refused_to_somebody_without_a_token(self, house):
        assert (await put_roles(house, uuid4(), [], None)).status == 401

    async def test_is_refused_to_a_learner_even_for_themselves(self, house):
        email, tokens = await house.member()
        roles = [{"role": "tenant-admin"}]

        answer = await put_roles(house, house.user_id(email), roles, tokens["accessToken"])

        assert answer.status == 403

    async def test_knows_no_member_of_another_tenant(self, house):
        foreign, _ = await house.member(tenant="elsewhere")

        answer = await put_roles(
            house, house.user_id(foreign), [{"role": "teacher"}], await house.admin()
        )

        assert answer.status == 404

    async def test_replaces_what_was_held_and_kills_tokens_that_say_otherwise(self, house):
        email, tokens = await house.member()
        roles = [
            {"role": "teacher", "scope": {"cohort": "autumn"}},
            {"role": "author", "until": "2099-01-01T00:00:00Z"},
        ]

        answer = await put_roles(house, house.user_id(email), roles, await house.admin())

        assert answer.status == 204
        stale = await house.http.get("/v1/account", headers=bearer(tokens["accessToken"]))
        assert stale.status == 401
        renewed = await (await house.refresh(tokens["refreshToken"])).json()
        claims = await house.claims(renewed["accessToken"])
        assert (claims["roles"], claims["scopes"]) == (["author"], ["teacher@cohort:autumn"])
        fresh = await house.http.get("/v1/account", headers=bearer(renewed["accessToken"]))
        assert fresh.status == 200
        assert house.events(house.user_id(email))[-1] == "identity.roles.assigned"

    async def test_leaves_out_a_role_whose_time_is_over(self, house):
        email, _ = await house.member()
        roles = [{"role": "learner"}, {"role": "teacher", "until": "2020-01-01T00:00:00Z"}]
        await put_roles(house, house.user_id(email), roles, await house.admin())

        tokens = await house.tokens(email)

        assert (await house.claims(tokens["accessToken"]))["roles"] == ["learner"]

    @pytest.mark.parametrize(
        "held",
        [
            {"role": "teacher", "scope": {"course": "a", "cohort": "b"}},
            {"role": "teacher", "until": "2099-01-01T00:00:00"},
            {"role": "teacher", "tenant": "elsewhere"},
        ],
    )
    async def test_refuses_what_makes_no_sense(self, house, held):
        email, _ = await house.member()

        answer = await put_roles(house, house.user_id(email), [held], await house.admin())

        assert answer.status == 422

    async def test_leaves_the_tenant_an_administrator(self, house):
        token = await house.admin()
        user_id = house.user_id(ADMIN[0])

        answers = await asyncio.gather(
            *(put_roles(house, user_id, [{"role": "learner"}], token) for _ in range(3))
        )

        assert {answer.status for answer in answers} == {409}
        assert (await put_roles(house, user_id, [{"role": "tenant-admin"}], token)).status == 204


class TestFirstAdministrator:
    async def test_is_made_once_however_often_identity_starts(self, start):
        async with start() as house:
            first = house.user_id(ADMIN[0])
        async with start(bootstrap_admin_password="another long first secret") as house:
            assert house.user_id(ADMIN[0]) == first
            assert house.events(first).count("identity.user.registered") == 1
            assert (await house.log_in(*ADMIN)).status == 200

    async def test_becomes_platform_administrator_where_nobody_is(self, start):
        role = "SELECT count(*) FROM identity.role_assignment WHERE role = 'platform-admin'"
        async with start() as house:
            house.database.execute(
                "DELETE FROM identity.role_assignment WHERE role = 'platform-admin'"
            )
        async with start() as house:
            assert house.rows(role) == [(1,)]
            first = house.user_id(ADMIN[0])
            assert house.events(first)[-1] == "identity.roles.assigned"
            told = len(house.events(first))
        async with start() as house:
            assert house.rows(role) == [(1,)]
            assert len(house.events(first)) == told


class TestRoles:
    async def test_are_given_and_taken_one_by_one_with_scope_and_end(self, house):
        email, _ = await house.member()
        headers = bearer(await house.admin())
        path = f"/v1/memberships/{house.user_id(email)}/roles"
        until = "2999-01-01T00:00:00Z"
        given = {"role": "teacher", "scope": {"cohort": "autumn"}, "until": until}

        assert (await house.http.post(path, json=given, headers=headers)).status == 204
        listed = (await (await house.http.get(path, headers=headers)).json())["roles"]
        assert [(one["role"], one["scope"]["cohort"], one["until"]) for one in listed] == [
            ("learner", None, None),
            ("teacher", "autumn", until),
        ]
        claims = await house.claims((await house.tokens(email))["accessToken"])
        assert claims["scopes"] == ["teacher@cohort:autumn"]

        taken = await house.http.delete(f"{path}/teacher?cohort=autumn", headers=headers)
        again = await house.http.delete(f"{path}/teacher?cohort=autumn", headers=headers)
        assert (taken.status, again.status) == (204, 404)
        assert (
            await house.http.delete(f"{path}/learner?course=a&cohort=b", headers=headers)
        ).status == 400

    async def test_given_again_get_another_end(self, house):
        email, _ = await house.member()
        headers = bearer(await house.admin())
        path = f"/v1/memberships/{house.user_id(email)}/roles"

        for until in ("2999-01-01T00:00:00Z", None):
            body = {"role": "author", "until": until}
            assert (await house.http.post(path, json=body, headers=headers)).status == 204

        listed = (await (await house.http.get(path, headers=headers)).json())["roles"]
        assert [(one["role"], one["until"]) for one in listed] == [
            ("learner", None),
            ("author", None),
        ]

    async def test_that_ended_are_in_no_token(self, house):
        email, _ = await house.member()
        path = f"/v1/memberships/{house.user_id(email)}/roles"
        body = {"role": "author", "until": "2020-01-01T00:00:00Z"}

        answer = await house.http.post(path, json=body, headers=bearer(await house.admin()))

        assert answer.status == 204
        claims = await house.claims((await house.tokens(email))["accessToken"])
        assert claims["roles"] == ["learner"]

    async def test_taken_are_lost_at_once(self, house):
        email, tokens = await house.member()
        path = f"/v1/memberships/{house.user_id(email)}/roles/learner"

        assert (await house.http.delete(path, headers=bearer(await house.admin()))).status == 204

        account = await house.http.get("/v1/account", headers=bearer(tokens["accessToken"]))
        assert account.status == 401

    async def test_of_the_platform_are_out_of_a_tenants_reach(self, house):
        email, _ = await house.member()
        path = f"/v1/memberships/{house.user_id(email)}/roles"
        body = {"roles": [{"role": "learner"}, {"role": "tenant-admin"}]}
        await house.http.put(path, json=body, headers=bearer(await house.admin()))
        headers = bearer((await house.tokens(email))["accessToken"])
        body = {"role": "platform-admin"}

        assert (await house.http.post(path, json=body, headers=headers)).status == 403
        first = f"/v1/memberships/{house.user_id(ADMIN[0])}/roles/platform-admin"
        assert (await house.http.delete(first, headers=headers)).status == 403

    async def test_of_the_platform_are_not_lost_when_a_tenant_replaces_all(self, house):
        (above, _), (email, _) = await house.member(), await house.member()
        headers = bearer(await house.admin())
        body = {"roles": [{"role": "tenant-admin"}]}
        path = f"/v1/memberships/{house.user_id(email)}/roles"
        assert (await house.http.put(path, json=body, headers=headers)).status == 204
        house.database.execute(
            "INSERT INTO identity.role_assignment (id, tenant, user_id, role)"
            " VALUES (gen_random_uuid(), 'demo', %s, 'platform-admin')",
            (house.user_id(above),),
        )
        path = f"/v1/memberships/{house.user_id(above)}/roles"
        headers = bearer((await house.tokens(email))["accessToken"])

        assert (await house.http.put(path, json=body, headers=headers)).status == 403

        held = await house.http.get(path, headers=headers)
        assert "platform-admin" in [one["role"] for one in (await held.json())["roles"]]
