"""Events that a consumer misses come from their producer's archive, between two services as they run."""

from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from support.events import Effects, emit_joined
from support.serving import Identity, Service, running, serving, settings_of
from support.tokens import Issuer
from support.waiting import until

SWALLOW = "UPDATE profile.outbox SET published_at = now() WHERE entity = %s AND seq BETWEEN 4 AND 9"


def refetched():
    return REGISTRY.get_sample_value("kourse_inbox_refetched_total", {"consumer": "course"}) or 0


@pytest.fixture
def platform(schemas, broker_url):
    """Profile with its relay and its archive, and course, which takes its events."""

    @asynccontextmanager
    async def made(effects):
        issuer = Issuer()
        async with serving(Identity(issuer).app) as identity:

            def service(name, handlers=None, **more):
                settings = settings_of(
                    name,
                    jwks_url=f"{identity}/.well-known/jwks.json",
                    identity_url=identity,
                    client_secret="s3cret",
                    broker_url=broker_url,
                    database_url=schemas.url(f"kourse_{name}"),
                    worker_database_url=schemas.url(f"kourse_{name}_worker"),
                    **more,
                )
                return running(Service(settings, name, handlers=handlers))

            async with service("profile") as profile:
                address = f"127.0.0.1:{profile.rpc_port}"
                takes = {"profile_rpc_addr": address, "gap_s": 0.1}
                async with service("course", effects.handlers, **takes):
                    yield

    return made


class TestGap:
    async def test_is_closed_over_grpc_by_the_service_that_owns_the_events(
        self, platform, profile, admin
    ):
        cohort, effects, before = uuid4(), Effects(), refetched()
        await emit_joined(profile, cohort, range(1, 21))
        admin.execute(SWALLOW, (str(cohort),))
        async with platform(effects):
            await until(lambda: len(effects.numbers(cohort)) >= 20)
        assert effects.numbers(cohort) == list(range(1, 21))
        assert refetched() == before + 6
