"""Events that a consumer misses, fetched from their producer over real gRPC."""

from uuid import uuid4

import pytest

from kourse.contracts.errors import Unavailable
from kourse.kit import archive
from kourse.kit.db import Database
from kourse.kit.delivery import event_of
from kourse.kit.rpc.archive import RpcArchive
from support.events import TENANT, emit_joined
from support.serving import Service, running, settings_of

MANY = archive.PAGE + 3


@pytest.fixture
async def producer(identity, scratch):
    settings = settings_of(
        "profile",
        jwks_url=f"{identity.url}/.well-known/jwks.json",
        database_url=scratch.url("kourse_profile"),
    )
    async with running(Service(settings, "profile")) as process:
        yield process


@pytest.fixture
async def missing(identity, producer):
    """Opens the archive as a service sees it."""

    async def fetch(service, tenant, entity, *between, stream="group"):
        settings = settings_of(
            service,
            identity_url=identity.url,
            client_secret="s3cret",
            profile_rpc_addr=f"127.0.0.1:{producer.rpc_port}",
        )
        async with running(Service(settings, service)) as process:
            return await RpcArchive(process.runtime).fetch(tenant, stream, str(entity), *between)

    return fetch


@pytest.fixture
async def cohort(scratch):
    """A cohort of which more is told than a page holds."""
    id_ = uuid4()
    database = Database(scratch.url("kourse_profile"), "profile")
    await emit_joined(database, id_, range(1, MANY + 1))
    await database.close()
    return id_


class TestFetch:
    async def test_gives_what_lies_between_two_numbers_in_order(self, missing, cohort):
        found = await missing("course", TENANT, cohort, 3, 7)
        assert [arrival.delivery.seq for arrival in found] == [4, 5, 6]

    async def test_gives_events_as_they_were_on_the_wire(self, missing, cohort):
        (arrival,) = await missing("course", TENANT, cohort, 1, 3)
        event = event_of(arrival.delivery, arrival.body)
        assert (event.cohort_id, event.cohort) == (cohort, "n2")
        assert arrival.delivery.tenant == TENANT

    async def test_gives_a_page_that_begins_where_asked(self, missing, cohort):
        first = await missing("course", TENANT, cohort, 0, MANY + 1)
        assert [arrival.delivery.seq for arrival in first] == list(range(1, archive.PAGE + 1))
        rest = await missing("course", TENANT, cohort, archive.PAGE, MANY + 1)
        assert [arrival.delivery.seq for arrival in rest] == list(range(archive.PAGE + 1, MANY + 1))

    async def test_gives_nothing_of_another_tenants_entity(self, missing, cohort):
        assert await missing("course", "north", cohort, 0, 10) == []

    async def test_is_refused_to_who_does_not_take_the_stream(self, missing, cohort):
        with pytest.raises(Unavailable):
            await missing("dashboard", TENANT, cohort, 0, 10)

    async def test_is_refused_for_a_stream_that_does_not_exist(self, missing, cohort):
        with pytest.raises(ValueError, match="weather"):
            await missing("course", TENANT, cohort, 0, 10, stream="weather")
