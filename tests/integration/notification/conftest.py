"""Notification on real servers: its own database, events through the real inbox, a real SMTP server."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from uuid import uuid4

import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP

from kourse.contracts.errors import Unavailable
from kourse.kit.db import Database
from kourse.kit.inbox import Delivery, Inbox
from kourse.kit.inbox.cursor import Arrival
from kourse.notification.__main__ import service as notification_service
from kourse.notification.consumers import handlers
from kourse.notification.service import judging
from kourse.notification.service.ports import Contact, Redeemed
from kourse.notification.service.sender import Sender
from kourse.notification.service.smtp import SmtpMailer
from kourse.notification.settings import NotificationSettings
from support.client import Client, session_to
from support.serving import Identity, running, serving
from support.tokens import Issuer


class Senders:
    """Sequence numbers of the events that tests make up, as a producer's outbox counts them."""

    def __init__(self, inbox):
        self._inbox = inbox
        self._last = {}

    async def send(self, event, *, tenant="demo", again=None, at=None):
        """The event takes effect as if the broker had brought it; its delivery.

        Args:
            event: The payload.
            tenant: Whose it is.
            again: The delivery of an earlier call, to repeat it.
            at: When it happened, by default now.
        """
        delivery = again or self.delivery(event, tenant=tenant, at=at)
        await self._inbox.take([Arrival(delivery, event.model_dump_json().encode())])
        return delivery

    async def bring(self, *letters):
        """Pairs of event and delivery take effect as one batch of the broker's."""
        await self._inbox.take(
            [Arrival(delivery, event.model_dump_json().encode()) for event, delivery in letters]
        )

    def delivery(self, event, *, tenant="demo", at=None):
        """The next delivery of the event's entity."""
        at = at or datetime.now(UTC)
        kind = event.kind
        key = (tenant, kind.stream, event.entity)
        self._last[key] = self._last.get(key, 0) + 1
        return Delivery(
            id=uuid4(),
            tenant=tenant,
            type=kind.name,
            version=kind.version,
            stream=kind.stream.value,
            entity=event.entity,
            seq=self._last[key],
            time=at,
            started_at=at,
        )


@pytest.fixture(scope="module")
def database_of(scratch):
    """Pools for the application role and the worker role."""

    @asynccontextmanager
    async def opened():
        app = Database(scratch.url("kourse_notification"), "notification")
        worker = Database(scratch.url("kourse_notification_worker"), "notification")
        try:
            yield app, worker
        finally:
            await app.close()
            await worker.close()

    return opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def databases(database_of):
    async with database_of() as pools:
        yield pools


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bus(databases):
    """Brings events to notification's real inbox."""
    inbox = Inbox(databases[0], handlers)
    await inbox.prepare()
    return Senders(inbox)


@pytest.fixture
def judge(databases):
    """Looks at all ledgers that have changed."""
    return lambda: judging.sweep(*databases)


@pytest.fixture
def sql(scratch):
    """Runs a query that no policy binds."""
    with scratch.admin() as connection:

        def run(query, *values):
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

        yield run


@pytest.fixture(scope="module")
def issuer():
    return Issuer()


@asynccontextmanager
async def open_http(scratch, issuer, identity_url, **changes):
    """The real application with its loops idle; answers people with the issuer's tokens."""
    settings = NotificationSettings(
        port=0,
        database_url=scratch.url("kourse_notification"),
        worker_database_url=scratch.url("kourse_notification_worker"),
        token_issuer=issuer.issuer,
        jwks_url=f"{identity_url}/.well-known/jwks.json",
        identity_url=identity_url,
        client_secret="s3cret",
        **{"sender_poll_s": 60, "review_poll_s": 60, "webhook_poll_s": 60, **changes},
    )
    async with (
        running(notification_service(settings)) as process,
        session_to(f"http://127.0.0.1:{process.http_port}") as session,
    ):
        client = Client(session)
        client.rpc_port = process.rpc_port
        client.process, client.url = process, f"http://127.0.0.1:{process.http_port}"
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(scratch, issuer):
    """The real application, without siblings."""
    async with (
        serving(Identity(issuer).app) as identity_url,
        open_http(scratch, issuer, identity_url) as client,
    ):
        yield client


class SmtpServer:
    """A mail server that can be told how to behave.

    Attributes:
        mails: What it accepted, as parsed messages with ``recipient``.
        answers: By step (``RCPT``, ``DATA``): the refusals to give, in order; ``die`` hangs up.
        arrived: Set when the text of a mail has arrived.
        may_answer: While clear, the answer to a text is held back.
        stuck: Subject of the mails that are held back while others are taken; None for none.
        connections: How many were made.
        in_hand: How many mails were taken and not answered yet.
    """

    def __init__(self):
        self.mails = []
        self.answers = {"RCPT": [], "DATA": []}
        self.port = 0
        self.arrived = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.stuck = None
        self.connections = 0
        self.in_hand = 0

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd looks for this name
        self, _server, _session, envelope, address, _options
    ):
        if self.answers["RCPT"]:
            return self.answers["RCPT"].pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802 -- likewise
        self.arrived.set()
        self.in_hand += 1
        message = message_from_bytes(envelope.content, policy=policy.default)
        if self.stuck is not None and message["Subject"] == self.stuck:
            self.may_answer.clear()
            await self.may_answer.wait()
        elif self.stuck is None:
            await self.may_answer.wait()
        self.in_hand -= 1
        answer = self.answers["DATA"].pop(0) if self.answers["DATA"] else None
        if answer is None or answer == "die":
            message.recipient = envelope.rcpt_tos[0]
            self.mails.append(message)
        if answer == "die":
            server.transport.abort()
        return "250 Kept" if answer in {None, "die"} else answer


@pytest_asyncio.fixture(loop_scope="module")
async def smtp():
    """A well-behaved mail server, until told otherwise."""
    loop = asyncio.get_running_loop()
    box = SmtpServer()

    def connected():
        box.connections += 1
        return SMTP(box, hostname="localhost", loop=loop)

    server = await loop.create_server(connected, "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    yield box
    server.close()


@dataclass
class Book:
    """An address book that tests write."""

    people: dict = field(default_factory=dict)
    secrets: dict = field(default_factory=dict)
    is_down: bool = False
    asked: int = 0

    def add(self, user_id, **changes):
        contact = Contact(f"{user_id.hex}@school.example", True, "Ana", "en")
        self.people[user_id] = replace(contact, **changes)

    async def contacts(self, _tenant, user_ids):
        self.asked += 1
        if self.is_down:
            raise Unavailable("identity is down")
        return {one: self.people[one] for one in user_ids if one in self.people}

    async def redeem(self, _tenant, delivery_id):
        if self.is_down:
            raise Unavailable("identity is down")
        secret = self.secrets.get(delivery_id)
        if secret is None:
            return None
        contact = Contact("new@school.example", False, "Stranger", "en")
        return Redeemed(contact, secret, 900)


@pytest.fixture
def book():
    return Book()


@pytest_asyncio.fixture(loop_scope="module")
async def sender_of(databases, book):
    """Makes senders that hand over to a mail server."""
    mailers = []

    def make(smtp, **changes):
        settings = NotificationSettings(
            port=0,
            smtp_port=smtp.port,
            smtp_starttls=False,
            smtp_timeout_s=120,
            public_url="https://kourse.example",
            **changes,
        )
        app, worker = databases
        mailers.append(SmtpMailer(settings))
        return Sender(app, worker, book=book, mailer=mailers[-1], settings=settings)

    yield make
    for mailer in mailers:
        await mailer.close()
