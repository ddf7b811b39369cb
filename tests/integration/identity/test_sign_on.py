"""Single sign-on through a real Keycloak: one log-in there, the platform's own tokens here."""

import asyncio
import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from integration.identity.backends import KEYCLOAK
from integration.identity.conftest import PASSWORD, address
from integration.identity.keycloak_admin import KeycloakAdmin
from integration.identity.realm import Console, away, opened, query_of
from kourse.identity.repository import accounts, links
from kourse.kit.ids import new_id
from support.waiting import until

SELDOM_S = 86_400
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module", params=[KEYCLOAK], ids=["keycloak"])
def backend(request):
    """These tests are about Keycloak alone."""
    return request.param


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(start, keycloak):
    """Identity where the realm expects it, so that Keycloak can tell it of log-outs."""
    async with start(port=urlsplit(keycloak.url("gateway")).port, keycloak_poll=0.5) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def browser(house):
    async with opened(house) as browser:
        yield browser


@pytest.fixture
def console(house):
    return Console(house)


async def code_of(answer):
    """The code of a problem."""
    return (await answer.json())["code"]


class TestSignOn:
    async def test_lets_a_member_in_who_logs_in_at_keycloak(self, house, browser):
        email, _ = await house.member()

        answer = await browser.sign_on(email)

        assert answer.status == 200, await answer.text()
        claims = await house.claims((await answer.json())["accessToken"])
        assert claims["sub"] == str(house.user_id(email))
        assert (claims["tenant"], claims["roles"]) == ("demo", ["learner"])
        assert answer.headers["Cache-Control"] == "no-store"

    async def test_opens_a_session_like_any_other(self, house, browser):
        email, _ = await house.member()
        tokens = await (await browser.sign_on(email)).json()

        listed = await house.http.get(
            "/v1/account/sessions", headers={"Authorization": f"Bearer {tokens['accessToken']}"}
        )
        assert [one["current"] for one in (await listed.json())["items"]].count(True) == 1
        assert (await house.refresh(tokens["refreshToken"])).status == 200

    async def test_makes_an_account_of_somebody_only_keycloak_knew(self, house, browser, console):
        email, _ = await console.user()

        answer = await browser.sign_on(email)

        assert answer.status == 200, await answer.text()
        user_id = house.user_id(email)
        assert house.events(user_id) == ["identity.user.registered"]
        assert house.audited(user_id) == ["auth.link:done"]

    async def test_makes_one_account_of_somebody_who_comes_twice_at_once(
        self, house, browser, console
    ):
        email, _ = await console.user()
        async with opened(house) as other:
            returns = [
                (one, await one.log_in(await one.leave(), email)) for one in (browser, other)
            ]
            answers = await asyncio.gather(*(one.come_back(query) for one, query in returns))

        assert [answer.status for answer in answers] == [200, 200]
        assert house.events(house.user_id(email)) == ["identity.user.registered"]

    async def test_makes_no_account_where_nobody_registers_by_themselves(self, start, console):
        email, _ = await console.user()
        async with start(registration="closed") as closed, opened(closed) as browser:
            answer = await browser.sign_on(email)

        assert await code_of(answer) == "registration-closed"

    async def test_takes_no_role_from_keycloak(self, house, browser, console, keycloak):
        email, subject = await console.user()
        await asyncio.to_thread(
            KeycloakAdmin(keycloak).give_role, "kourse", subject, "platform-admin"
        )

        answer = await browser.sign_on(email)

        claims = await house.claims((await answer.json())["accessToken"])
        assert (claims["roles"], claims["scopes"]) == (["learner"], [])

    async def test_is_refused_in_a_tenant_that_one_does_not_belong_to(self, house, browser):
        email, _ = await house.member()

        answer = await browser.sign_on(email, tenant="elsewhere")

        assert await code_of(answer) == "not-a-member"

    async def test_asks_nothing_again_of_a_browser_that_is_logged_in(self, house, browser):
        email, _ = await house.member()
        await browser.sign_on(email)

        assert await browser.is_logged_in()

    async def test_is_refused_to_an_account_that_the_platform_disabled(self, house, browser):
        email, _ = await house.member()
        query = await browser.log_in(await browser.leave(), email)
        parts = house.process.runtime.extras["house"]
        async with parts.database.transaction("demo") as tx:
            account = await accounts.get_account(tx, house.user_id(email))
            await accounts.set_disabled(tx, account.id, is_disabled=True)
            await parts.credentials.follow(tx, replace(account, is_disabled=True))

        assert (await browser.come_back(query)).status == 401


