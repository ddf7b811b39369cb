"""Invitations on real servers, also as an attacker would use them."""

import asyncio
from uuid import uuid4

import grpc
import pytest

from integration.identity.conftest import ADMIN, PASSWORD, address, bearer

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER = "a different long secret"


async def invite(house, access, *emails, role="learner", **more):
    body = {"emails": list(emails), "role": role, **more}
    return await house.post("/v1/invitations", body, token=access)


async def invited(house, email, access=None, **more):
    """The invitation of an address."""
    answer = await invite(house, access or await house.admin(), email, **more)
    assert answer.status == 201, await answer.text()
    return (await answer.json())["items"][0]


async def link(house, email):
    """The token of the newest invitation, as the mail service gets it."""
    return (await house.redeem(delivery(house, email))).secret


def delivery(house, email):
    return house.rows(
        "SELECT delivery_id FROM identity.invitation WHERE email = %s ORDER BY created_at DESC",
        email,
    )[0][0]


async def accept(house, token, password=PASSWORD, **more):
    body = {"token": token, "password": password, "displayName": "Ana Lindqvist", **more}
    return await house.post("/v1/auth/accept-invitation", body)


async def accept_as(house, tokens, token):
    path = "/v1/account/accept-invitation"
    return await house.post(path, {"token": token}, token=tokens["accessToken"])


async def state(house, invitation):
    headers = bearer(await house.admin())
    listed = await (await house.http.get("/v1/invitations?limit=100", headers=headers)).json()
    return {one["id"]: one["state"] for one in listed["items"]}[invitation["id"]]


async def teacher(house, cohort):
    """An access token of somebody who teaches one cohort."""
    email, _ = await house.member()
    roles = [{"role": "learner"}, {"role": "teacher", "scope": {"cohort": cohort}}]
    path = f"/v1/memberships/{house.user_id(email)}/roles"
    await house.http.put(path, json={"roles": roles}, headers=bearer(await house.admin()))
    return (await house.tokens(email))["accessToken"]


async def roles_of(house, email):
    path = f"/v1/memberships/{house.user_id(email)}/roles"
    answer = await (await house.http.get(path, headers=bearer(await house.admin()))).json()
    return {
        (one["role"], one["scope"]["course"], one["scope"]["cohort"]) for one in answer["roles"]
    }


class TestInvite:
    async def test_mails_a_link_whose_token_stands_in_no_row(self, house):
        email = address()

        made = await invited(house, email)
        mail = await house.redeem(delivery(house, email))

        assert (mail.email, mail.locale, made["state"]) == (email, "en", "open")
        assert house.events(made["id"]) == ["identity.invitation.created"]
        for table in ("invitation", "outbox", "audit_entry"):
            assert mail.secret not in str(house.rows(f"SELECT t.* FROM identity.{table} t"))

    async def test_answers_alike_for_addresses_with_and_without_an_account(self, house):
        known, _ = await house.member()
        answers = [await invited(house, email) for email in (known, address())]

        for answer in answers:
            for changing in ("id", "email", "createdAt", "expiresAt"):
                answer.pop(changing)
        assert answers[0] == answers[1]

    async def test_mails_nothing_again_while_an_invitation_is_open(self, house):
        email = address()

        first, second = await invited(house, email), await invited(house, email)

        assert first == second
        assert house.events(first["id"]) == ["identity.invitation.created"]

    async def test_lets_a_teacher_invite_to_their_cohort_alone(self, house):
        access = await teacher(house, "autumn")
        refused = [
            {"scope": {"cohort": "spring"}},
            {"scope": {"course": "autumn"}},
            {},
            {"role": "tenant-admin", "scope": {"cohort": "autumn"}},
            {"role": "author", "scope": {"cohort": "autumn"}},
        ]

        mine = await invite(house, access, address(), scope={"cohort": "autumn"})
        answers = [await invite(house, access, address(), **one) for one in refused]

        assert mine.status == 201
        assert {answer.status for answer in answers} == {403}

    async def test_shows_a_teacher_the_invitations_to_their_cohort_alone(self, house):
        cohort = f"c-{uuid4()}"
        access = await teacher(house, cohort)
        mine = await invited(house, address(), access, scope={"cohort": cohort})
        other = await invited(house, address())

        listed = await (await house.http.get("/v1/invitations", headers=bearer(access))).json()

        assert [one["id"] for one in listed["items"]] == [mine["id"]]
        path = f"/v1/invitations/{other['id']}"
        assert (await house.http.delete(path, headers=bearer(access))).status == 404
        body = {"lifetimeDays": 7}
        assert (await house.post(f"{path}/resend", body, token=access)).status == 404

    async def test_is_refused_to_learners(self, house):
        _, tokens = await house.member()

        assert (await invite(house, tokens["accessToken"], address())).status == 403

    @pytest.mark.parametrize(
        "more",
        [
            {"lifetimeDays": 0},
            {"lifetimeDays": 31},
            {"emails": []},
            {"emails": ["nobody"]},
            {"emails": [f"{n}@school.example" for n in range(101)]},
            {"role": "king"},
            {"state": "accepted"},
        ],
    )
    async def test_refuses_what_is_not_bounded(self, house, more):
        body = {"emails": [address()], "role": "learner", **more}

        answer = await house.post("/v1/invitations", body, token=await house.admin())

        assert answer.status == 422


