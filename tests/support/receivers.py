"""Receivers of webhooks on real sockets, honest ones and those that lie."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Request:
    """A request as it came."""

    target: str
    headers: dict
    body: bytes

    @property
    def json(self):
        """The body, read."""
        return json.loads(self.body)


class Receiver:
    """A server that answers as its script says, and remembers what it was sent.

    Attributes:
        url: Its address.
        requests: What came.
        answer: What it does with each request: bytes to send before it hangs up, or an async function
            of the writer.
        at_once: Most requests that it had open at a time.
    """

    def __init__(self):
        self.url = ""
        self.requests = []
        self.answer = OK
        self.at_once = 0
        self._open = 0
        self._tasks = set()

    async def serve(self, reader, writer):
        """Answers one connection."""
        self._open += 1
        self._tasks.add(asyncio.current_task())
        self.at_once = max(self.at_once, self._open)
        try:
            self.requests.append(await _read(reader))
            if callable(self.answer):
                await self.answer(writer)
            else:
                writer.write(self.answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open -= 1
            self._tasks.discard(asyncio.current_task())
            writer.close()

    async def leave(self):
        """Ends whatever answers still."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    # Names are folded, values are not.
    plain = {line.split(": ", 1)[0].lower(): line.split(": ", 1)[1] for line in head[1:] if line}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(head[0].split(" ")[1], plain, body)


@asynccontextmanager
async def receiving(ssl=None, host="127.0.0.1"):
    """A receiver; with TLS when there is a context for it."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, host, 0, ssl=ssl)
    port = server.sockets[0].getsockname()[1]
    receiver.url = f"{'https' if ssl else 'http'}://{'localhost' if ssl else host}:{port}/hook"
    try:
        yield receiver
    finally:
        server.close()
        await receiver.leave()


def answering(status, *headers):
    """An answer without a body."""
    lines = [f"HTTP/1.1 {status} Said", "content-length: 0", *headers, "", ""]
    return "\r\n".join(lines).encode()


async def drip(writer):
    """Begins well, and then sends a byte of the body now and then."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.01)


async def drip_head(writer):
    """Sends a byte of the head now and then."""
    writer.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.01)


async def flood(writer):
    """Sends a body without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()


async def reset(writer):
    """Says 200 and resets the connection before the body is whole."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
    await writer.drain()
    writer.transport.abort()


async def silence(_writer):
    """Never answers."""
    await asyncio.Event().wait()
