"""A door of its own to the API server: counts what is written; its watches fall silent when told to."""

import asyncio
import json
import ssl
import threading
from base64 import b64decode
from collections import Counter
from pathlib import Path

import aiohttp
import yaml
from aiohttp import web

from support.waiting import LONG_S

_KEPT = ("Accept", "Content-Type")
_READING = ("GET", "HEAD")


class ApiProxy:
    """Passes plain HTTP on to the API server, with the log-in of a kubeconfig.

    Attributes:
        writes: Requests that may change something, by method and the kind of thing: its plural, with the
            subresource after a slash.
    """

    def __init__(self, kubeconfig, directory):
        self._login = yaml.safe_load(Path(kubeconfig).read_text())
        self._directory = directory
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._runner = None
        self._session = None
        self._speaks = None
        self.kubeconfig = directory / "kubeconfig"
        self.writes = Counter()

    def __enter__(self):
        self._thread.start()
        port = self._do(self._open())
        cluster = {"server": f"http://127.0.0.1:{port}"}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "x",
            "clusters": [{"name": "x", "cluster": cluster}],
            "users": [{"name": "x", "user": {}}],
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        }
        self.kubeconfig.write_text(json.dumps(config))
        return self

    def __exit__(self, *_):
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def hush(self):
        """Watches stay open or are awaited, but say nothing any more; all else passes."""
        self._loop.call_soon_threadsafe(self._speaks.clear)

    def speak(self):
        """The watches speak again."""
        self._loop.call_soon_threadsafe(self._speaks.set)

    def _do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(LONG_S)

    async def _open(self):
        self._speaks = asyncio.Event()
        self._speaks.set()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._context(), limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
        )
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._pass)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return site._server.sockets[0].getsockname()[1]

    async def _close(self):
        self._speaks.set()
        await self._session.close()
        await self._runner.cleanup()

    def _context(self):
        user = self._login["users"][0]["user"]
        authority = self._content(self._login["clusters"][0]["cluster"], "certificate-authority")
        context = ssl.create_default_context(cadata=authority)
        for name in ("client-certificate", "client-key"):
            (self._directory / name).write_text(self._content(user, name))
        context.load_cert_chain(
            self._directory / "client-certificate", self._directory / "client-key"
        )
        return context

    def _content(self, place, name):
        if inline := place.get(f"{name}-data"):
            return b64decode(inline).decode()
        return Path(place[name]).read_text()

    async def _pass(self, request):
        await self._turn_of(request)
        if request.method not in _READING:
            self.writes[request.method, _thing(request.path)] += 1
        server = self._login["clusters"][0]["cluster"]["server"]
        headers = {name: request.headers[name] for name in _KEPT if name in request.headers}
        content = await request.read()
        async with self._session.request(
            request.method, server + request.path_qs, data=content or None, headers=headers
        ) as upstream:
            response = web.StreamResponse(status=upstream.status)
            response.content_type = upstream.content_type
            await response.prepare(request)
            async for chunk in upstream.content.iter_any():
                await self._turn_of(request)
                await response.write(chunk)
            return response

    async def _turn_of(self, request):
        if "watch" in request.query:
            await self._speaks.wait()


def _thing(path):
    parts = path.partition("/namespaces/")[2].split("/")[1:]
    return "/".join(parts[::2])
