"""A small service of the tests' own on real servers: HTTP, gRPC, keys and a token store."""

from typing import Annotated
from uuid import UUID

import pytest
import pytest_asyncio
from fastapi import APIRouter, Request
from pydantic import EmailStr

from kourse.contracts.errors import Conflict, TooManyRequests
from kourse.contracts.permissions import Permission
from kourse.kit.auth import Actor, allow, internal, public, tenant_of
from kourse.kit.http import Body, View
from kourse.kit.runtime import CurrentRuntime
from support.client import Client, session_to
from support.redis_server import RedisServer
from support.serving import Identity, Service, running, serving, settings_of
from support.tokens import Issuer

router = APIRouter()


class Note(Body):
    first_word: str
    score: int
    email: EmailStr | None = None
    owner: UUID | None = None


class Seen(View):
    user_id: UUID
    tenant: str


@router.get("/v1/me")
async def me(actor: Annotated[Actor, allow(Permission.PROFILE_OWN)]) -> Seen:
    return Seen(user_id=actor.user_id, tenant=actor.tenant)


@router.get("/v1/members")
async def members(actor: Annotated[Actor, allow(Permission.MEMBERSHIP_MANAGE)]) -> Seen:
    return Seen(user_id=actor.user_id, tenant=actor.tenant)


@router.get("/v1/cohorts/{cohort}")
async def cohort(
    cohort: str, actor: Annotated[Actor, allow(Permission.COHORT_READ, scoped=True)]
) -> bool:
    return actor.holds(Permission.COHORT_READ, cohort=cohort)


@router.post("/v1/notes", status_code=201, dependencies=[public])
async def write(note: Note, request: Request) -> dict[str, str]:
    return {"word": note.first_word, "tenant": await tenant_of(request)}


@router.get("/v1/fail/{how}", dependencies=[public])
async def fail(how: str, runtime: CurrentRuntime) -> None:
    match how:
        case "conflict":
            raise Conflict("It is closed.", extensions={"closedAt": "noon"})
        case "slow-down":
            raise TooManyRequests(retry_after_s=1.2)
        case "redis":
            await runtime.cache.get("x")
        case _:
            raise RuntimeError("s3cret internals")


@router.get("/v1/inside", dependencies=[internal])
async def inside() -> str:
    return "for siblings"


module_wide = pytest_asyncio.fixture(scope="module", loop_scope="module")


@pytest.fixture(scope="session")
def issuer():
    return Issuer()


@pytest.fixture
async def identity(issuer):
    """Identity, which the test may take down."""
    fake = Identity(issuer)
    async with serving(fake.app) as fake.url:
        yield fake


@module_wide
async def shared_identity(issuer):
    fake = Identity(issuer)
    async with serving(fake.app) as fake.url:
        yield fake


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def tiny(shared_identity, redis):
    """The small service, with changed settings."""

    def service(**changes):
        settings = settings_of(
            "tiny",
            **{
                "jwks_url": f"{shared_identity.url}/.well-known/jwks.json",
                "identity_url": shared_identity.url,
                "client_secret": "s3cret",
                "token_store_url": redis.url,
                "cache_url": "redis://127.0.0.1:1/0",
                "domain": "kourse.test",
                **changes,
            },
        )
        return Service(settings, "tiny", [router], needs=frozenset({"keys"}))

    return service


@module_wide
async def service(tiny):
    async with running(tiny()) as process:
        yield process


@module_wide
async def http(service):
    async with session_to(f"http://127.0.0.1:{service.http_port}") as session:
        yield Client(session)
