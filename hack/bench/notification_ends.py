"""What is around notification, as processes: ``python -m hack.bench.notification_ends producers|outside``.

``producers`` relays the outboxes of course and assessment. ``outside`` is identity, as far as notification asks
it, and a mail relay that takes everything and writes a line for each mail to standard output: when it was taken,
and its subject.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from email import message_from_bytes, policy

import grpc.aio
import structlog
import uvloop
from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from kourse.kit.bus import Broker
from kourse.kit.db import Database
from kourse.kit.relay import Relay
from kourse_rpc.identity.v1 import identity_pb2, identity_pb2_grpc

PRODUCERS = ("course", "assessment")
_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    "use": "sig",
    "alg": "ES256",
    "kid": "1",
}
"""The public key of RFC 7517, A.1; a service serves nothing before it has one, and here nobody shows a token."""


class _Identity(identity_pb2_grpc.IdentityServiceServicer):
    """Everybody is a member with a verified address that follows from their id."""

    async def ListContacts(  # noqa: N802 - the procedure's name
        self, request: identity_pb2.ListContactsRequest, _context: object
    ) -> identity_pb2.ListContactsResponse:
        """Contacts of all who are asked for."""
        return identity_pb2.ListContactsResponse(
            contacts=[
                identity_pb2.Contact(
                    user_id=one,
                    email=f"{one}@school.example",
                    email_verified=True,
                    display_name="Ana",
                    locale="en",
                )
                for one in request.user_ids
            ]
        )

    async def RedeemDelivery(  # noqa: N802 - the procedure's name
        self,
        _request: identity_pb2.RedeemDeliveryRequest,
        context: grpc.aio.ServicerContext[
            identity_pb2.RedeemDeliveryRequest, identity_pb2.RedeemDeliveryResponse
        ],
    ) -> identity_pb2.RedeemDeliveryResponse:
        """No secrets are on their way."""
        await context.abort(grpc.StatusCode.NOT_FOUND, "no such delivery")


class _MailRelay:
    """Takes every mail."""

    async def handle_DATA(  # noqa: N802 - aiosmtpd looks for this name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Takes a mail from an SMTP client."""
        at = time.time()
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        headers = message_from_bytes(raw.split(b"\r\n\r\n", 1)[0], policy=policy.default)
        sys.stdout.write(f"{at:.6f} {envelope.rcpt_tos[0]} {headers['Subject']}\n")
        sys.stdout.flush()
        return "250 Taken"


async def _token(_request: web.Request) -> web.Response:
    answer = {"access_token": "bench", "token_type": "Bearer", "expires_in": 3600}
    return web.json_response(answer)


async def _keys(_request: web.Request) -> web.Response:
    return web.json_response({"keys": [_KEY]})


async def _outside() -> None:
    ports = {name: int(os.environ[f"KOURSE_BENCH_{name}_PORT"]) for name in ("HTTP", "RPC", "SMTP")}
    application = web.Application()
    application.router.add_post("/v1/auth/token", _token)
    application.router.add_get("/jwks", _keys)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", ports["HTTP"]).start()
    server = grpc.aio.server()
    identity_pb2_grpc.add_IdentityServiceServicer_to_server(_Identity(), server)
    server.add_insecure_port(f"127.0.0.1:{ports['RPC']}")
    await server.start()
    loop = asyncio.get_running_loop()
    await loop.create_server(
        lambda: SMTP(_MailRelay(), hostname="localhost", loop=loop), "127.0.0.1", ports["SMTP"]
    )
    await server.wait_for_termination()


async def _producers() -> None:
    broker = os.environ["KOURSE_BENCH_BROKER_URL"]
    async with asyncio.TaskGroup() as group:
        for name in PRODUCERS:
            database = Database(os.environ[f"KOURSE_BENCH_{name.upper()}_URL"], name)
            group.create_task(Relay(database, Broker(broker)).run())


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    gc.collect()
    gc.freeze()  # as every service does once it has started
    uvloop.run({"producers": _producers, "outside": _outside}[sys.argv[1]]())
