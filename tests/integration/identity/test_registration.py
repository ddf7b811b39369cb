"""Registration and verification, on real servers, also as an attacker would try them."""

import asyncio

import grpc
import pytest

from integration.identity.conftest import PASSWORD, address

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER = "a different long secret"


class TestRegister:
    async def test_answers_a_known_and_an_unknown_address_alike(self, house):
        email, _ = await house.member()

        known = await house.register(email, OTHER)
        unknown = await house.register(address())

        assert known.status == unknown.status == 202
        assert await known.text() == await unknown.text()
        assert set(known.headers) == set(unknown.headers)

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"email": "nobody"}, "email"),
            ({"displayName": " "}, "displayName"),
            ({"displayName": "a\nb"}, "displayName"),
            ({"locale": "klingon"}, "locale"),
            ({"tenant": "Not.A.Label"}, "tenant"),
            ({"roles": ["tenant-admin"]}, "roles"),
            ({"password": 123456789012}, "password"),
        ],
    )
    async def test_names_the_field_that_is_wrong(self, house, change, field):
        answer = await house.register(**{"email": address(), **change})

        assert answer.status == 422
        assert (await answer.json())["errors"][0]["field"] == field

    async def test_refuses_a_weak_password_whoever_asks(self, house):
        email, _ = await house.member()

        answers = [await house.register(one, "password1234") for one in (email, address())]

        assert [answer.status for answer in answers] == [422, 422]
        assert {(await answer.json())["code"] for answer in answers} == {"weak-password"}

    async def test_makes_an_account_a_membership_and_two_events_of_one_new_address(self, house):
        email = address()

        await house.register(f"  {email.upper()} ")
        user_id = house.user_id(email)

        assert house.events(user_id) == [
            "identity.user.registered",
            "identity.verification.requested",
        ]
        held = house.rows(
            "SELECT tenant, role FROM identity.role_assignment WHERE user_id = %s", user_id
        )
        assert held == [("demo", "learner")]
        assert house.audited(user_id) == ["auth.register:done"]

    async def test_keeps_neither_password_nor_code_in_a_row(self, house):
        email = address()
        await house.register(email)
        code = (await house.redeem(house.delivery(email))).secret

        for table in ("account", "credential", "delivery", "outbox", "audit_entry"):
            dump = str(house.rows(f"SELECT t.* FROM identity.{table} t"))
            assert PASSWORD not in dump
            assert code not in dump.replace(str(house.user_id(email)), "")

    async def test_does_nothing_for_an_address_that_is_verified(self, house):
        email, _ = await house.member()
        before = house.events(house.user_id(email))

        await house.register(email, OTHER)

        assert house.events(house.user_id(email)) == before
        assert (await house.log_in(email, OTHER)).status == 401
        assert (await house.log_in(email)).status == 200

    async def test_sends_another_code_when_repeated_before_the_verification(self, house):
        email = address()
        await house.register(email)
        await house.register(email)

        assert house.events(house.user_id(email)).count("identity.verification.requested") == 2
        assert house.events(house.user_id(email)).count("identity.user.registered") == 1

    async def test_stops_mailing_a_victim_after_a_few_requests(self, house):
        email = address()
        answers = [await house.register(email) for _ in range(8)]

        assert {answer.status for answer in answers} == {202}
        assert house.events(house.user_id(email)).count("identity.verification.requested") == 5

    async def test_makes_one_account_of_many_requests_at_once(self, house):
        email = address()

        answers = await asyncio.gather(*(house.register(email) for _ in range(8)))

        assert {answer.status for answer in answers} == {202}
        assert house.events(house.user_id(email)).count("identity.user.registered") == 1

    async def test_is_refused_where_registration_is_closed(self, start):
        async with start(registration="closed") as house:
            answer = await house.register(address())

        assert answer.status == 403
        assert (await answer.json())["code"] == "registration-closed"


