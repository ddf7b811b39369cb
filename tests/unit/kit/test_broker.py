"""A broker that hangs up: whatever the client library calls it, it is an outage."""

import asyncio

import pytest

from kourse.contracts.errors import Unavailable
from kourse.kit.bus import Broker


@pytest.fixture
async def hanging_up():
    """A server that takes connections and closes them at once, like a proxy before a broker that is down."""

    async def hang_up(_reader, writer):
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    broker = Broker(f"amqp://guest:guest@127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    yield broker
    await broker.close()
    server.close()


class TestBroker:
    async def test_that_hangs_up_during_the_handshake_is_unavailable(self, hanging_up):
        with pytest.raises(Unavailable):
            await hanging_up.channel()

    async def test_that_hangs_up_on_a_reader_is_unavailable(self, hanging_up):
        with pytest.raises(Unavailable):
            async with hanging_up.reading("q", prefetch=1, stopping=asyncio.Event()):
                pass

    async def test_that_hangs_up_on_a_publisher_is_unavailable(self, hanging_up):
        with pytest.raises(Unavailable):
            async with hanging_up.publishing():
                pass
