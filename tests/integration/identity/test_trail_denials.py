"""Whoever is denied something, at the gateway or at a service, is found in the audit trail of identity."""

from typing import Annotated

import grpc
import pytest
import pytest_asyncio
from fastapi import APIRouter

from integration.identity.backends import LOCAL
from integration.identity.conftest import SECRETS, bearer
from kourse.contracts.errors import Forbidden
from kourse.contracts.permissions import Permission
from kourse.gateway.app import gateway
from kourse.gateway.settings import GatewaySettings
from kourse.kit.auth import Actor, allow
from kourse.kit.runtime import Service
from support.client import Client, session_to
from support.serving import running, settings_of
from support.waiting import until

router = APIRouter()
Learner = Annotated[Actor, allow(Permission.DASHBOARD_OWN)]


@router.get("/v1/test/{cohort}")
async def look(cohort: str, actor: Learner) -> None:
    """Nobody may look."""
    raise Forbidden(f"{actor.user_id} may not look at {cohort}.")


@pytest.fixture(scope="module")
def backend():
    """The trail does not depend on the credential store."""
    return LOCAL


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(start, scratch):
    """Identity that seals what it records."""
    async with start(worker_database_url=scratch.url("kourse_identity_worker")) as started:
        yield started


@pytest.fixture
def reaching(house):
    """Settings by which a program reaches identity."""

    def settings(client):
        port = house.process.http_port
        return {
            "port": 0,
            "token_issuer": "http://gateway.test",
            "jwks_url": f"http://127.0.0.1:{port}/.well-known/jwks.json",
            "identity_url": f"http://127.0.0.1:{port}",
            "identity_rpc_addr": f"127.0.0.1:{house.process.rpc_port}",
            "client_secret": SECRETS[client],
        }

    return settings


@pytest.fixture
def found(house):
    """Denials of a person, or of a program, in the trail: waits until there is one."""

    async def find(actor):
        query = (
            "SELECT source, target, detail, address FROM identity.audit_trail"
            " LEFT JOIN identity.audit_address USING (tenant, seq)"
            " WHERE actor = %s AND action = 'access.denied' AND tenant = 'demo' ORDER BY seq"
        )
        return await until(lambda: house.rows(query, str(actor)))

    return find


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def learner(house):
    email, tokens = await house.member()
    return house.user_id(email), bearer(tokens["accessToken"])


class TestDenial:
    async def test_at_the_gateway_is_in_the_trail(self, house, reaching, found):
        user_id, headers = await learner(house)
        settings = GatewaySettings(
            **reaching("gateway"), trusted_proxies=["127.0.0.0/8"], user_quota=1000
        )
        async with (
            running(gateway(settings)) as process,
            session_to(f"http://127.0.0.1:{process.http_port}") as session,
        ):
            http = Client(session)
            forwarded = headers | {"X-Forwarded-For": "203.0.113.5"}
            answer = await http.get("/v1/memberships?email=a%40b.example", headers=forwarded)
            assert answer.status == 403
            ((source, target, detail, address),) = await found(user_id)
        assert (source, target, address) == ("gateway", "GET /v1/memberships", "203.0.113.5")
        assert detail == {"route": "GET /v1/memberships", "code": "forbidden", "count": 1}

    async def test_at_a_service_is_in_the_trail_when_the_service_ends(self, house, reaching, found):
        user_id, headers = await learner(house)
        settings = settings_of("dashboard", **reaching("dashboard"))
        service = Service(settings=settings, title="Test", routers=[router], needs=frozenset())
        async with (
            running(service) as process,
            session_to(f"http://127.0.0.1:{process.http_port}") as session,
        ):
            http = Client(session)
            for cohort in ("autumn", "spring"):
                answer = await http.get(f"/v1/test/{cohort}", headers=headers)
                assert answer.status == 403
        told = await found(user_id)
        assert {row[0] for row in told} == {"dashboard"}
        assert told[0][1] == "GET /v1/test/autumn"
        assert sum(row[2]["count"] for row in told) == 2

    async def test_of_a_program_is_in_the_trail(self, house, found):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await house.contacts(client="dashboard")
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
        ((source, target, _, _),) = await found("service:dashboard")
        assert source == "identity"
        assert target.endswith("IdentityService/ListContacts")