class TestVerifyEmail:
    async def test_answers_an_unknown_address_and_a_wrong_code_alike(self, house):
        email = address()
        await house.register(email)
        right = (await house.redeem(house.delivery(email))).secret
        wrong = f"{(int(right) + 1) % 10**6:06d}"

        known, unknown = await house.verify(email, wrong), await house.verify(address(), wrong)

        assert known.status == unknown.status == 400
        bodies = [await known.json(), await unknown.json()]
        assert [body.pop("instance") for body in bodies]
        assert bodies[0] == bodies[1]

    async def test_takes_no_code_of_somebody_else(self, house):
        email, other = address(), address()
        await house.register(email)
        await house.register(other)
        code = (await house.redeem(house.delivery(email))).secret

        assert (await house.verify(other, code)).status == 400

    async def test_opens_the_log_in_and_tells_the_mail_service(self, house):
        email = address()
        await house.register(email)
        assert (await house.log_in(email)).status == 403
        code = (await house.redeem(house.delivery(email))).secret

        assert (await house.verify(email, code)).status == 204

        assert (await house.log_in(email)).status == 200
        assert house.events(house.user_id(email))[-1] == "identity.email.verified"

    async def test_changes_nothing_when_retried(self, house):
        email = address()
        await house.register(email)
        code = (await house.redeem(house.delivery(email))).secret
        await house.verify(email, code)

        again = await house.verify(email, code)

        assert again.status == 204
        assert house.events(house.user_id(email)).count("identity.email.verified") == 1

    async def test_takes_effect_once_when_concurrent(self, house):
        email = address()
        await house.register(email)
        code = (await house.redeem(house.delivery(email))).secret

        answers = await asyncio.gather(*(house.verify(email, code) for _ in range(5)))

        assert {answer.status for answer in answers} == {204}
        assert house.events(house.user_id(email)).count("identity.email.verified") == 1

    async def test_kills_a_code_after_five_wrong_ones(self, house):
        email = address()
        await house.register(email)
        code = (await house.redeem(house.delivery(email))).secret
        for step in range(1, 6):
            await house.verify(email, f"{(int(code) + step) % 10**6:06d}")

        assert (await house.verify(email, code)).status == 400

    async def test_brings_the_password_of_the_mail_whose_code_it_was(self, house):
        """Whoever registers another's address first does not get to choose the password."""
        email = address()
        await house.register(email, "the attacker's own secret")
        early = house.delivery(email)
        await house.register(email, "the holder's own secret")
        late = house.delivery(email)
        await house.redeem(early)
        code = (await house.redeem(late)).secret

        await house.verify(email, code)

        assert (await house.log_in(email, "the holder's own secret")).status == 200
        assert (await house.log_in(email, "the attacker's own secret")).status == 401


class TestRedeemDelivery:
    async def test_is_refused_without_a_token(self, house):
        email = address()
        await house.register(email)

        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await house.redeem(house.delivery(email), client=None)

        assert refusal.value.code() is grpc.StatusCode.UNAUTHENTICATED

    async def test_is_refused_to_services_that_send_no_mail(self, house):
        email = address()
        await house.register(email)

        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await house.redeem(house.delivery(email), client="dashboard")

        assert refusal.value.code() is grpc.StatusCode.PERMISSION_DENIED

    async def test_knows_nothing_of_it_in_another_tenant(self, house):
        email = address()
        await house.register(email)

        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await house.redeem(house.delivery(email), tenant="elsewhere")

        assert refusal.value.code() is grpc.StatusCode.NOT_FOUND

    async def test_gives_a_code_with_its_recipient(self, house):
        email = address()
        await house.register(email, locale="de")

        redeemed = await house.redeem(house.delivery(email))

        assert (redeemed.email, redeemed.locale, redeemed.expires_in_seconds) == (email, "de", 900)
        assert len(redeemed.secret) == 6

    async def test_gives_another_code_when_retried_and_the_first_is_dead(self, house):
        email = address()
        await house.register(email)
        delivery = house.delivery(email)
        codes = [(await house.redeem(delivery)).secret]
        while len(set(codes)) < 2:
            codes.append((await house.redeem(delivery)).secret)

        assert (await house.verify(email, codes[0])).status == 400
        assert (await house.verify(email, codes[-1])).status == 204

    async def test_has_nothing_to_give_once_the_address_is_verified(self, house):
        email = address()
        await house.register(email)
        delivery = house.delivery(email)
        await house.verify(email, (await house.redeem(delivery)).secret)

        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await house.redeem(delivery)

        assert refusal.value.code() is grpc.StatusCode.NOT_FOUND
        assert house.rows("SELECT 1 FROM identity.delivery WHERE id = %s", delivery) == []


class TestListContacts:
    async def test_is_refused_to_services_that_send_no_mail(self, house):
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await house.contacts(client="dashboard")

        assert refusal.value.code() is grpc.StatusCode.PERMISSION_DENIED

    async def test_leaves_out_strangers_and_members_of_other_tenants(self, house):
        email, _ = await house.member()
        foreign, _ = await house.member(tenant="elsewhere")

        found = await house.contacts(house.user_id(email), house.user_id(foreign))

        assert [(one.email, one.email_verified) for one in found] == [(email, True)]
        assert found[0].display_name == "Ana Lindqvist"
