"""A service's life: it starts without its back ends, says what is missing, and stops well."""

import asyncio
import os
import signal
import subprocess
import sys

import aiohttp
import pytest
from fastapi import APIRouter

from kourse.contracts.errors import Unavailable
from kourse.kit.auth import public
from kourse.kit.runtime import Process
from support.client import Client, session_to
from support.redis_server import free_port
from support.serving import Service, running, settings_of
from support.waiting import LONG_S, until


def asking(process):
    return session_to(f"http://127.0.0.1:{process.http_port}")


class TestStart:
    async def test_waits_for_what_the_set_up_needs(self):
        is_there = asyncio.Event()
        router = APIRouter()

        @router.get("/v1/x", dependencies=[public])
        async def read() -> str:
            return "x"

        async def set_up(_runtime):
            if not is_there.is_set():
                raise Unavailable("The database is away.")

        service = Service(settings_of("late"), "late", [router], setup=set_up)
        async with running(service, wait=False) as process, asking(process) as session:
            http = Client(session)
            early = await http.get("/v1/x")
            startup = await http.get("/startupz")
            alive = await http.get("/livez")
            is_there.set()
            await process.started()
            late = await http.get("/v1/x")
            ready = await http.get("/readyz")

        assert (early.status, early.headers["retry-after"]) == (503, "1")
        assert startup.status == 503
        assert (await startup.json())["components"]["setup"] == "The database is away."
        assert alive.status == 200
        assert (late.status, ready.status) == (200, 200)

    async def test_fails_for_good_on_a_mistake(self):
        async def set_up(_runtime):
            raise ValueError("a wrong setting")

        process = Process(Service(settings_of("wrong"), "wrong", setup=set_up))
        await process.start()
        with pytest.raises(ValueError, match="a wrong setting"):
            await process.started()
        await process.stop()

    async def test_needs_no_back_end_to_listen(self):
        settings = settings_of(
            "alone",
            database_url="postgresql+psycopg://u:p@127.0.0.1:1/x",
            cache_url="redis://127.0.0.1:1/0",
            token_store_url="redis://127.0.0.1:1/0",
            jwks_url="http://127.0.0.1:1/keys",
        )
        async with running(Service(settings, "alone")) as process, asking(process) as session:
            http = Client(session)
            ready = await http.get("/readyz")
            started = await http.get("/startupz")

        assert (ready.status, started.status) == (503, 200)
        assert (await ready.json())["missing"] == ["cache", "database", "keys", "token_store"]

    async def test_says_that_its_port_is_taken(self):
        async with running(Service(settings_of("one"), "one")) as first:
            second = Process(Service(settings_of("two", port=first.http_port), "two"))
            with pytest.raises(OSError, match="in use"):
                await second.start()
            await second.runtime.close()


class TestTask:
    async def test_that_crashes_is_begun_again_and_seen(self, monkeypatch):
        monkeypatch.setattr("kourse.kit.runtime.supervision.BASE_S", 0.001)
        lives, lived = [], asyncio.Event()

        async def sweeper(runtime):
            lives.append(runtime)
            if len(lives) < 3:
                raise RuntimeError("crash")
            lived.set()
            await asyncio.Event().wait()

        service = Service(settings_of("tasks"), "tasks", tasks=[sweeper])
        async with running(service) as process, asking(process) as session:
            await asyncio.wait_for(lived.wait(), LONG_S)
            body = await (await Client(session).get("/readyz")).json()

        assert body["components"]["sweeper"] == "RuntimeError"
        assert body["status"] == "ok"
        assert len(lives) == 3


class TestStop:
    async def test_finishes_requests_in_flight_and_refuses_new_ones(self):
        begun, go_on = asyncio.Event(), asyncio.Event()
        router = APIRouter()

        @router.get("/v1/slow", dependencies=[public])
        async def slow() -> str:
            begun.set()
            await go_on.wait()
            return "done"

        process = Process(Service(settings_of("slow"), "slow", [router]))
        await process.start()
        await process.started()
        async with asking(process) as session:
            request = asyncio.create_task(Client(session).get("/v1/slow"))
            await begun.wait()
            stopping = asyncio.create_task(process.stop())
            await _refused(process.http_port)
            go_on.set()
            response = await request
            await stopping

        assert (response.status, await response.json()) == (200, "done")

    async def test_calls_the_tear_down_once(self):
        ended = []

        async def tear_down(runtime):
            ended.append(runtime)

        async with running(Service(settings_of("end"), "end", teardown=tear_down)) as process:
            pass

        assert ended == [process.runtime]


async def _refused(port):
    async def is_refused():
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return True
        writer.close()
        return False

    await until(is_refused)


class TestProgram:
    @pytest.fixture
    def gateway(self, tmp_path):
        port = free_port()
        environment = {
            "PATH": os.environ["PATH"],
            "KOURSE_GATEWAY_PORT": str(port),
            "KOURSE_TOKEN_ISSUER": "http://gateway.test",
            "KOURSE_JWKS_URL": "http://127.0.0.1:1/keys",
        }
        program = subprocess.Popen(
            [sys.executable, "-m", "kourse.gateway"],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        program.port = port
        yield program
        program.kill()
        program.communicate()

    async def test_serves_until_sigterm_and_exits_with_0(self, gateway):
        import orjson

        await _alive(gateway.port)
        gateway.send_signal(signal.SIGTERM)
        out, err = await asyncio.to_thread(gateway.communicate, timeout=LONG_S)

        assert gateway.returncode == 0
        assert err == b""
        events = [orjson.loads(line)["event"] for line in out.splitlines()]
        assert events[0] == "listening"
        assert events[-1] == "stopped"

    async def test_says_in_one_sentence_what_is_missing(self, tmp_path):
        ended = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "kourse.gateway"],
            env={"PATH": os.environ["PATH"]},
            cwd=tmp_path,
            capture_output=True,
            check=False,
        )

        assert ended.returncode == 1
        assert ended.stderr == b"KOURSE_GATEWAY_PORT (or KOURSE_PORT) is missing.\n"


async def _alive(port):
    async with session_to(f"http://127.0.0.1:{port}") as session:

        async def is_alive():
            try:
                async with session.get("/livez") as response:
                    assert response.status == 200
            except aiohttp.ClientConnectionError:
                return False
            return True

        await until(is_alive)
