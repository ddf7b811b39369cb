"""A TCP proxy between a client and a server, which a test can cut and mend."""

import asyncio
import contextlib

from yarl import URL


class Proxy:
    """Forwards one port to another until ``cut``.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, host, port):
        self._upstream = (host, port)
        self._server = None
        self._pipes = set()
        self.port = 0

    async def __aenter__(self):
        await self.mend()
        return self

    async def __aexit__(self, *_):
        await self.cut()

    async def mend(self):
        """Connections are accepted, on the same port as before."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self):
        """Every connection is lost and new ones are refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for pipe in list(self._pipes):
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    async def _accept(self, reader, writer):
        pipe = asyncio.current_task()
        self._pipes.add(pipe)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._join(reader, writer)
        finally:
            # Also when nobody answers behind: an end that is only forgotten warns in some later test.
            writer.transport.abort()
            self._pipes.discard(pipe)

    async def _join(self, reader, writer):
        there, back = await asyncio.open_connection(*self._upstream)
        try:
            await _both(_pump(reader, back), _pump(there, writer))
        finally:
            back.transport.abort()


@contextlib.asynccontextmanager
async def proxied(url):
    """A proxy in front of an address: it, and the address through it."""
    url = URL(url)
    async with Proxy(url.host, url.port) as proxy:
        yield proxy, str(url.with_host("127.0.0.1").with_port(proxy.port))


async def _both(*pumps):
    tasks = [asyncio.ensure_future(pump) for pump in pumps]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
