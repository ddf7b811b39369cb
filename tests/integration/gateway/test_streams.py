"""Answers without an end: nothing but silence, their service or a stop ends them."""

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import pytest
import pytest_asyncio

from support.client import Client, session_to
from support.waiting import LONG_S

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Gateway:
    """A gateway of a test's own."""

    def __init__(self, process, stack):
        self.process = process
        self.url = f"http://127.0.0.1:{process.http_port}"
        self._stack = stack

    async def open(self, path="/v1/events", **session):
        """The answer to a call on a connection of its own, its body unread."""
        http = await self._stack.enter_async_context(session_to(self.url, **session))
        return await self._stack.enter_async_context(http.get(path))

    async def get(self, path):
        async with session_to(self.url) as session:
            return await Client(session).get(path)


@pytest_asyncio.fixture(loop_scope="module")
async def gateway_with(configured, start):
    """Starts a gateway with changed settings."""
    async with AsyncExitStack() as gateways:

        async def started(**changes):
            process = await gateways.enter_async_context(start(configured(**changes)))
            return Gateway(process, gateways)

        yield started


class TestStream:
    async def test_goes_on_after_the_time_in_which_other_answers_must_be_complete(
        self, gateway_with, upstream
    ):
        gateway = await gateway_with(total_timeout="PT0.05S")
        stream = await gateway.open()
        assert await stream.content.readline() == b"data: 1\n"
        other = await gateway.open("/v1/trickle")
        with pytest.raises(aiohttp.ClientPayloadError):
            await other.content.read()
        upstream.release.set()
        assert (await stream.content.read()).endswith(b"data: 2\n\n")

    async def test_takes_no_connection_from_other_calls(self, gateway_with, upstream):
        gateway = await gateway_with(upstream_connections=1)
        for _ in range(5):
            stream = await gateway.open()
            assert await stream.content.readline() == b"data: 1\n"
        assert (await gateway.get("/v1/public")).status == 200

    async def test_is_refused_when_as_many_are_open_as_may_be(self, gateway_with, upstream):
        gateway = await gateway_with(upstream_streams=2)
        for _ in range(2):
            assert (await gateway.open()).status == 200
        refused = await gateway.open()
        assert (refused.status, int(refused.headers["retry-after"])) == (503, 10)
        assert (await gateway.get("/v1/public")).status == 200

    async def test_ends_when_the_service_is_silent_for_long(self, gateway_with, upstream):
        gateway = await gateway_with(stream_idle_timeout="PT0.3S")
        stream = await gateway.open()
        assert await stream.content.readline() == b"data: 1\n"
        await asyncio.wait_for(upstream.left.wait(), LONG_S)

    async def test_ends_when_the_client_does_not_read(self, gateway_with, upstream):
        gateway = await gateway_with(stream_idle_timeout="PT0.5S")
        await gateway.open("/v1/flood", read_bufsize=1024)
        await asyncio.wait_for(upstream.left.wait(), LONG_S)

    async def test_ends_whole_at_the_order_to_stop(self, gateway_with, upstream):
        gateway = await gateway_with()
        stream = await gateway.open()
        assert await stream.content.readline() == b"data: 1\n"
        gateway.process.runtime.health.draining.set()
        assert await stream.content.read() == b"\n"
        await asyncio.wait_for(upstream.left.wait(), LONG_S)