class TestAddress:
    """An account belongs to (issuer, subject); an address leads to it once, and only a verified one."""

    async def test_makes_no_account_when_it_is_unverified(self, house, browser, console):
        email, _ = await console.user(emailVerified=False)

        assert await code_of(await browser.sign_on(email)) == "sign-on-rejected"
        assert not house.rows("SELECT 1 FROM identity.account WHERE email = %s", email)

    async def test_takes_no_account_over_when_it_is_unverified(self, house, browser, console):
        account_id, email = await local_account(house)
        await console.user(email, emailVerified=False)

        assert await code_of(await browser.sign_on(email)) == "sign-on-rejected"
        assert await subject_of(house, account_id) is None

    async def test_leads_to_the_account_that_has_it_when_it_is_verified(
        self, house, browser, console
    ):
        account_id, email = await local_account(house)
        _, subject = await console.user(email)

        assert await code_of(await browser.sign_on(email)) == "not-a-member"
        assert await subject_of(house, account_id) == subject

    async def test_leads_to_no_account_that_is_somebody_elses_at_keycloak(
        self, house, browser, console
    ):
        account_id, email = await local_account(house)
        async with house.process.runtime.database.transaction(None) as tx:
            await links.put_link(tx, console.users.issuer, "somebody-else", account_id)
        await console.user(email)

        assert await code_of(await browser.sign_on(email)) == "sign-on-rejected"
        assert await subject_of(house, account_id) == "somebody-else"

    async def test_is_not_lost_to_whoever_registered_it_first(self, house, browser, console):
        email, _ = await console.user()
        await house.register(email, "a stranger's own password")
        mailed = await house.redeem(house.delivery(email))

        assert (await browser.sign_on(email)).status == 200
        assert "identity.email.verified" in house.events(house.user_id(email))
        await house.verify(email, mailed.secret)
        assert (await house.log_in(email, "a stranger's own password")).status == 401
        assert (await house.log_in(email, PASSWORD)).status == 200


class TestReturn:
    """What comes back counts once, from the browser that left, for the attempt that it left with."""

    async def test_is_refused_to_another_browser_than_the_one_that_left(self, house, browser):
        email, _ = await house.member()
        query = await browser.log_in(await browser.leave(), email)
        browser.secret = "somebody-elses"

        assert await code_of(await browser.come_back(query)) == "sign-on-rejected"

    async def test_is_refused_to_a_victim_who_is_sent_to_an_attackers_return(self, house, browser):
        email, _ = await house.member()
        async with opened(house) as victim:
            await victim.leave()
            query = await browser.log_in(await browser.leave(), email)

            assert await code_of(await victim.come_back(query)) == "sign-on-rejected"

    async def test_takes_each_state_once_and_no_made_up_one(self, house, browser):
        email, _ = await house.member()
        query = await browser.log_in(await browser.leave(), email)

        assert (await browser.come_back(query | {"state": "made-up"})).status == 401
        assert (await browser.come_back(query)).status == 200
        assert (await browser.come_back(query)).status == 401

    async def test_takes_no_code_of_another_attempt(self, house, browser):
        email, _ = await house.member()
        stolen = await browser.log_in(await browser.leave(), email)
        other = await browser.log_in(await browser.leave(), email)

        answer = await browser.come_back(other | {"code": stolen["code"]})

        assert await code_of(answer) == "sign-on-rejected"

    async def test_takes_no_code_that_was_used(self, house, browser):
        email, _ = await house.member()
        query = await browser.log_in(await browser.leave(), email)
        sign_ons = house.process.runtime.extras["house"].sign_ons
        attempt = await sign_ons.take(query["state"])
        await sign_ons.begin(query["state"], attempt)
        assert (await browser.come_back(query)).status == 200

        await sign_ons.begin(query["state"], attempt)

        assert (await browser.come_back(query)).status == 401

    @pytest.mark.parametrize("secret", ["nonce", "verifier"])
    async def test_takes_no_proof_for_another_attempt(self, house, browser, secret):
        email, _ = await house.member()
        query = await browser.log_in(await browser.leave(), email)
        sign_ons = house.process.runtime.extras["house"].sign_ons
        attempt = await sign_ons.take(query["state"])
        await sign_ons.begin(query["state"], replace(attempt, **{secret: "x" * 43}))

        assert await code_of(await browser.come_back(query)) == "sign-on-rejected"

    @pytest.mark.parametrize("issuer", ["https://issuer.example", ""])
    async def test_takes_nothing_from_another_issuer_nor_from_an_unnamed_one(
        self, house, browser, issuer
    ):
        email, _ = await house.member()
        query = await browser.log_in(await browser.leave(), email)

        assert (await browser.come_back(query | {"iss": issuer})).status == 401

    async def test_with_a_refusal_of_keycloak_is_a_refusal(self, browser):
        query = query_of(await browser.leave())
        back = {"state": query["state"], "error": "access_denied", "code": ""}

        assert await code_of(await browser.come_back(back)) == "sign-on-rejected"

    async def test_needs_a_secret_that_scripts_and_other_sites_never_see(self, browser):
        await browser.leave()

        assert browser.cookie["secure"]
        assert browser.cookie["httponly"]
        assert browser.cookie["samesite"] == "lax"
        assert browser.cookie["path"] == "/"
        assert not browser.cookie["domain"]


