"""Events of Keycloak are followed without loss, repetition or stall, also when some are gone."""

import asyncio
import time

import pytest
import pytest_asyncio

from integration.identity.backends import KEYCLOAK
from integration.identity.conftest import address
from integration.identity.realm import Console, EventTables
from kourse.identity.repository import accounts
from kourse.identity.repository.keycloak_events import KeycloakEvents
from kourse.identity.repository.keycloak_users import KeycloakUsers
from kourse.identity.service.keycloak_sync import OVERLAP, KeycloakSync
from kourse.kit.ids import new_id
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER = "another lantern over water"
SELDOM_S = 86_400


@pytest.fixture(scope="module", params=[KEYCLOAK], ids=["keycloak"])
def backend(request):
    """These tests are about Keycloak alone."""
    return request.param


class Follower:
    """Follows the realm when it is told to, instead of the one that runs every few seconds."""

    def __init__(self, house, keycloak):
        self.house = house
        self.console = Console(house)
        self.tables = EventTables(keycloak)

    async def ready(self):
        """The one that runs has had its only round."""
        issuer = self.console.users.issuer
        await until(
            lambda: self.house.rows(
                "SELECT 1 FROM identity.realm_progress WHERE issuer = %s AND part = 'users'", issuer
            )
        )
        return self

    def sync(self, page=100):
        events = KeycloakEvents(self.console.keycloak, page=page)
        users = KeycloakUsers(self.console.keycloak)
        return KeycloakSync(self.console.parts, users, events)

    async def disabled(self, count):
        """Ids of accounts that were disabled in the console, and of their users."""
        people = [(await self.house.member())[0] for _ in range(count)]
        subjects = [await self.console.subject(email) for email in people]
        for email in people:
            await self.console.disable(email)
        return [self.house.user_id(email) for email in people], subjects

    def told(self, user_ids):
        """How often it was told of each account that it is disabled."""
        return [self.house.events(one).count("identity.user.disabled") for one in user_ids]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def follower(start, keycloak):
    async with start(keycloak_poll=SELDOM_S) as house:
        yield await Follower(house, keycloak).ready()


class TestFollowing:
    async def test_misses_none_of_more_changes_than_a_page_holds(self, follower):
        changed, _ = await follower.disabled(4)

        await follower.sync(page=3).sweep()

        assert follower.told(changed) == [1] * 4

    async def test_misses_none_of_those_at_the_same_millisecond(self, follower):
        changed, subjects = await follower.disabled(4)
        follower.tables.date(int(time.time() * 1000), *subjects)
        assert follower.tables.about(*subjects) > 3

        await follower.sync(page=2).sweep()

        assert follower.told(changed) == [1] * 4

    async def test_deals_with_an_event_that_shows_later_than_newer_ones(self, follower):
        changed, _ = await follower.disabled(1)
        behind = OVERLAP.total_seconds() / 2
        await follower.sync().sweep()
        late, their_subjects = await follower.disabled(1)
        follower.tables.date(int((time.time() - behind) * 1000), *their_subjects)

        await follower.sync().sweep()

        assert follower.told([*changed, *late]) == [1, 1]

    async def test_does_everything_once_however_many_read_it_however_often(self, follower):
        house, console = follower.house, follower.console
        email, _ = await house.member()
        await console.reset_password(email, OTHER)

        await asyncio.gather(*(follower.sync().sweep() for _ in range(4)))
        await follower.sync().sweep()

        assert house.events(house.user_id(email)).count("identity.password.reset") == 1

    async def test_finds_what_the_platform_did_itself_done(self, follower):
        house = follower.house
        email, tokens = await house.member()
        user_id = house.user_id(email)
        before = house.events(user_id)

        await follower.sync().sweep()

        assert house.events(user_id) == before
        assert (await house.refresh(tokens["refreshToken"])).status == 200

    async def test_catches_up_with_what_happened_while_identity_was_down(self, follower, start):
        changed, _ = await follower.disabled(2)

        async with start(keycloak_poll=0.5):
            await until(lambda: follower.told(changed) == [1, 1])

    async def test_makes_up_for_lost_events_by_comparing_all_users(self, follower):
        house, console = follower.house, follower.console
        changed, subjects = await follower.disabled(1)
        gone, _ = await house.member()
        gone_id, gone_subject = house.user_id(gone), await console.subject(gone)
        await console.users.remove(gone_subject)
        follower.tables.clear(*subjects, gone_subject)
        await follower.sync().sweep()
        assert follower.told(changed) == [0]

        await follower.sync().compare()

        assert follower.told(changed) == [1]
        assert "identity.user.deleted" in house.events(gone_id)

    async def test_lets_nobody_wait_for_somebody_who_cannot_follow(self, follower):
        house, console = follower.house, follower.console
        taken = await alone(house)
        first, _ = await house.member()
        await console.move(first, taken)
        changed, _ = await follower.disabled(1)

        await follower.sync().sweep()

        assert follower.told(changed) == [1]
        assert house.user_id(first) != house.user_id(taken)

    async def test_takes_no_address_over_that_nobody_has_verified(self, follower):
        house, console = follower.house, follower.console
        email, _ = await house.member()

        await console.move(email, address(), is_verified=False)
        await follower.sync().sweep()

        assert house.user_id(email)

    async def test_shuts_the_last_administrator_of_a_tenant_out_and_keeps_them(self, follower):
        house, console = follower.house, follower.console
        email, tokens = await house.member()
        user_id = house.user_id(email)
        lead(house, user_id, "lonely")

        await console.users.remove(await console.subject(email))
        await follower.sync().sweep()

        assert house.user_id(email) == user_id
        assert follower.told([user_id]) == [2], "in each tenant"
        assert (await house.refresh(tokens["refreshToken"])).status == 401


async def alone(house):
    """The address of an account that Keycloak has never heard of."""
    email = address()
    async with house.process.runtime.database.transaction("demo") as tx:
        await accounts.add_account(
            tx, account_id=new_id(), email=email, display_name="Ana", locale="en", is_verified=True
        )
    return email


def lead(house, user_id, tenant):
    """The account alone administers a tenant."""
    house.database.execute(
        "INSERT INTO identity.membership (tenant, user_id, status) VALUES (%s, %s, 'active')",
        (tenant, user_id),
    )
    house.database.execute(
        "INSERT INTO identity.role_assignment (id, tenant, user_id, role) VALUES (%s, %s, %s, %s)",
        (new_id(), tenant, user_id, "tenant-admin"),
    )
