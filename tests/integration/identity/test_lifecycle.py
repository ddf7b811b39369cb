"""Suspending, disabling and deleting accounts, on real servers."""

import pytest

from integration.identity.conftest import ADMIN, PASSWORD, bearer

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def put(house, path, body, token):
    return await house.http.put(path, json=body, headers=bearer(token))


async def suspend(house, email, status="suspended"):
    path = f"/v1/memberships/{house.user_id(email)}/status"
    return await put(house, path, {"status": status}, await house.admin())


async def disable(house, email, status="disabled"):
    path = f"/v1/accounts/{house.user_id(email)}/status"
    return await put(house, path, {"status": status}, await house.admin())


async def account_of(house, tokens):
    return await house.http.get("/v1/account", headers=bearer(tokens["accessToken"]))


async def delete_own(house, tokens, password=PASSWORD):
    body = {"password": password}
    return await house.post("/v1/account/delete", body, token=tokens["accessToken"])


class TestSuspend:
    async def test_is_refused_to_a_learner(self, house):
        email, tokens = await house.member()
        path = f"/v1/memberships/{house.user_id(email)}/status"

        answer = await put(house, path, {"status": "suspended"}, tokens["accessToken"])

        assert answer.status == 403

    async def test_keeps_the_member_out_of_this_tenant_alone(self, house):
        email, tokens = await house.member()

        assert (await suspend(house, email)).status == 204

        assert (await account_of(house, tokens)).status == 401
        assert (await house.refresh(tokens["refreshToken"])).status == 401
        assert (await (await house.log_in(email)).json())["code"] == "not-a-member"
        assert house.events(house.user_id(email))[-1] == "identity.user.disabled"

    async def test_is_told_once_and_can_be_taken_back(self, house):
        email, _ = await house.member()
        for _ in range(2):
            await suspend(house, email)

        await suspend(house, email, "active")

        assert (await house.log_in(email)).status == 200
        assert house.events(house.user_id(email))[-2:] == [
            "identity.user.disabled",
            "identity.user.enabled",
        ]

    async def test_leaves_the_tenant_an_administrator(self, house):
        answer = await suspend(house, ADMIN[0])

        assert (answer.status, (await answer.json())["code"]) == (409, "last-administrator")


class TestDisable:
    async def test_is_refused_to_a_tenant_admin(self, house):
        admin, _ = await house.member()
        roles = [{"role": "tenant-admin", "until": "2099-01-01T00:00:00Z"}]
        path = f"/v1/memberships/{house.user_id(admin)}/roles"
        assert (await put(house, path, {"roles": roles}, await house.admin())).status == 204
        tokens = await house.tokens(admin)
        email, _ = await house.member()

        path = f"/v1/accounts/{house.user_id(email)}/status"
        answer = await put(house, path, {"status": "disabled"}, tokens["accessToken"])

        assert answer.status == 403

    async def test_ends_all_access_at_once_and_can_be_taken_back(self, house):
        email, tokens = await house.member()

        assert (await disable(house, email)).status == 204

        assert (await account_of(house, tokens)).status == 401
        assert (await house.refresh(tokens["refreshToken"])).status == 401
        assert (await house.log_in(email)).status == 401
        await disable(house, email, "active")
        assert (await house.log_in(email)).status == 200
        entries = house.audited(house.user_id(email))
        assert [entry for entry in entries if entry.startswith("account.")] == [
            "account.disable:done",
            "account.enable:done",
        ]


class TestUnlock:
    async def test_opens_an_account_that_wrong_passwords_locked(self, house):
        email, _ = await house.member()
        for _ in range(5):
            await house.log_in(email, "not the password at all")
        path = f"/v1/accounts/{house.user_id(email)}/unlock"

        assert (await house.post(path, token=await house.admin())).status == 204

        assert (await house.log_in(email)).status == 200
        assert "identity.user.unlocked" in house.events(house.user_id(email))


class TestDelete:
    async def test_is_refused_with_a_wrong_password(self, house):
        email, tokens = await house.member()

        assert (await delete_own(house, tokens, "not the password at all")).status == 401
        assert (await house.log_in(email)).status == 200

    async def test_leaves_nothing_of_the_account_but_ids_and_frees_its_address(self, house):
        email, tokens = await house.member()
        user_id = house.user_id(email)

        assert (await delete_own(house, tokens)).status == 204

        for table in ("account", "credential", "membership", "role_assignment", "delivery"):
            dump = str(house.rows(f"SELECT t.* FROM identity.{table} t"))
            assert email not in dump
            assert str(user_id) not in dump
        assert (await account_of(house, tokens)).status == 401
        assert (await house.refresh(tokens["refreshToken"])).status == 401
        assert (await house.log_in(email)).status == 401
        assert (await house.register(email)).status == 202
        assert house.user_id(email) != user_id

    async def test_is_told_to_every_tenant_that_the_person_belonged_to(self, house):
        email, tokens = await house.member()
        user_id = house.user_id(email)
        house.rows(
            "INSERT INTO identity.membership (tenant, user_id, status)"
            " VALUES ('elsewhere', %s, 'active') RETURNING 1",
            user_id,
        )
        await delete_own(house, tokens)

        told = house.rows(
            "SELECT tenant FROM identity.outbox WHERE entity = %s"
            " AND type = 'identity.user.deleted' ORDER BY tenant",
            str(user_id),
        )
        assert told == [("demo",), ("elsewhere",)]

    async def test_is_refused_to_the_last_administrator(self, house):
        path = f"/v1/accounts/{house.user_id(ADMIN[0])}"

        answer = await house.http.delete(path, headers=bearer(await house.admin()))

        assert (answer.status, (await answer.json())["code"]) == (409, "last-administrator")
        assert (await house.log_in(*ADMIN)).status == 200