class TestAuthorizationRequest:
    async def test_asks_for_a_code_with_an_s256_challenge_state_and_nonce(self, browser):
        query = query_of(await browser.leave())

        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        assert len(query["state"]) >= 43
        assert len(query["nonce"]) >= 43

    @pytest.mark.parametrize(
        ("part", "instead"),
        [
            ("code_challenge_method=S256", "code_challenge_method=plain"),
            (r"&code_challenge=[^&]+&code_challenge_method=S256", ""),
            ("response_type=code", "response_type=token"),
        ],
        ids=["plain-challenge", "no-challenge", "implicit"],
    )
    async def test_gets_no_code_from_keycloak_when_weakened(self, browser, part, instead):
        location = re.sub(part, instead, await browser.leave())

        async with browser.session.get(location, allow_redirects=False) as answer:
            assert answer.status in {302, 303, 400}
            back = answer.headers.get("Location", "?error=page").replace("#", "?")
            assert "error" in query_of(back)
            assert "code" not in query_of(back)

    async def test_is_answered_nowhere_else_than_at_the_registered_address(self, browser):
        location = (await browser.leave()).replace("sso%2Fcallback", "sso%2Fcallback%2F..%2Fevil")

        async with browser.session.get(location, allow_redirects=False) as answer:
            assert answer.status == 400

    async def test_leads_to_nowhere_that_the_query_names(self, browser):
        location = await browser.leave(
            redirect_uri="https://evil.example", returnTo="//evil.example"
        )

        assert query_of(location)["redirect_uri"].endswith("/v1/auth/sso/callback")
        assert "evil" not in location


class TestTenantHost:
    async def test_sends_browsers_to_the_host_that_keycloak_sends_them_back_to(self, start):
        async with start(domain="school.example", keycloak_poll=SELDOM_S) as house:
            answer = await house.http.get(
                "/v1/auth/sso/login",
                headers={"Host": "north.school.example"},
                allow_redirects=False,
            )
        home = house.process.runtime.settings.keycloak_redirect_uri.partition("/v1/")[0]

        assert answer.headers["Location"] == f"{home}/v1/auth/sso/login?tenant=north"
        assert "Set-Cookie" not in answer.headers


class TestOutage:
    async def test_answers_503_before_a_browser_leaves_for_nowhere(self, house):
        with away(house):
            answer = await house.http.get("/v1/auth/sso/login", allow_redirects=False)

        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) >= 1

    async def test_answers_503_to_a_return_which_is_good_once_it_is_over(self, house, browser):
        email, _ = await house.member()
        query = await browser.log_in(await browser.leave(), email)

        with away(house):
            assert (await browser.come_back(query)).status == 503
        assert (await browser.come_back(query)).status == 200

    async def test_keeps_nobody_from_logging_out_who_is_logged_out_there_later(
        self, house, browser
    ):
        email, _ = await house.member()
        tokens = await (await browser.sign_on(email)).json()

        with away(house):
            assert (await house.post("/v1/auth/logout", token=tokens["accessToken"])).status == 204
        await until(lambda: none_left(house))
        assert not await browser.is_logged_in()


