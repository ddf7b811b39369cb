"""What somebody does in Keycloak's console reaches the platform."""

import pytest
import pytest_asyncio

from integration.identity.backends import KEYCLOAK
from integration.identity.conftest import address
from integration.identity.realm import Console
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER = "another lantern over water"
SELDOM_S = 86_400


@pytest.fixture(scope="module", params=[KEYCLOAK], ids=["keycloak"])
def backend(request):
    """These tests are about Keycloak alone."""
    return request.param


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(start):
    """Identity that looks for events more often than it would."""
    async with start(keycloak_poll=0.5) as started:
        yield started


@pytest.fixture
def console(house):
    return Console(house)


class TestConsole:
    async def test_disables_an_account_and_ends_its_sessions(self, house, console):
        email, tokens = await house.member()
        user_id = house.user_id(email)

        await console.disable(email)

        await until(lambda: "identity.user.disabled" in house.events(user_id))
        assert (await house.refresh(tokens["refreshToken"])).status == 401
        await until(lambda: refuses(house, tokens))

    async def test_enables_an_account_again(self, house, console):
        email, _ = await house.member()
        user_id = house.user_id(email)
        await console.disable(email)
        await until(lambda: "identity.user.disabled" in house.events(user_id))

        await console.enable(email)

        await until(lambda: "identity.user.enabled" in house.events(user_id))
        assert (await house.log_in(email)).status == 200

    async def test_deletes_an_account_and_ends_its_sessions(self, house, console):
        email, tokens = await house.member()
        user_id = house.user_id(email)

        await console.users.remove(await console.subject(email))

        await until(lambda: "identity.user.deleted" in house.events(user_id))
        assert not house.rows("SELECT 1 FROM identity.account WHERE email = %s", email)
        assert (await house.refresh(tokens["refreshToken"])).status == 401

    async def test_moves_an_account_to_another_address(self, house, console):
        email, _ = await house.member()
        user_id, moved = house.user_id(email), address()

        await console.move(email, moved)

        await until(lambda: "identity.email.changed" in house.events(user_id))
        assert house.user_id(moved) == user_id
        assert (await house.log_in(moved)).status == 200

    async def test_ends_sessions_when_it_sets_a_password(self, house, console):
        email, tokens = await house.member()
        user_id = house.user_id(email)

        await console.reset_password(email, OTHER)

        await until(lambda: "identity.password.reset" in house.events(user_id))
        assert "auth.reset-password:done" in house.audited(user_id)
        assert (await house.refresh(tokens["refreshToken"])).status == 401
        assert (await house.log_in(email, OTHER)).status == 200

    async def test_leaves_the_service_account_nothing_but_users_and_events(self, console):
        for path in ("clients", "roles", "components"):
            answer = await console.keycloak._send(
                "GET",
                f"{console.keycloak.realm.admin}/{path}",
                headers={"authorization": f"Bearer {await console.keycloak._own_token()}"},
            )
            assert answer.status == 403


async def refuses(house, tokens):
    """Whether identity takes an access token no more."""
    headers = {"Authorization": f"Bearer {tokens['accessToken']}"}
    return (await house.http.get("/v1/account/sessions", headers=headers)).status == 401
