"""An SMTP server that keeps every mail and lists them over HTTP, in place of a real relay.

``GET /messages[?to=ADDRESS][&after=ID]`` answers a JSON list, oldest first; ``DELETE /messages`` empties it.
Mails are kept in a file, so a restart of the sink loses none that was acknowledged.
"""

import argparse
import asyncio
import json
import os
import signal
from bisect import bisect_right
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from operator import itemgetter
from pathlib import Path
from typing import Any

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

KEPT = 5000
Mail = dict[str, Any]


class MailBox:
    """The mails, in memory and in a file of JSON lines."""

    def __init__(self, path: Path) -> None:
        """Read what an earlier run kept.

        Args:
            path: The file; made if missing.
        """
        self._path = path
        lines = path.read_text().splitlines() if path.exists() else []
        self._mails: list[Mail] = [mail for line in lines if (mail := _read(line)) is not None]
        if len(self._mails) < len(lines):
            self._rewrite()
        self._next = max((mail["id"] for mail in self._mails), default=0) + 1

    def add(self, sender: str, recipients: list[str], content: bytes) -> None:
        """Keep a mail; it is on disk when this returns. The oldest goes when there are too many."""
        mail = {"id": self._next, "to": recipients, "from": sender, **describe(content)}
        self._next += 1
        with self._path.open("a") as file:
            file.write(json.dumps(mail) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._mails.append(mail)
        if len(self._mails) > KEPT:
            del self._mails[: KEPT // 10]
            self._rewrite()

    def listing(self, recipient: str | None, after: int = 0) -> list[Mail]:
        """Return the mails, oldest first.

        Args:
            recipient: Whose, in any case of letters; everybody's when None.
            after: The id behind which to begin.
        """
        found = self._mails[bisect_right(self._mails, after, key=itemgetter("id")) :]
        if recipient is None:
            return found
        wanted = recipient.lower()
        return [mail for mail in found if wanted in (to.lower() for to in mail["to"])]

    def clear(self) -> None:
        """Forget all mails; ids go on counting."""
        self._mails.clear()
        self._path.write_text("")

    def _rewrite(self) -> None:
        self._path.write_text("".join(json.dumps(mail) + "\n" for mail in self._mails))

    async def handle_DATA(  # noqa: N802 - aiosmtpd looks for this name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Take a mail from an SMTP client."""
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        self.add(envelope.mail_from or "", list(envelope.rcpt_tos), raw)
        return "250 Kept"


def _read(line: str) -> Mail | None:
    """Return the mail of a line; None for one that was cut off when the sink was killed."""
    try:
        mail: Mail = json.loads(line)
    except ValueError:
        return None
    return mail


def describe(content: bytes) -> Mail:
    """Return what a listing shows of a mail besides its envelope."""
    message = message_from_bytes(content, _class=EmailMessage, policy=policy.default)
    return {
        "subject": str(message.get("Subject", "")),
        "text": _body(message, "plain"),
        "html": _body(message, "html"),
        "headers": {name: str(value) for name, value in message.items()},
        "received_at": datetime.now(UTC).isoformat(),
    }


def _body(message: EmailMessage, subtype: str) -> str | None:
    part = message.get_body(preferencelist=(subtype,))
    return None if part is None else str(part.get_content())


def application(box: MailBox) -> web.Application:
    """Return the HTTP side of a mail box."""

    async def listing(request: web.Request) -> web.Response:
        try:
            after = int(request.query.get("after", "0"))
        except ValueError:
            raise web.HTTPBadRequest(text="after is the id of a mail") from None
        return web.json_response(box.listing(request.query.get("to"), after))

    async def clear(_request: web.Request) -> web.Response:
        box.clear()
        return web.Response(status=204)

    app = web.Application()
    app.add_routes([web.get("/messages", listing), web.delete("/messages", clear)])
    return app


async def serve(smtp_port: int, http_port: int, path: Path) -> None:
    """Serve on 127.0.0.1 until SIGTERM."""
    box = MailBox(path)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    runner = web.AppRunner(application(box), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", http_port).start()

    def protocol() -> SMTP:
        return SMTP(box, hostname="localhost", enable_SMTPUTF8=True, loop=loop)

    server = await loop.create_server(protocol, "127.0.0.1", smtp_port)
    await stop.wait()
    server.close()
    await runner.cleanup()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--file", type=Path, required=True, help="where mails are kept")
    options = parser.parse_args()
    asyncio.run(serve(options.smtp_port, options.http_port, options.file))


if __name__ == "__main__":
    main()
