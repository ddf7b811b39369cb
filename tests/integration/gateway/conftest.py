"""The gateway before a service of the tests' own, with keys and a real Redis."""

import asyncio

import orjson
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route as Endpoint

from kourse.contracts.permissions import Permission
from kourse.gateway.app import gateway
from kourse.gateway.settings import GatewaySettings
from kourse.gateway.table import Route, RouteTable
from support.client import Client, session_to
from support.redis_server import RedisServer
from support.serving import Identity, running, serving
from support.tokens import Issuer

TABLE = RouteTable(
    [
        Route("GET", "/v1/public", "course", None),
        Route("POST", "/v1/public", "course", None),
        Route("GET", "/v1/courses/{course}", "course", Permission.CATALOGUE_READ),
        Route("GET", "/v1/cohorts/{cohort}/members", "course", Permission.COHORT_READ, scoped=True),
        Route("GET", "/v1/slow", "course", None),
        Route("GET", "/v1/plan", "course", None, patient=True),
        Route("GET", "/v1/events", "course", None, streams=True),
        Route("GET", "/v1/trickle", "course", None),
        Route("GET", "/v1/flood", "course", None, streams=True),
        Route("GET", "/v1/large", "course", None),
        Route("GET", "/v1/status/{status}", "course", None),
        Route("GET", "/v1/broken-off", "course", None),
        Route("GET", "/v1/absent", "profile", None),
        Route("GET", "/v1/unknown", "assessment", None),
    ]
)


class Upstream:
    """A service that tells what reached it, and misbehaves when asked to."""

    def __init__(self):
        self.forget()
        self.app = Starlette(
            routes=[
                Endpoint("/v1/slow", self._slow),
                Endpoint("/v1/plan", self._plan),
                Endpoint("/v1/events", self._events),
                Endpoint("/v1/trickle", self._events),
                Endpoint("/v1/flood", self._flood),
                Endpoint("/v1/large", self._large),
                Endpoint("/v1/status/{status:int}", self._status),
                Endpoint("/v1/broken-off", self._broken_off),
                Endpoint("/openapi.json", self._openapi),
                Endpoint("/{rest:path}", self._echo, methods=["GET", "POST", "DELETE"]),
            ]
        )

    def forget(self):
        """Begin anew."""
        self.release = asyncio.Event()
        self.left = asyncio.Event()
        self.asked = 0

    async def _echo(self, request):
        body = await request.body()
        self.asked += 1
        seen = {
            "method": request.method,
            "path": request.scope["raw_path"].decode(),
            "query": request.scope["query_string"].decode(),
            "headers": [[k.decode(), v.decode("latin-1")] for k, v in request.headers.raw],
            "bytes": len(body),
        }
        headers = {"server": "inner", "x-powered-by": "inner", "etag": '"1"'}
        return Response(orjson.dumps(seen), headers=headers, media_type="application/json")

    async def _slow(self, _request):
        self.asked += 1
        await self.release.wait()
        return Response("late")

    async def _plan(self, _request):
        """Answer after the time that other routes have."""
        await asyncio.sleep(1)
        return Response("planned")

    async def _events(self, _request):
        async def events():
            try:
                yield b"data: 1\n\n"
                await self.release.wait()
                yield b"data: 2\n\n"
            finally:
                self.left.set()

        return StreamingResponse(events(), media_type="text/event-stream")

    async def _flood(self, _request):
        async def events():
            try:
                while True:
                    yield b"data: " + b"x" * 65_536 + b"\n\n"
                    await asyncio.sleep(0)  # for the news that nobody listens any more
            finally:
                self.left.set()

        return StreamingResponse(events(), media_type="text/event-stream")

    async def _large(self, _request):
        async def parts():
            for _ in range(100):
                yield b"x" * 65_536

        return StreamingResponse(parts(), media_type="application/octet-stream")

    async def _status(self, request):
        self.asked += 1
        headers = {"retry-after": after} if (after := request.query_params.get("after")) else None
        return Response(status_code=request.path_params["status"], headers=headers)

    async def _broken_off(self, _request):
        async def parts():
            yield b"x" * 10
            raise OSError("gone")

        return StreamingResponse(parts(), headers={"content-length": "20"})

    async def _openapi(self, _request):
        operation = {"operationId": "course_read", "responses": {}}
        paths = {"/v1/public": {"get": operation}, "/v1/inner": {"get": operation}}
        return Response(orjson.dumps({"openapi": "3.1.0", "paths": paths}))


module_wide = pytest_asyncio.fixture(scope="module", loop_scope="module")


@pytest.fixture(scope="module")
def issuer():
    return Issuer()


@pytest.fixture(scope="module")
def shared_redis(tmp_path_factory):
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis(tmp_path):
    """A server that the test may stop."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


@module_wide
async def identity(issuer):
    fake = Identity(issuer)
    async with serving(fake.app) as fake.url:
        yield fake


@module_wide
async def shared_upstream():
    service = Upstream()
    async with serving(service.app) as service.url:
        yield service
        service.release.set()


@pytest.fixture
def upstream(shared_upstream):
    """The service, as if nobody had asked it before."""
    shared_upstream.forget()
    return shared_upstream


@pytest.fixture(scope="module")
def configured(identity, shared_redis, shared_upstream):
    """Settings, with changes."""

    def settings(**changes):
        return GatewaySettings(
            **{
                "port": 0,
                "token_issuer": "http://gateway.test",
                "jwks_url": f"{identity.url}/.well-known/jwks.json",
                "cache_url": shared_redis.url,
                "upstreams": {"course": shared_upstream.url, "profile": "http://127.0.0.1:1"},
                "domain": "kourse.test",
                # Long, but for the tests that wait for the end of one.
                "answer_timeout": "PT2M",
                "patient_timeout": "PT2M",
                "total_timeout": "PT2M",
                "user_quota": 10_000,
                "failure_quota": 10_000,
                **changes,
            }
        )

    return settings


@pytest.fixture
def start():
    """Runs a gateway of the test's own."""
    return lambda settings: running(gateway(settings, TABLE))


@module_wide
async def edge(configured):
    async with running(gateway(configured(), TABLE)) as process:
        yield process


@module_wide
async def http(edge):
    async with session_to(f"http://127.0.0.1:{edge.http_port}") as session:
        yield Client(session)