class TestAccept:
    async def test_makes_a_verified_account_with_the_role_and_nothing_more(self, house):
        email = address()
        made = await invited(house, email, role="grader", scope={"course": "statistics"})

        assert (await accept(house, await link(house, email))).status == 204

        tokens = await house.tokens(email)
        claims = await house.claims(tokens["accessToken"])
        assert (claims["roles"], claims["scopes"]) == (["learner"], ["grader@course:statistics"])
        assert await state(house, made) == "accepted"
        assert house.events(made["id"])[-1] == "identity.invitation.accepted"
        assert house.events(house.user_id(email)) == ["identity.user.registered"]
        assert house.audited(made["id"])[-1] == "invitation.accept:done"

    async def test_gives_a_role_of_the_tenant_alone(self, house):
        email = address()
        await invited(house, email, role="planner")

        await accept(house, await link(house, email))

        assert await roles_of(house, email) == {("planner", None, None)}

    async def test_works_where_registration_is_closed(self, start):
        async with start(registration="closed") as house:
            email = address()
            await invited(house, email)

            assert (await house.register(address())).status == 403
            assert (await accept(house, await link(house, email))).status == 204

    async def test_keeps_the_first_password_to_the_policy_and_the_link_good(self, house):
        email = address()
        await invited(house, email)
        token = await link(house, email)

        assert (await accept(house, token, "short")).status == 422
        assert (await accept(house, token)).status == 204

    async def test_is_done_once_however_many_try_at_once(self, house):
        email = address()
        await invited(house, email)
        token = await link(house, email)

        answers = await asyncio.gather(
            *(accept(house, token, f"a long secret number {n}") for n in range(4))
        )

        assert [answer.status for answer in answers].count(204) == 1

    async def test_adds_the_role_to_an_account_that_is_logged_in(self, house):
        email, tokens = await house.member()
        await invited(house, email, role="author")

        assert (await accept_as(house, tokens, await link(house, email))).status == 204

        assert await roles_of(house, email) == {("learner", None, None), ("author", None, None)}
        account = await house.http.get("/v1/account", headers=bearer(tokens["accessToken"]))
        assert account.status == 401

    async def test_is_refused_to_another_person_who_is_logged_in(self, house):
        """Somebody who found the link of a stranger, or to whom it was forwarded."""
        email, _ = await house.member()
        made = await invited(house, email, role="tenant-admin")
        token = await link(house, email)
        thief, tokens = await house.member()

        answer = await accept_as(house, tokens, token)

        assert (answer.status, (await answer.json())["code"]) == (400, "link-rejected")
        assert await roles_of(house, thief) == {("learner", None, None)}
        assert await state(house, made) == "open"

    async def test_needs_the_password_of_the_account_that_the_address_has(self, house):
        email, _ = await house.member()
        await invited(house, email, role="author")
        token = await link(house, email)

        assert (await accept(house, token, OTHER)).status == 401
        assert (await accept(house, token)).status == 204
        assert ("author", None, None) in await roles_of(house, email)

    async def test_takes_an_account_from_whoever_registered_the_address_first(self, house):
        email = address()
        await house.register(email, OTHER)
        await invited(house, email)

        assert (await accept(house, await link(house, email))).status == 204

        assert (await house.log_in(email, OTHER)).status == 401
        assert (await house.log_in(email)).status == 200

    async def test_lets_no_suspended_member_back_in(self, house):
        email, _ = await house.member()
        await house.http.put(
            f"/v1/memberships/{house.user_id(email)}/status",
            json={"status": "suspended"},
            headers=bearer(await house.admin()),
        )
        await invited(house, email, role="author")

        assert (await accept(house, await link(house, email))).status == 403
        assert (await house.log_in(email)).status == 403

    async def test_brings_an_account_of_another_tenant_in(self, house):
        email, tokens = await house.member(tenant="other")
        await invited(house, email)

        assert (await house.log_in(email, tenant="demo")).status == 403
        assert (await accept_as(house, tokens, await link(house, email))).status == 204
        assert (await house.log_in(email, tenant="demo")).status == 200

    @pytest.mark.parametrize("token", ["x", "kourse_pat_x", "A" * 64, "A" * 63 + "="])
    async def test_refuses_a_token_that_was_made_up(self, house, token):
        assert (await accept(house, token)).status == 400

    async def test_takes_no_link_of_another_purpose(self, house):
        email, tokens = await house.member()
        headers = {"X-Forwarded-For": address()}
        await house.post("/v1/auth/request-password-reset", {"email": email}, **headers)
        reset = (await house.redeem(house.delivery(email))).secret
        await invited(house, email)
        invitation = await link(house, email)

        body = {"token": invitation, "password": OTHER}
        assert (await house.post("/v1/auth/reset-password", body)).status == 400
        assert (await accept_as(house, tokens, reset)).status == 400


