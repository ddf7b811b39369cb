"""Identity on real servers: its own database, the durable token store, real HTTP and gRPC."""

import hashlib
import json
import os
import secrets
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import grpc.aio
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import KeySet

from hack.stack.layout import Layout
from hack.stack.lifecycle import ensure, stop
from hack.stack.profiles import Profile
from hack.stack.site import Site
from integration.identity.backends import BACKENDS
from kourse.identity.__main__ import service as identity_service
from kourse.identity.domain import totp
from kourse.identity.settings import IdentitySettings
from kourse_rpc.identity.v1 import identity_pb2, identity_pb2_grpc
from support.client import Client, session_to
from support.redis_server import free_port
from support.serving import running

PASSWORD = "lantern over quiet water"
ADMIN = ("admin@kourse.example", "an administrator's secret")
SECRETS = {name: f"{name}'s secret" for name in ("notification", "dashboard", "gateway")}


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Signing key and clients, as the installer writes them."""
    directory = tmp_path_factory.mktemp("identity")
    key = ec.generate_private_key(ec.SECP256R1())
    (directory / "signing.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (directory / "data-key").write_bytes(secrets.token_bytes(32))
    clients = {
        name: {
            "secretSha256": hashlib.sha256(secret.encode()).hexdigest(),
            "audiences": ["identity", "course"],
        }
        for name, secret in SECRETS.items()
    }
    (directory / "clients.json").write_text(json.dumps(clients))
    return directory


@pytest.fixture(scope="module", params=BACKENDS, ids=lambda backend: backend.name)
def backend(request):
    """The credential store that a module's tests run on; each test runs on every one there is.

    A module about one store alone overrides this fixture.
    """
    return request.param


@pytest.fixture(scope="session")
def keycloak(tmp_path_factory):
    """The site of a Keycloak with its own PostgreSQL, up once for the run.

    It goes down with the run, unless ``KOURSE_TEST_STATE`` names a directory to keep it in.
    """
    kept = os.environ.get("KOURSE_TEST_STATE")
    state = Path(kept) / "keycloak" if kept else tmp_path_factory.mktemp("keycloak")
    try:
        ensure(state, Profile.KEYCLOAK)
        yield Site.load(Layout(state.absolute()))
    finally:
        if not kept:
            stop(state)


@pytest.fixture(scope="module")
def scratch(servers, backend):
    """A database for each store: an account that one of them made is none of the other's."""
    del backend
    with servers.scratch_database() as database:
        yield database


@pytest.fixture(scope="module")
def start(request, scratch, servers, files, backend):
    """Starts identity with changed settings: ``async with start(refresh_grace=…) as house``."""

    @asynccontextmanager
    async def started(**changes):
        port = changes.get("port") or free_port()
        values = {
            "port": port,
            "rpc_port": 0,
            "database_url": scratch.url("kourse_identity"),
            "token_store_url": servers.endpoints.token_store_url,
            "token_issuer": "http://gateway.test",
            "jwks_url": f"http://127.0.0.1:{port}/.well-known/jwks.json",
            "signing_key_file": files / "signing.pem",
            "clients_file": files / "clients.json",
            "bootstrap_admin_email": ADMIN[0],
            "bootstrap_admin_password": ADMIN[1],
            "hash_memory_kib": 8,
            "hash_iterations": 1,
            "hash_queue": 500,
            "refresh_grace": timedelta(minutes=10),
            "data_key_file": files / "data-key",
            **backend.settings(request),
            **changes,
        }
        settings = IdentitySettings(**values)
        async with (
            running(identity_service(settings)) as process,
            session_to(f"http://127.0.0.1:{process.http_port}") as session,
        ):
            with scratch.admin() as database:
                yield House(process, Client(session), database)

    return started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(start):
    """Identity as it is by default, but for cheap hashes; one for a module's tests."""
    async with start() as started:
        yield started


