"""A service of ours on real servers, with people who call it."""

from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from support.client import Client, session_to
from support.serving import Identity, running, serving
from support.tokens import Issuer

LEARNER = UUID(int=7)
OTHER_LEARNER = UUID(int=8)


class House:
    """A running service and how people call it."""

    def __init__(self, process, client, issuer):
        self.process = process
        self.runtime = process.runtime
        self._client = client
        self.issuer = issuer

    async def call(
        self, method, path, body=None, *, key=None, if_match=None, who=LEARNER, **claims
    ):
        """The answer to a call by a person with these claims; ``who=None`` sends no token."""
        sent = {"idempotency-key": key, "if-match": if_match}
        headers = {name: value for name, value in sent.items() if value is not None}
        if who is not None:
            token = self.issuer.token(sub=str(who), **claims)
            headers["authorization"] = f"Bearer {token}"
        response = await self._client.request(method, path, json=body, headers=headers)
        is_json = "json" in response.headers.get("content-type", "")
        return Answer(
            response.status, await response.json(content_type=None) if is_json else None, response
        )

    async def fetch(self, path, **headers):
        """The answer to a program that has an address and no token; its body is text."""
        response = await self._client.request("GET", path, headers=headers)
        return Answer(response.status, await response.text(), response)

    async def get(self, path, **how):
        return await self.call("GET", path, **how)

    async def post(self, path, body=None, **how):
        return await self.call("POST", path, body, **how)

    async def put(self, path, body=None, **how):
        return await self.call("PUT", path, body, **how)

    async def patch(self, path, body=None, **how):
        return await self.call("PATCH", path, body, **how)

    async def delete(self, path, **how):
        return await self.call("DELETE", path, **how)


class Answer:
    """What came back."""

    def __init__(self, status, body, response):
        self.status = status
        self.body = body
        self.headers = response.headers

    @property
    def code(self):
        """The problem's code."""
        return self.body["code"]


def new_key():
    """An idempotency key."""
    return str(uuid4())


@asynccontextmanager
async def open_house(make_service, settings, scratch, servers, **changes):
    """Runs a service with its own schema of the scratch database and a fake identity.

    Args:
        make_service: ``service(settings) -> Service``.
        settings: Its settings class.
        scratch: The database.
        servers: The infrastructure.
        changes: Settings that differ.
    """
    issuer = Issuer()
    identity = Identity(issuer)
    name, at = settings.service, servers.endpoints
    async with serving(identity.app) as url:
        values = {
            "port": 0,
            "rpc_port": 0,
            "database_url": scratch.url(f"kourse_{name}"),
            "worker_database_url": scratch.url(f"kourse_{name}_worker"),
            "token_issuer": issuer.issuer,
            "jwks_url": f"{url}/.well-known/jwks.json",
            "identity_url": url,
            "client_secret": "s3cret",
            "token_store_url": at.token_store_url,
            "cache_url": at.cache_url,
            "s3_endpoint": at.s3_endpoint,
            "s3_region": at.s3_region,
            "s3_access_key": at.s3_access_key,
            "s3_secret_key": at.s3_secret_key,
            "bucket_prefix": f"t{uuid4().hex[:10]}",
            **changes,
        }
        async with (
            running(make_service(settings(**values))) as process,
            session_to(f"http://127.0.0.1:{process.http_port}") as session,
        ):
            yield House(process, Client(session), issuer)