class TestEnd:
    async def test_comes_when_it_is_revoked(self, house):
        email = address()
        made = await invited(house, email)
        token = await link(house, email)
        headers = bearer(await house.admin())

        answer = await house.http.delete(f"/v1/invitations/{made['id']}", headers=headers)

        assert answer.status == 204
        assert (await accept(house, token)).status == 400
        assert await state(house, made) == "revoked"
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await house.redeem(delivery(house, email))
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND

    async def test_comes_with_time(self, house):
        email = address()
        made = await invited(house, email)
        token = await link(house, email)
        house.database.execute(
            "UPDATE identity.invitation SET expires_at = clock_timestamp() WHERE id = %s",
            (made["id"],),
        )

        assert (await accept(house, token)).status == 400
        assert await state(house, made) == "expired"

    async def test_is_put_off_by_mailing_again_which_kills_the_former_link(self, house):
        email = address()
        made = await invited(house, email)
        former = await link(house, email)
        access = await house.admin()

        path = f"/v1/invitations/{made['id']}/resend"
        assert (await house.post(path, {"lifetimeDays": 30}, token=access)).status == 204

        assert (await accept(house, former)).status == 400
        assert (await accept(house, await link(house, email))).status == 204
        assert (await house.post(path, {"lifetimeDays": 30}, token=access)).status == 409

    async def test_is_not_put_off_forever_within_an_hour(self, house):
        made = await invited(house, address())
        path = f"/v1/invitations/{made['id']}/resend"
        access = await house.admin()

        answers = [await house.post(path, {}, token=access) for _ in range(4)]

        assert [answer.status for answer in answers] == [204, 204, 204, 429]

    async def test_forgets_the_address_of_somebody_who_did_not_come(self, house):
        made = await invited(house, address())
        house.database.execute(
            "UPDATE identity.invitation SET expires_at = clock_timestamp() - interval '31 days'"
            " WHERE id = %s",
            (made["id"],),
        )

        await invited(house, address())

        assert house.rows("SELECT 1 FROM identity.invitation WHERE id = %s", made["id"]) == []

    async def test_is_nothing_that_another_tenant_can_bring_about(self, start):
        async with start(default_tenant="other") as elsewhere:
            made = await invited(elsewhere, address())
        async with start() as house:
            headers = bearer((await house.tokens(*ADMIN))["accessToken"])
            path = f"/v1/invitations/{made['id']}"

            assert (await house.http.delete(path, headers=headers)).status == 404