@dataclass
class House:
    """A running identity and what tests do with it."""

    process: Any
    http: Client
    database: Any

    @property
    def store(self):
        return self.process.runtime.token_store

    def rows(self, query, *values):
        """Rows of a query that no policy binds."""
        return self.database.execute(query, values).fetchall()

    async def post(self, path, body=None, *, token=None, **headers):
        return await self.http.post(path, json=body, headers=bearer(token) | headers)

    async def register(self, email, password=PASSWORD, **more):
        body = {"email": email, "password": password, "displayName": "Ana Lindqvist", **more}
        return await self.post("/v1/auth/register", body)

    async def verify(self, email, code):
        return await self.post("/v1/auth/verify-email", {"email": email, "code": code})

    async def log_in(self, email, password=PASSWORD, *, agent="tests", **more):
        body = {"email": email, "password": password, **more}
        return await self.post("/v1/auth/login", body, **{"User-Agent": agent})

    async def refresh(self, token, *, agent="tests"):
        body = {"refreshToken": token}
        return await self.post("/v1/auth/refresh", body, **{"User-Agent": agent})

    async def member(self, **more):
        """Address and tokens of somebody registered, verified and logged in."""
        email = address()
        await self.register(email, **more)
        code = (await self.redeem(self.delivery(email), more.get("tenant", "demo"))).secret
        assert (await self.verify(email, code)).status == 204
        return email, await self.tokens(email, tenant=more.get("tenant"))

    async def tokens(self, email, password=PASSWORD, **more):
        answer = await self.log_in(email, password, **more)
        assert answer.status == 200, await answer.text()
        return await answer.json()

    async def disable(self, email):
        """The account is disabled, in the credential store too."""
        path = f"/v1/accounts/{self.user_id(email)}/status"
        headers = bearer(await self.admin())
        answer = await self.http.put(path, json={"status": "disabled"}, headers=headers)
        assert answer.status == 204

    async def admin(self):
        """An access token of the first administrator."""
        return (await self.tokens(*ADMIN))["accessToken"]

    def user_id(self, email):
        ((found,),) = self.rows("SELECT id FROM identity.account WHERE email = %s", email)
        return found

    def delivery(self, email):
        """The newest delivery that an address waits for."""
        return self.rows(
            "SELECT d.id FROM identity.delivery d JOIN identity.account a ON a.id = d.account_id"
            " WHERE a.email = %s ORDER BY d.requested_at DESC LIMIT 1",
            email,
        )[0][0]

    def events(self, user_id):
        """Types of a user's events, in their order."""
        found = self.rows(
            "SELECT type FROM identity.outbox WHERE entity = %s ORDER BY id", str(user_id)
        )
        return [name for (name,) in found]

    def audited(self, target):
        found = self.rows(
            "SELECT action, outcome FROM identity.audit_entry WHERE target = %s ORDER BY id",
            str(target),
        )
        return [f"{action}:{outcome}" for action, outcome in found]

    async def redeem(self, delivery_id, tenant="demo", *, client="notification"):
        """What the mail service gets for a delivery."""
        request = identity_pb2.RedeemDeliveryRequest(tenant=tenant, delivery_id=str(delivery_id))
        return await self.call("RedeemDelivery", request, client=client)

    async def contacts(self, *user_ids, tenant="demo", client="notification"):
        request = identity_pb2.ListContactsRequest(
            tenant=tenant, user_ids=[str(one) for one in user_ids]
        )
        return list((await self.call("ListContacts", request, client=client)).contacts)

    async def call(self, method, request, *, client):
        """A remote call with the token that identity gives this client, or none."""
        metadata = []
        if client is not None:
            token = (await (await self.service_token(client)).json())["access_token"]
            metadata = [("authorization", f"Bearer {token}")]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self.process.rpc_port}") as channel:
            stub = identity_pb2_grpc.IdentityServiceStub(channel)
            return await getattr(stub, method)(request, timeout=60, metadata=metadata)

    async def service_token(self, client, audience="identity", secret=None, **more):
        form = {"grant_type": "client_credentials", "audience": audience, **more}
        from aiohttp import encode_basic_auth

        login = encode_basic_auth(client, secret or SECRETS.get(client, "unknown"))
        return await self.http.post("/v1/auth/token", data=form, headers={"Authorization": login})

    async def claims(self, token):
        """What a token says, verified with the published keys."""
        keys = await (await self.http.get("/.well-known/jwks.json")).json()
        return jwt.decode(token, KeySet.import_key_set(keys), ["ES256"]).claims


def address():
    """An address that no other test uses."""
    return f"{secrets.token_hex(6)}@school.example"


async def with_code(secret, ask, *, is_right, ahead=0):
    """The answer to a code of the present time step that was still good when the answer came.

    Stores take a code until the end of the step after its own: a refusal that comes later says nothing, and is
    asked for again with the next code. A code that is one step ahead is good too, and was not used before.
    """
    while True:
        step = totp.step_at(time.time())
        answer = await ask(totp.code_at(secret, step + ahead))
        if is_right(answer) or totp.step_at(time.time()) <= step + 1:
            return answer


def bearer(token):
    return {"Authorization": f"Bearer {token}"} if token else {}


def body_of(text):
    return json.loads(text)


NO_GRACE = timedelta(0)
NOBODY = UUID(int=1)
__all__ = ["ADMIN", "NOBODY", "NO_GRACE", "PASSWORD", "address", "bearer", "uuid4"]
