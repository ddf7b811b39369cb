"""What people meet while Keycloak is away: a clear answer, nothing half done, and all of it mended after."""

import pytest
import pytest_asyncio

from integration.identity.backends import KEYCLOAK
from integration.identity.conftest import PASSWORD, address, bearer
from support.proxy import proxied

pytestmark = pytest.mark.asyncio(loop_scope="module")
OTHER = "a different long secret"


@pytest.fixture(scope="module", params=[KEYCLOAK], ids=lambda backend: backend.name)
def backend(request):
    return request.param


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def through(keycloak, start):
    """A proxy before Keycloak, and an identity that reaches it through the proxy alone."""
    async with (
        proxied(keycloak.url("keycloak")) as (proxy, url),
        start(keycloak_url=str(url)) as house,
    ):
        yield proxy, house


@pytest.fixture
def house(through):
    return through[1]


@pytest_asyncio.fixture(loop_scope="module")
async def away(through):
    """Takes Keycloak away until ``mend``; it is back after the test in any case."""
    proxy, _ = through
    yield proxy
    await proxy.cut()
    await proxy.mend()


async def is_refused(answer):
    """Whether the answer is the problem that says: not now, come back then."""
    problem = await answer.json()
    return (
        answer.status == 503
        and answer.headers["content-type"].startswith("application/problem+json")
        and int(answer.headers["retry-after"]) > 0
        and problem["code"] == "unavailable"
        and "keycloak" not in str(problem).lower()
    )


class TestLogIn:
    async def test_is_refused_for_now_and_counts_as_no_failure(self, house, away):
        email, _ = await house.member()
        await away.cut()

        answers = [await house.log_in(email) for _ in range(6)]

        assert all([await is_refused(answer) for answer in answers])
        await away.mend()
        assert (await house.log_in(email)).status == 200

    async def test_goes_on_for_whoever_is_in(self, house, away):
        _, tokens = await house.member()
        await away.cut()

        refreshed = await house.refresh(tokens["refreshToken"])

        assert refreshed.status == 200
        account = await house.http.get(
            "/v1/account", headers=bearer((await refreshed.json())["accessToken"])
        )
        assert account.status == 200


class TestRegister:
    async def test_writes_nothing_and_works_later(self, house, away):
        email = address()
        await away.cut()

        assert await is_refused(await house.register(email))

        for table in ("account", "delivery", "membership", "outbox", "audit_entry"):
            assert email not in str(house.rows(f"SELECT t.* FROM identity.{table} t"))
        await away.mend()
        assert (await house.register(email)).status == 202
        code = (await house.redeem(house.delivery(email))).secret
        assert (await house.verify(email, code)).status == 204
        assert (await house.log_in(email)).status == 200


class TestVerifyEmail:
    async def test_keeps_the_code_good(self, house, away):
        email = address()
        await house.register(email)
        code = (await house.redeem(house.delivery(email))).secret
        await away.cut()

        assert await is_refused(await house.verify(email, code))

        await away.mend()
        assert (await house.log_in(email)).status == 403
        assert (await house.verify(email, code)).status == 204
        assert (await house.log_in(email)).status == 200


class TestResetPassword:
    async def test_keeps_link_password_and_sessions_good(self, house, away):
        email, tokens = await house.member()
        await house.post("/v1/auth/request-password-reset", {"email": email})
        token = (await house.redeem(house.delivery(email))).secret
        body = {"token": token, "password": OTHER}
        await away.cut()

        assert await is_refused(await house.post("/v1/auth/reset-password", body))

        await away.mend()
        assert (await house.log_in(email)).status == 200
        assert (await house.refresh(tokens["refreshToken"])).status == 200
        assert (await house.post("/v1/auth/reset-password", body)).status == 204
        assert (await house.log_in(email, OTHER)).status == 200


class TestDisable:
    async def test_changes_nothing_and_works_later(self, house, away):
        email, tokens = await house.member()
        token = await house.admin()
        path = f"/v1/accounts/{house.user_id(email)}/status"
        before = house.events(house.user_id(email))
        await away.cut()

        async def disable():
            return await house.http.put(path, json={"status": "disabled"}, headers=bearer(token))

        assert await is_refused(await disable())

        assert house.events(house.user_id(email)) == before
        account = await house.http.get("/v1/account", headers=bearer(tokens["accessToken"]))
        assert account.status == 200
        await away.mend()
        assert (await disable()).status == 204
        assert (await house.log_in(email)).status == 401


class TestDelete:
    async def test_changes_nothing_and_works_later(self, house, away):
        email, tokens = await house.member()
        user_id, token = house.user_id(email), await house.admin()
        path = f"/v1/accounts/{user_id}"
        await away.cut()

        assert await is_refused(await house.http.delete(path, headers=bearer(token)))

        assert house.user_id(email) == user_id
        assert "identity.user.deleted" not in house.events(user_id)
        await away.mend()
        assert (await house.log_in(email, PASSWORD)).status == 200
        assert (await house.http.delete(path, headers=bearer(token))).status == 204
        assert (await house.refresh(tokens["refreshToken"])).status == 401
