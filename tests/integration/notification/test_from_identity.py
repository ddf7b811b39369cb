"""From a registration to the mails that follow: both services, the broker and the mail sink, all real."""

import hashlib
import json
import re
import secrets

import aiohttp
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kourse.identity.__main__ import service as identity_service
from kourse.identity.settings import IdentitySettings
from kourse.notification.__main__ import service as notification_service
from kourse.notification.settings import NotificationSettings
from support.redis_server import free_port
from support.serving import running
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSWORD = "lantern over quiet water"
ADMIN = {"email": "admin@kourse.example", "password": "an administrator's secret"}
SECRET = "notification's client secret"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(scratch, servers, broker_url, tmp_path_factory):
    """Addresses of identity and notification, which know each other."""
    directory = tmp_path_factory.mktemp("platform")
    key = ec.generate_private_key(ec.SECP256R1())
    (directory / "signing.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    clients = {"notification": {"secretSha256": digest, "audiences": ["identity"]}}
    (directory / "clients.json").write_text(json.dumps(clients))
    port, rpc_port = free_port(), free_port()
    shared = {
        "broker_url": broker_url,
        "token_store_url": servers.endpoints.token_store_url,
        "token_issuer": "http://gateway.test",
        "jwks_url": f"http://127.0.0.1:{port}/.well-known/jwks.json",
        "identity_url": f"http://127.0.0.1:{port}",
    }
    identity = IdentitySettings(
        port=port,
        rpc_port=rpc_port,
        database_url=scratch.url("kourse_identity"),
        worker_database_url=scratch.url("kourse_identity_worker"),
        signing_key_file=directory / "signing.pem",
        clients_file=directory / "clients.json",
        bootstrap_admin_email=ADMIN["email"],
        bootstrap_admin_password=ADMIN["password"],
        hash_memory_kib=8,
        hash_iterations=1,
        **shared,
    )
    notification = NotificationSettings(
        port=0,
        database_url=scratch.url("kourse_notification"),
        worker_database_url=scratch.url("kourse_notification_worker"),
        identity_rpc_addr=f"127.0.0.1:{rpc_port}",
        client_secret=SECRET,
        smtp_host=servers.endpoints.smtp_host,
        smtp_port=servers.endpoints.smtp_port,
        smtp_starttls=False,
        sender_poll_s=0.1,
        **shared,
    )
    async with (
        running(identity_service(identity)) as first,
        running(notification_service(notification)) as second,
    ):
        yield f"http://127.0.0.1:{first.http_port}", f"http://127.0.0.1:{second.http_port}"


@pytest_asyncio.fixture(loop_scope="module")
async def web():
    async with aiohttp.ClientSession() as session:
        yield session


async def mails(web, servers, email, count):
    """The mails of an address, once there are so many."""

    async def enough():
        async with web.get(servers.endpoints.mail_url, params={"to": email}) as answer:
            found = await answer.json()
        return found if len(found) >= count else None

    return await until(enough)


async def post(web, address, body, expected, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with web.post(address, json=body, headers=headers) as answer:
        assert answer.status == expected, await answer.text()
        return await answer.json() if expected in {200, 201} else None


class TestRegistration:
    async def test_ends_with_a_code_by_mail_and_a_welcome_after_it_was_entered(
        self, platform, web, servers
    ):
        identity, notification = platform
        email = f"{secrets.token_hex(6)}@school.example"
        person = {
            "email": email,
            "password": PASSWORD,
            "displayName": "Ana Lindqvist",
            "locale": "de",
        }
        await post(web, f"{identity}/v1/auth/register", person, 202)

        (first,) = await mails(web, servers, email, 1)
        code = re.search(r"\b\d{6}\b", first["text"])[0]
        assert "Ana" not in first["text"]
        await post(web, f"{identity}/v1/auth/verify-email", {"email": email, "code": code}, 204)

        _, second = await mails(web, servers, email, 2)
        assert (second["subject"], "Ana Lindqvist" in second["text"]) == (
            "Willkommen bei kourse",
            True,
        )
        login = {"email": email, "password": PASSWORD}
        tokens = await post(web, f"{identity}/v1/auth/login", login, 200)
        headers = {"Authorization": f"Bearer {tokens['accessToken']}"}
        async with web.get(f"{notification}/v1/notifications", headers=headers) as answer:
            feed = await answer.json()
        assert [entry["type"] for entry in feed["items"]] == ["welcome"]

    async def test_repeated_by_its_owner_brings_a_code_that_works(self, platform, web, servers):
        identity, _ = platform
        email = f"{secrets.token_hex(6)}@school.example"
        person = {"email": email, "password": PASSWORD, "displayName": "Ana"}
        await post(web, f"{identity}/v1/auth/register", person, 202)
        await post(web, f"{identity}/v1/auth/register", person, 202)

        found = await mails(web, servers, email, 2)

        code = re.search(r"\b\d{6}\b", found[-1]["text"])[0]
        await post(web, f"{identity}/v1/auth/verify-email", {"email": email, "code": code}, 204)


class TestInvitation:
    async def test_reaches_somebody_without_an_account_and_lets_them_in(
        self, platform, web, servers
    ):
        identity, _ = platform
        email = f"{secrets.token_hex(6)}@school.example"
        admin = (await post(web, f"{identity}/v1/auth/login", ADMIN, 200))["accessToken"]
        wish = {"emails": [email], "role": "learner", "locale": "de", "lifetimeDays": 7}
        await post(web, f"{identity}/v1/invitations", wish, 201, admin)

        (mail,) = await mails(web, servers, email, 1)
        token = re.search(r"/accept-invitation#(\S+)", mail["text"])[1]
        newcomer = {"token": token, "password": PASSWORD, "displayName": "Ana Lindqvist"}
        await post(web, f"{identity}/v1/auth/accept-invitation", newcomer, 204)

        assert mail["subject"] == "Du bist eingeladen"
        login = {"email": email, "password": PASSWORD}
        await post(web, f"{identity}/v1/auth/login", login, 200)


class TestPersonalToken:
    async def test_is_told_by_mail_to_the_holder_of_the_account(self, platform, web, servers):
        identity, _ = platform
        admin = (await post(web, f"{identity}/v1/auth/login", ADMIN, 200))["accessToken"]
        wish = {"name": "export", "permissions": ["membership:manage"], "lifetimeDays": 1}
        body = {**wish, "password": ADMIN["password"]}
        subject = "A personal access token was made"

        async def told():
            async with web.get(servers.endpoints.mail_url, params={"to": ADMIN["email"]}) as answer:
                return [one for one in await answer.json() if one["subject"] == subject]

        before = len(await told())  # servers that are kept between runs keep their mails
        made = await post(web, f"{identity}/v1/account/tokens", body, 201, admin)

        async def news():
            return (await told())[before:]

        (mail,) = await until(news)
        assert made["token"] not in mail["text"]
