"""Takes every mail and lists it over HTTP: nothing leaves the cluster during an evaluation."""

import asyncio
import json
from asyncio import StreamReader, StreamWriter
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

MAILS = []
KEPT = 500


async def converse(reader: StreamReader, writer: StreamWriter) -> None:
    """Speak as much SMTP as a sender needs."""

    async def say(line: str) -> None:
        writer.write(f"{line}\r\n".encode())
        await writer.drain()

    recipients: list[str] = []
    await say("220 kourse evaluation")
    while line := await reader.readline():
        verb = line.decode(errors="replace").strip().upper()
        if verb.startswith("RCPT TO:"):
            recipients.append(line.decode().strip()[8:].strip("<> "))
        if verb == "DATA":
            await say("354 go ahead")
            body = await reader.readuntil(b"\r\n.\r\n")
            keep(recipients, body.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n."))
            recipients = []
        if verb == "QUIT":
            await say("221 bye")
            break
        await say("250 ok")
    writer.close()


def keep(recipients: list[str], body: bytes) -> None:
    """Keep a mail; the oldest go first."""
    mail = message_from_bytes(body, policy=policy.default)
    text = mail.get_body(preferencelist=("plain", "html"))
    MAILS.append(
        {
            "to": recipients,
            "from": str(mail["From"]),
            "subject": str(mail["Subject"]),
            "text": text.get_content() if text else "",
        }
    )
    del MAILS[:-KEPT]


class Listing(BaseHTTPRequestHandler):
    """Answers with mails, newest last: all, or with ``?to=`` one recipient's."""

    def do_GET(self) -> None:
        """List mails as JSON."""
        wanted = parse_qs(urlsplit(self.path).query).get("to", [None])[0]
        found = [mail for mail in MAILS if wanted is None or wanted in mail["to"]]
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


async def main() -> None:
    """Serve both until the end."""
    Thread(target=ThreadingHTTPServer(("", 8025), Listing).serve_forever, daemon=True).start()
    async with await asyncio.start_server(converse, "", 2525, limit=2**24) as server:
        await server.serve_forever()


asyncio.run(main())