class TestLogOut:
    async def test_ends_the_log_in_at_keycloak_too(self, house, browser):
        email, _ = await house.member()
        tokens = await (await browser.sign_on(email)).json()

        answer = await house.post("/v1/auth/logout", token=tokens["accessToken"])

        assert answer.status == 204
        assert not await browser.is_logged_in()

    async def test_everywhere_ends_the_log_in_at_keycloak_too(self, house, browser):
        email, _ = await house.member()
        tokens = await (await browser.sign_on(email)).json()

        answer = await house.http.delete(
            "/v1/account/sessions", headers={"Authorization": f"Bearer {tokens['accessToken']}"}
        )

        assert answer.status == 204
        assert not await browser.is_logged_in()

    async def test_at_keycloak_ends_the_session_here_and_no_other(self, house, browser, console):
        email, by_password = await house.member()
        tokens = await (await browser.sign_on(email)).json()
        claims = await house.claims(tokens["accessToken"])
        _, others = await house.member()

        sign_ons = house.process.runtime.extras["house"].sign_ons
        theirs = await sign_ons.unlink(claims["sid"])
        await sign_ons.link(claims["sid"], theirs)
        await house.process.runtime.extras["house"].issuer.end_session(theirs)

        await until(lambda: refused(house, tokens))
        assert (await house.refresh(tokens["refreshToken"])).status == 401
        assert (await house.refresh(by_password["refreshToken"])).status == 200
        assert (await house.refresh(others["refreshToken"])).status == 200
        assert "auth.logout:done" in house.audited(claims["sid"])

    async def test_everywhere_in_the_console_ends_the_session_here(self, house, browser, console):
        email, _ = await house.member()
        tokens = await (await browser.sign_on(email)).json()

        await console.users.end_sessions(await console.subject(email))

        await until(lambda: refused(house, tokens))

    @pytest.mark.parametrize("token", ["", "no token", "e30.e30.e30", "eyJhbGciOiJub25lIn0.e30."])
    async def test_is_not_believed_of_anybody_else(self, house, token):
        answer = await house.http.post(
            "/v1/auth/sso/backchannel-logout", data={"logout_token": token}
        )

        assert answer.status in {400, 422}


class TestOwnPassword:
    async def test_set_at_keycloak_ends_the_sessions_here(self, house, browser, console):
        email, tokens = await house.member()
        user_id = house.user_id(email)
        await console.users.put(
            await console.subject(email), {"requiredActions": ["UPDATE_PASSWORD"]}
        )
        _, _, text = await browser.page(await browser.leave())
        there = await browser.fill_in(text, username=email, password=PASSWORD)
        _, _, form = await browser.page(there)
        new = "another lantern over water"
        await browser.fill_in(form, **{"password-new": new, "password-confirm": new})

        await until(lambda: "identity.password.reset" in house.events(user_id))
        assert (await house.refresh(tokens["refreshToken"])).status == 401
        assert (await house.log_in(email, new)).status == 200


async def local_account(house):
    """Id and address of a verified account that Keycloak has never heard of, member of nothing."""
    account_id, email = new_id(), address()
    async with house.process.runtime.database.transaction("demo") as tx:
        await accounts.add_account(
            tx, account_id=account_id, email=email, display_name="Ana", locale="en",
            is_verified=True,
        )  # fmt: skip
    return account_id, email


async def subject_of(house, account_id):
    async with house.process.runtime.database.transaction(None) as tx:
        issuer = house.process.runtime.extras["house"].issuer.issuer
        return await links.find_subject(tx, issuer, account_id)


async def refused(house, tokens):
    """Whether identity takes an access token no more."""
    headers = {"Authorization": f"Bearer {tokens['accessToken']}"}
    return (await house.http.get("/v1/account/sessions", headers=headers)).status == 401


async def none_left(house):
    """Whether no log-in waits to be ended; the browser is not asked, which would keep its log-in in use."""
    return not await house.process.runtime.extras["house"].sign_ons.left()
