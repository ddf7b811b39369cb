"""The client of the hot paths on a real broker, and on one that misbehaves at will."""

import asyncio

import pytest
from pamqp import commands
from pamqp.body import ContentBody
from yarl import URL

from kourse.contracts.errors import Unavailable
from kourse.kit import amqp
from kourse.kit.amqp import codec, values
from kourse.kit.bus import Broker, Queue
from support.proxy import proxied
from support.scripted_broker import ScriptedBroker
from support.waiting import LONG_S, until

QUORUM = {"x-queue-type": "quorum"}


def message(number, queue="read", *, body=b"{}", mandatory=True, exchange=""):
    """A message for a queue, by the default exchange, whose id is its number."""
    return amqp.Publication(
        str(number),
        codec.route(exchange, queue, mandatory=mandatory),
        codec.properties(
            content_type="application/json",
            headers=values.encoded_fields({"number": number}),
            message_id=str(number),
            message_type="number",
        ),
        body,
    )


def refusals(batch, count):
    return [batch.refusal(index) for index in range(count)]


@pytest.fixture
async def broker(broker_url):
    broker = Broker(broker_url, name="test")
    queues = [Queue("read", QUORUM), Queue("other", QUORUM)]
    await broker.remove(queues)
    await broker.declare(queues)
    yield broker
    await broker.close()


@pytest.fixture
def stopping():
    return asyncio.Event()


async def publish(broker, messages):
    async with broker.publishing() as publisher:
        batch = await publisher.send(messages)
        await publisher.settled(batch, timeout_s=LONG_S)
    return refusals(batch, len(messages))


async def read_after(broker, event, stopping, queue="other"):
    """Reads a queue, after something has happened to it."""
    async with broker.reading(queue, prefetch=1, stopping=stopping) as reader:
        await event
        return await reader.batch()


async def read(reader, count):
    """The first so many messages."""
    got = []
    while len(got) < count:
        got += await reader.batch()
    return got


class TestPublisher:
    async def test_has_every_message_confirmed_and_keeps_their_order(self, broker, stopping):
        async with broker.publishing() as publisher:
            batches = [
                await publisher.send([message(100 * n + i) for i in range(100)]) for n in range(5)
            ]
            for batch in batches:
                await publisher.settled(batch, timeout_s=LONG_S)
        assert [refusals(batch, 100) for batch in batches] == [[None] * 100] * 5
        async with broker.reading("read", prefetch=1000, stopping=stopping) as reader:
            got = await read(reader, 500)
            assert [values.read_fields(each.fields)["number"] for each in got] == list(range(500))
            reader.ack(got[-1].tag)

    async def test_carries_bodies_of_many_frames_and_of_none(self, broker, stopping):
        bodies = [b"", bytes(range(256)) * 2000, b"x"]
        await publish(broker, [message(n, body=body) for n, body in enumerate(bodies)])
        async with broker.reading("read", prefetch=10, stopping=stopping) as reader:
            got = await read(reader, 3)
            assert [each.body for each in got] == bodies

    async def test_learns_which_message_no_queue_took(self, broker):
        sent = [message(0), message(1, "absent"), message(2), message(3, "absent", mandatory=False)]
        assert await publish(broker, sent) == [None, "returned", None, None]

    async def test_learns_which_messages_the_broker_refused(self, broker):
        full = Queue("full", {"x-max-length": 1, "x-overflow": "reject-publish"})
        await broker.declare([full])
        sent = [message(0, "full"), message(1, "full"), message(2, "read"), message(3, "full")]
        assert await publish(broker, sent) == [None, "nacked", None, "nacked"]

    async def test_says_what_is_unknown_when_the_channel_is_closed_under_it(self, broker):
        async with broker.publishing() as publisher:
            batch = await publisher.send([message(0, exchange="absent")])
            with pytest.raises(amqp.LostError) as lost:
                await publisher.settled(batch, timeout_s=LONG_S)
        assert lost.value.code == amqp.NOT_FOUND
        assert refusals(batch, 1) == ["unconfirmed"]

    async def test_waits_no_longer_than_it_is_told(self):
        async with ScriptedBroker() as scripted:
            broker = Broker(scripted.url)
            async with broker.publishing() as publisher:
                batch = await publisher.send([message(n) for n in range(4)])
                await until(lambda: len(scripted.heard_of(ContentBody)) == 4)
                scripted.say(commands.Basic.Ack(2), 1)
                scripted.say(commands.Basic.Nack(1), 1)
                await publisher.settled(batch, timeout_s=0.5)
            assert refusals(batch, 4) == ["nacked", None, "unconfirmed", "unconfirmed"]
            await broker.close()

    async def test_honours_answers_for_several_messages_at_once(self):
        async with ScriptedBroker() as scripted:
            broker = Broker(scripted.url)
            async with broker.publishing() as publisher:
                first = await publisher.send([message(n) for n in range(3)])
                second = await publisher.send([message(n) for n in range(3, 6)])
                scripted.say(commands.Basic.Ack(2), 1)
                scripted.say(commands.Basic.Nack(4, multiple=True), 1)
                scripted.say(commands.Basic.Ack(6, multiple=True), 1)
                await publisher.settled(second, timeout_s=LONG_S)
                await publisher.settled(first, timeout_s=LONG_S)
            assert refusals(first, 3) == ["nacked", None, "nacked"]
            assert refusals(second, 3) == ["nacked", None, None]
            await broker.close()

    async def test_holds_back_while_the_broker_is_blocked(self):
        async with ScriptedBroker() as scripted:
            broker = Broker(scripted.url)
            async with broker.publishing() as publisher:
                first = await publisher.send([message(0)])
                scripted.say(commands.Connection.Blocked("low on disk"))
                waiting = asyncio.create_task(publisher.settled(first, timeout_s=0.05))
                await until(lambda: publisher.is_blocked)
                second = asyncio.create_task(publisher.send([message(1)]))
                await asyncio.wait([waiting, second], timeout=0.3)
                assert not waiting.done()
                assert not second.done()
                assert len(scripted.heard_of(ContentBody)) == 1
                scripted.say(commands.Connection.Unblocked())
                scripted.say(commands.Basic.Ack(1), 1)
                await waiting
                await second
                await until(lambda: len(scripted.heard_of(ContentBody)) == 2)
            await broker.close()


