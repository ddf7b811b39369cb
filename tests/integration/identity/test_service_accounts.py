"""Service accounts on real servers, also as an attacker would try them.

They have no credential in a store, so they are tested beside one store alone.
"""

from datetime import UTC, datetime, timedelta

import pytest

from integration.identity.backends import LOCAL
from integration.identity.conftest import NOBODY, bearer
from integration.identity.programs import (
    PLANNER,
    administrator,
    client,
    exchange,
    log_in_as_client,
    new_secret,
    service_account,
    status_of,
)
from kourse.identity.domain import program_secrets
from kourse.identity.domain.program_secrets import Kind

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def backend():
    """The store that is always there."""
    return LOCAL


class TestServiceAccount:
    async def test_gets_a_token_by_client_credentials_that_says_what_it_is(self, house):
        account, secret = await client(house, await house.admin())

        answer = await log_in_as_client(house, account, secret)
        body = await answer.json()
        claims = await house.claims(body["access_token"])

        assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
        assert body["scope"] == "cohort:plan course:plan exam:plan"
        assert (claims["sub"], claims["client_id"], claims["aud"]) == (account, account, "kourse")
        assert claims["roles"] == ["planner"]
        assert "refresh_token" not in body

    async def test_holds_nothing_that_is_peoples_alone(self, house):
        access = await house.admin()
        account, secret = await client(house, access, roles=[{"role": "tenant-admin"}])

        body = await (await log_in_as_client(house, account, secret)).json()

        assert "membership:manage" in body["scope"]
        for name in ("account:self", "attempt:take", "course:study", "profile:own"):
            assert name not in body["scope"].split()
        assert await status_of(house, "/v1/account/sessions", body["access_token"], "delete") == 403

    async def test_keeps_to_its_permissions_and_its_cohort(self, house):
        account, secret = await client(
            house,
            await house.admin(),
            roles=[{"role": "teacher", "scope": {"cohort": "autumn"}}],
            permissions=["gradebook:read"],
        )

        body = await (await log_in_as_client(house, account, secret)).json()
        claims = await house.claims(body["access_token"])

        assert claims["permissions"] == ["gradebook:read"]
        assert (claims["roles"], claims["scopes"]) == ([], ["teacher@cohort:autumn"])

    async def test_acts_under_its_own_name(self, house):
        account, secret = await client(house, await house.admin(), roles=[{"role": "tenant-admin"}])
        token = (await (await log_in_as_client(house, account, secret)).json())["access_token"]
        email, _ = await house.member()

        path = f"/v1/memberships/{house.user_id(email)}/roles"
        body = {"roles": [{"role": "learner"}, {"role": "grader"}]}
        assert (await house.http.put(path, json=body, headers=bearer(token))).status == 204

        rows = house.rows(
            "SELECT actor FROM identity.audit_entry WHERE target = %s AND action = %s",
            str(house.user_id(email)),
            "membership.assign-roles",
        )
        assert rows == [(account,)]

    @pytest.mark.parametrize(
        "roles", [[{"role": "platform-admin"}], [{"role": "planner"}, {"role": "platform-admin"}]]
    )
    async def test_is_never_given_more_than_its_maker_holds(self, house, roles):
        _, access = await administrator(house)

        body = {"name": "climber", "roles": roles}
        assert (await house.post("/v1/service-accounts", body, token=access)).status == 403

        account = await service_account(house, access)
        path = f"/v1/service-accounts/{account}/roles"
        answer = await house.http.put(path, json={"roles": roles}, headers=bearer(access))
        assert answer.status == 403

    async def test_is_no_ladder_for_a_narrow_program(self, house):
        """A program that may manage service accounts alone can neither make, widen nor enter a strong one."""
        access = await house.admin()
        strong = await service_account(house, access, roles=[{"role": "tenant-admin"}])
        weak, secret = await client(
            house,
            access,
            roles=[{"role": "tenant-admin"}],
            permissions=["service-account:manage"],
        )
        token = (await (await log_in_as_client(house, weak, secret)).json())["access_token"]
        wide = {"roles": [{"role": "tenant-admin"}]}

        made = await house.post("/v1/service-accounts", {"name": "up", **wide}, token=token)
        widened = await house.http.put(
            f"/v1/service-accounts/{weak}/roles", json=wide, headers=bearer(token)
        )
        path = f"/v1/service-accounts/{strong}/secrets"
        entered = await house.post(path, {"lifetimeDays": 1}, token=token)

        assert [one.status for one in (made, widened, entered)] == [403, 403, 403]

    async def test_cannot_log_in_as_people_do(self, house):
        account, secret = await client(house, await house.admin())

        assert (await house.log_in(f"{account}@kourse.example", secret)).status == 401
        assert (await house.refresh(secret)).status == 401
        assert (await exchange(house, secret)).status == 400

    async def test_opens_with_its_own_id_and_a_living_secret_alone(self, house):
        access = await house.admin()
        account, secret = await client(house, access)
        other, others = await client(house, access)

        refused = [
            (account, others),
            (other, secret),
            (NOBODY, secret),
            (account, program_secrets.make(Kind.SERVICE_ACCOUNT)),
            (account, ""),
            ("", secret),
            ("notification", "notification's secret"),
        ]

        answers = [await log_in_as_client(house, *pair) for pair in refused]

        assert {answer.status for answer in answers} == {401}
        assert len({(await answer.json())["detail"] for answer in answers}) == 1

    async def test_has_two_secrets_so_that_rotation_is_no_outage(self, house):
        access = await house.admin()
        account, first = await client(house, access)
        second = await new_secret(house, access, account)
        path = f"/v1/service-accounts/{account}/secrets"

        third = await house.post(path, {"lifetimeDays": 1}, token=access)
        assert (third.status, (await third.json())["code"]) == (409, "too-many")
        for secret in (first, second["clientSecret"]):
            assert (await log_in_as_client(house, account, secret)).status == 200

        old = house.rows(
            "SELECT id FROM identity.service_account_secret WHERE service_account_id = %s"
            " AND id <> %s",
            account,
            second["details"]["id"],
        )[0][0]
        assert await status_of(house, f"{path}/{old}", access, "delete") == 204
        assert (await log_in_as_client(house, account, first)).status == 401
        assert (await log_in_as_client(house, account, second["clientSecret"])).status == 200

    async def test_loses_its_access_tokens_with_the_secret_they_came_from(self, house):
        access = await house.admin()
        account = await service_account(house, access, roles=[{"role": "tenant-admin"}])
        made = await new_secret(house, access, account)
        answer = await log_in_as_client(house, account, made["clientSecret"])
        token = (await answer.json())["access_token"]
        assert await status_of(house, "/v1/memberships", token) == 200

        path = f"/v1/service-accounts/{account}/secrets/{made['details']['id']}"
        await house.http.delete(path, headers=bearer(access))

        assert await status_of(house, "/v1/memberships", token) == 401

    @pytest.mark.parametrize("end", ["disable", "delete"])
    async def test_that_is_disabled_or_deleted_gets_nothing_and_loses_what_it_had(self, house, end):
        access = await house.admin()
        account, secret = await client(house, access, roles=[{"role": "tenant-admin"}])
        answer = await log_in_as_client(house, account, secret)
        token = (await answer.json())["access_token"]
        path = f"/v1/service-accounts/{account}"

        if end == "disable":
            body = {"status": "disabled"}
            await house.http.put(f"{path}/status", json=body, headers=bearer(access))
        else:
            await house.http.delete(path, headers=bearer(access))

        assert (await log_in_as_client(house, account, secret)).status == 401
        assert await status_of(house, "/v1/memberships", token) == 401

    async def test_may_act_again_when_it_is_enabled(self, house):
        access = await house.admin()
        account, secret = await client(house, access)
        for status in ("disabled", "active"):
            await house.http.put(
                f"/v1/service-accounts/{account}/status",
                json={"status": status},
                headers=bearer(access),
            )

        assert (await log_in_as_client(house, account, secret)).status == 200

    async def test_opens_nothing_after_the_end_of_its_secret(self, house):
        account, secret = await client(house, await house.admin())
        house.database.execute(
            "UPDATE identity.service_account_secret SET expires_at = clock_timestamp()"
            " WHERE service_account_id = %s",
            (account,),
        )

        assert (await log_in_as_client(house, account, secret)).status == 401

    async def test_loses_a_role_when_it_ends(self, house):
        until = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
        account, secret = await client(
            house, await house.admin(), roles=[{"role": "planner", "until": until}]
        )

        assert (await (await log_in_as_client(house, account, secret)).json())["scope"] == ""

    async def test_is_listed_without_its_secret(self, house):
        access = await house.admin()
        account, secret = await client(house, access)

        answer = await house.http.get("/v1/service-accounts", headers=bearer(access))
        (found,) = [one for one in (await answer.json())["items"] if one["id"] == account]

        assert secret not in await answer.text()
        assert (found["status"], len(found["secrets"])) == ("active", 1)
        assert found["roles"][0]["role"] == "planner"

    async def test_has_a_name_of_its_own(self, house):
        access = await house.admin()
        await service_account(house, access, name="pipeline")

        body = {"name": "pipeline", **PLANNER}
        answer = await house.post("/v1/service-accounts", body, token=access)

        assert (answer.status, (await answer.json())["code"]) == (409, "name-taken")

    async def test_belongs_to_administrators_alone(self, house):
        _, tokens = await house.member()

        assert await status_of(house, "/v1/service-accounts", tokens["accessToken"]) == 403

    async def test_of_another_tenant_is_neither_seen_nor_touched(self, start):
        async with start(default_tenant="other") as elsewhere:
            account = await service_account(elsewhere, await elsewhere.admin())
        async with start() as house:
            access = await house.admin()
            path = f"/v1/service-accounts/{account}"
            listed = await house.http.get("/v1/service-accounts", headers=bearer(access))

            assert account not in await listed.text()
            assert await status_of(house, path, access, "delete") == 404

    async def test_shows_its_secret_in_no_log(self, house, capfd):
        account, secret = await client(house, await house.admin())
        await log_in_as_client(house, account, secret)
        await log_in_as_client(house, account, secret[:-1])

        written = "".join(capfd.readouterr())

        assert "/v1/oauth/token" in written
        assert secret[:-1] not in written
