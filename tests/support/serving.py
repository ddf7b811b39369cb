"""Services in the tests' own loop, on free ports, behind real HTTP and gRPC servers."""

from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from kourse.kit.runtime import Process, Service
from kourse.kit.runtime.http_server import HttpServer
from kourse.kit.settings import ServiceSettings


@asynccontextmanager
async def running(service, *, wait=True):
    """The process of a service, stopped afterwards."""
    process = Process(service)
    await process.start()
    try:
        if wait:
            await process.started()
        yield process
    finally:
        await process.stop()


@asynccontextmanager
async def serving(app):
    """Address of an ASGI application."""
    server = HttpServer(app, drain_s=1)
    await server.start("127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        await server.stop()


class Identity:
    """Key document and service tokens, as identity offers them."""

    def __init__(self, issuer):
        self.issuer = issuer
        self.is_down = False
        self.asked = 0
        self.app = Starlette(
            routes=[
                Route("/.well-known/jwks.json", self._jwks),
                Route("/v1/auth/token", self._token, methods=["POST"]),
            ]
        )

    async def _jwks(self, _request):
        return Response(self.issuer.jwks(), 503 if self.is_down else 200)

    async def _token(self, request):
        import base64

        import orjson

        self.asked += 1
        client, _, secret = (
            base64.b64decode(request.headers["authorization"].split()[1]).decode().partition(":")
        )
        form = await request.form()
        if self.is_down or secret != "s3cret":
            return Response(status_code=503 if self.is_down else 401)
        token = self.issuer.service_token(client, form["audience"])
        body = {"access_token": token, "expires_in": 300, "token_type": "Bearer"}
        return Response(orjson.dumps(body), media_type="application/json")


def settings_of(name, **values):
    """Settings of a service that exists only in a test."""
    made = type(f"{name.title()}Settings", (ServiceSettings,), {}, service=name)
    return made(**{"port": 0, "token_issuer": "http://gateway.test", **values})


__all__ = ["Identity", "Service", "running", "serving", "settings_of"]
