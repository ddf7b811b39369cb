"""How much a cached dashboard costs above one Redis GET: both routes of one server, in turn.

The server is a process of its own, with the settings of the stack's dashboard. Beside its routes it has a raw
ASGI one that does nothing but read what the first read put into Redis, and send it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from pathlib import Path
from statistics import median

import aiohttp
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from hack.bench.figures import Figure
from kourse.dashboard import api
from kourse.dashboard.settings import DashboardSettings
from kourse.kit.runtime import Runtime, Service, run

ROUNDS, ROUND_S, CLIENTS = 5, 2.0, 8
RAW = "/raw"
START_S = 60.0
TARGET = 0.8
_ALONE = {"KOURSE_DASHBOARD_BROKER_URL": "", "KOURSE_DASHBOARD_WORKER_DATABASE_URL": ""}
"""It takes no events from the stack's own dashboard."""


async def compare(state: Path, token: str) -> Figure:
    """Cached overviews a second, as a share of raw reads a second."""
    port = _free_port()
    own = {"KOURSE_DASHBOARD_PORT": str(port), "KOURSE_DASHBOARD_RPC_PORT": "0"}
    environment = {**os.environ, **_settings(state), **own, **_ALONE}
    quiet = asyncio.subprocess.DEVNULL
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, env=environment, stdout=quiet, stderr=quiet
    )
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            await _until_started(http)
            rounds = [await _round(http, token) for _ in range(ROUNDS)]
    finally:
        if server.returncode is None:
            server.terminate()
        await server.wait()
    shares = [cached / raw for cached, raw in rounds]
    cached, raw = (median(rates) for rates in zip(*rounds, strict=True))
    return Figure(
        "cached overview / raw route with one GET",
        median(shares),
        "",
        TARGET,
        "at least",
        f"{cached:.0f} against {raw:.0f} a second; {min(shares):.2f} to {max(shares):.2f}",
    )


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _settings(state: Path) -> dict[str, str]:
    lines = (state / "env.d" / "dashboard.env").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    return {name: value.strip("'\"") for name, value in values.items()}


async def _until_started(http: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(START_S):
        while True:
            try:
                async with http.get("/startupz") as answer:
                    if answer.ok:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


async def _round(http: aiohttp.ClientSession, token: str) -> tuple[float, float]:
    return await _rate(http, "/v1/dashboard", token), await _rate(http, RAW, token)


async def _rate(http: aiohttp.ClientSession, path: str, token: str) -> float:
    """Answers a second to clients that each ask again as soon as they have one."""
    headers = {"Authorization": f"Bearer {token}"}
    end = time.perf_counter() + ROUND_S
    count = 0

    async def ask() -> None:
        nonlocal count
        while time.perf_counter() < end:
            async with http.get(path, headers=headers) as answer:
                answer.raise_for_status()
                await answer.read()
            count += 1

    began = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(CLIENTS)))
    return count / (time.perf_counter() - began)


def _with_raw(runtime: Runtime, app: FastAPI) -> ASGIApp:
    key: list[bytes] = []

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != RAW:
            await app(scope, receive, send)
            return
        if not key:
            key.extend([one async for one in runtime.cache.scan_iter("dashboard:view:*")][:1])
        body = await runtime.cache.get(key[0]) or b""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


def main() -> None:
    """Serves until it is told to stop."""
    settings = DashboardSettings.load()
    run(Service(settings=settings, title="bench", routers=(api.router,), around=_with_raw))


if __name__ == "__main__":
    main()