class TestReader:
    async def test_acknowledges_up_to_a_message_and_gets_the_rest_again(self, broker, stopping):
        await publish(broker, [message(n) for n in range(6)])
        async with broker.reading("read", prefetch=10, stopping=stopping) as reader:
            got = await read(reader, 6)
            reader.ack(got[2].tag)
            reader.ack(got[4].tag, multiple=False)
        async with broker.reading("read", prefetch=10, stopping=stopping) as reader:
            got = await read(reader, 2)
            assert {values.read_fields(each.fields)["number"] for each in got} == {3, 5}
            assert all(each.redelivered for each in got)

    async def test_has_no_more_in_hand_than_it_asked_for(self, broker, stopping):
        await publish(broker, [message(n) for n in range(10)])
        async with broker.reading("read", prefetch=4, stopping=stopping) as reader:
            got = await read(reader, 4)
            reader.ack(got[0].tag)
            assert len(await read(reader, 1)) == 1

    async def test_sends_what_it_rejects_to_the_dead_letters(self, broker, stopping):
        dying = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "other"}
        await broker.declare([Queue("dying", QUORUM | dying)])
        await publish(broker, [message(7, "dying")])
        async with broker.reading("dying", prefetch=1, stopping=stopping) as reader:
            (got,) = await read(reader, 1)
            reader.reject(got.tag)
            async with broker.reading("other", prefetch=1, stopping=stopping) as dead:
                (got,) = await read(dead, 1)
                assert values.read_fields(got.fields)["number"] == 7
                assert values.read_fields(got.fields)["x-death"][0]["reason"] == "rejected"

    async def test_ends_when_it_is_told_to_stop(self, broker, stopping):
        async with broker.reading("read", prefetch=1, stopping=stopping) as reader:
            waiting = asyncio.create_task(reader.batch())
            asyncio.get_running_loop().call_soon(stopping.set)
            assert await waiting == []

    async def test_notices_that_its_queue_is_gone(self, broker, stopping):
        removal = broker.remove([Queue("other")])
        with pytest.raises(Unavailable) as refused:
            await read_after(broker, removal, stopping)
        assert refused.value.__cause__.code == amqp.NOT_FOUND

    async def test_is_refused_a_queue_that_is_not_there(self, broker, stopping):
        with pytest.raises(Unavailable) as refused:
            async with broker.reading("absent", prefetch=1, stopping=stopping):
                pass
        assert refused.value.__cause__.code == amqp.NOT_FOUND

    async def test_shares_its_connection_and_outlives_the_failure_of_another(
        self, broker, stopping
    ):
        async with broker.reading("read", prefetch=1, stopping=stopping) as reader:
            with pytest.raises(Unavailable):
                async with broker.reading("absent", prefetch=1, stopping=stopping):
                    pass
            await publish(broker, [message(1)])
            assert len(await reader.batch()) == 1


class TestConnection:
    @pytest.mark.usefixtures("broker")
    async def test_opens_again_after_a_loss(self, broker_url, stopping):
        async with proxied(broker_url) as (proxy, url):
            distant = Broker(url)
            with pytest.raises(Unavailable):
                await read_after(distant, proxy.cut(), stopping)
            with pytest.raises(Unavailable):
                await publish(distant, [message(1)])
            await proxy.mend()
            assert await publish(distant, [message(1)]) == [None]
            await distant.close()

    async def test_is_refused_with_a_wrong_password(self, broker_url):
        broker = Broker(str(URL(broker_url).with_password("wrong")))
        with pytest.raises(Unavailable) as refused:
            await publish(broker, [message(1)])
        assert refused.value.__cause__.code == 403

    async def test_keeps_to_the_frame_size_that_the_broker_wants(self):
        async with ScriptedBroker(frame_max=4096) as scripted:
            broker = Broker(scripted.url)
            async with broker.publishing() as publisher:
                await publisher.send([message(1, body=bytes(10_000))])
                await until(lambda: len(scripted.heard_of(ContentBody)) == 3)
            sizes = [len(piece.value) for piece in scripted.heard_of(ContentBody)]
            assert sizes == [4088, 4088, 1824]
            await broker.close()

    async def test_beats_while_it_has_nothing_to_say(self):
        async with ScriptedBroker(heartbeat_s=10) as scripted:
            broker = Broker(scripted.url)
            async with broker.publishing():
                await until(lambda: scripted.beats() >= 1)
            await broker.close()

    async def test_gives_up_a_silent_broker(self, stopping):
        async with ScriptedBroker(heartbeat_s=1) as scripted:
            broker = Broker(scripted.url)
            with pytest.raises(Unavailable) as refused:
                await read_after(broker, asyncio.sleep(0), stopping)
            assert "silent" in str(refused.value.__cause__)
            await broker.close()

    async def test_says_goodbye(self, broker_url):
        broker = Broker(broker_url)
        async with broker.publishing() as publisher:
            pass
        await broker.close()
        assert not publisher.is_open
