"""Uvicorn inside of our own loop: it listens and drains when told, and leaves signals alone."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

KEEP_ALIVE_S = 75
BACKLOG = 2048


class HttpServer:
    """One listening socket and the application behind it.

    Args:
        app: What answers.
        drain_s: Time for requests in flight once it is told to stop.
    """

    def __init__(self, app: ASGIApp, *, drain_s: int) -> None:
        config = uvicorn.Config(
            app,
            loop="none",
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=drain_s,
        )
        self._server = _Quiet(config)
        self._serving: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Accept connections from now on; ``port`` is what it listens on.

        Raises:
            OSError: The address is taken or not this machine's.
        """
        listener = listen(host, port)
        self.port = int(listener.getsockname()[1])
        self._serving = asyncio.create_task(self._server.serve([listener]))
        while not self._server.started:
            if self._serving.done():
                await self._serving
                raise OSError("the HTTP server did not start")
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Refuse new connections, finish requests in flight, then end."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket; port 0 takes any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


class _Quiet(uvicorn.Server):
    """Leaves signals to the process, which has more than HTTP to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
