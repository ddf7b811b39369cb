"""The live feed: what streams tell, to whom, after which event they go on, and when they end."""

import asyncio
import time
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
import pytest_asyncio

from integration.notification.conftest import open_http
from integration.notification.test_events import enrolment, lesson, published
from integration.notification.test_feed import Reader
from kourse.contracts import events
from kourse.gateway.app import gateway
from kourse.gateway.settings import GatewaySettings
from kourse.kit.auth.revocation import session_key
from kourse.kit.http import event_stream as answers
from kourse.notification.domain.kinds import Kind
from kourse.notification.repository import notices
from kourse.notification.repository.notices import Notice
from kourse.notification.service import streaming
from support.event_stream import event_stream
from support.serving import Identity, running, serving
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
POOL = 10
"""Database connections that one process has for its requests."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def identity_url(issuer):
    async with serving(Identity(issuer).app) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def replicas(scratch, issuer, identity_url):
    """Two processes of the service on one database, whose streams beat only every 30 s."""
    async with (
        open_http(scratch, issuer, identity_url, stream_beat_s=30) as one,
        open_http(scratch, issuer, identity_url, stream_beat_s=30) as other,
    ):
        yield one, other


class Listener(Reader):
    """Somebody who listens to their feed."""

    def __init__(self, http, issuer, **claims):
        super().__init__(http, issuer)
        self.url = http.url
        self.token = issuer.token(sub=str(self.id), **claims)

    def listen(self, url=None, **how):
        return event_stream(url or self.url, self.token, **how)


@pytest.fixture
def listener(replicas, issuer):
    return Listener(replicas[0], issuer)


async def tell(database, user_id, number):
    """The person is told something, in a transaction of its own."""
    async with database.transaction("demo") as tx:
        await notices.tell(tx, user_id, notice(number))


def notice(number):
    params = {"course_id": str(uuid4()), "course": "statistics", "number": number}
    return Notice(Kind.ENROLLED, params, uuid4())


def numbers(told):
    return [event.data["data"]["number"] for event in told if event.type == "notification"]


class TestStream:
    async def test_brings_what_is_new_in_the_readers_language(self, bus, listener):
        course_id = uuid4()
        who = listener.id
        await bus.send(events.UserRegistered(user_id=who, display_name="Ana", locale="de"))
        await bus.send(published(course_id))
        await bus.send(enrolment(who, course_id))
        async with listener.listen() as stream:
            assert stream.response.content_type == "text/event-stream"
            assert (await stream.next()).data == {"unread": 2}
            await bus.send(lesson(who, course_id, uuid4()))
            told = await stream.next()
            counted = await stream.next()

        (newest, *_) = (await listener.get("/v1/notifications"))["items"]
        assert (told.type, told.data) == ("notification", newest)
        assert told.data["title"] == "Lektion abgeschlossen: The mean"
        assert (counted.type, counted.data) == ("unread", {"unread": 3})

    async def test_tells_of_what_is_published_to_everybody(self, bus, listener):
        course_id = uuid4()
        await bus.send(published(course_id))
        await bus.send(enrolment(listener.id, course_id))
        async with listener.listen() as stream:
            await stream.next("unread")
            await bus.send(published(course_id, version=2))
            assert (await stream.next()).data["type"] == "course-published"

    async def test_tells_how_many_are_unread_when_they_are_read_elsewhere(
        self, databases, listener
    ):
        await tell(databases[0], listener.id, 1)
        async with listener.listen() as stream:
            assert (await stream.next()).data == {"unread": 1}
            (entry,) = (await listener.get("/v1/notifications"))["items"]
            assert await listener.read(entry["id"]) == 204
            assert (await stream.next()).data == {"unread": 0}

    async def test_hears_what_another_replica_did(self, replicas, databases, listener):
        one, other = replicas
        async with listener.listen(one.url) as here, listener.listen(other.url) as there:
            for stream in (here, there):
                await stream.next("unread")
            await tell(databases[0], listener.id, 1)
            assert numbers([await here.next(), await there.next()]) == [1, 1]
            (entry,) = (await listener.get("/v1/notifications"))["items"]
            await other.post(f"/v1/notifications/{entry['id']}/read", headers=listener.headers)
            for stream in (here, there):
                seen = await stream.next("unread")
                assert seen.data["unread"] in {0, 1}
                if seen.data["unread"]:
                    assert (await stream.next("unread")).data == {"unread": 0}

    async def test_never_tells_what_is_somebody_elses_or_of_another_tenant(
        self, replicas, issuer, databases, listener
    ):
        stranger = Listener(replicas[0], issuer)
        abroad = issuer.token(sub=str(listener.id), tenant="elsewhere")
        async with (
            stranger.listen() as theirs,
            event_stream(replicas[0].url, abroad) as there,
            listener.listen() as mine,
        ):
            for stream in (theirs, there, mine):
                await stream.next("unread")
            await tell(databases[0], listener.id, 1)
            await tell(databases[0], stranger.id, 2)
            async with databases[0].transaction("elsewhere") as tx:
                await notices.tell(tx, listener.id, notice(3))
            told = [await stream.next("notification") for stream in (mine, theirs, there)]
        assert numbers(told) == [1, 2, 3]


class TestLastEventId:
    async def test_goes_on_without_loss_and_without_repetition(self, databases, listener):
        database, seen = databases[0], []
        async with listener.listen() as stream:
            await stream.next("unread")
            for number in range(3):
                await tell(database, listener.id, number)
            while len(seen) < 2:
                seen.append(await stream.next("notification"))
        for number in range(3, 6):
            await tell(database, listener.id, number)
        async with listener.listen(after=seen[-1].id) as stream:
            while len(seen) < 6:
                seen.append(await stream.next("notification"))
            assert (await stream.next()).type == "unread"
        assert numbers(seen) == list(range(6))

    async def test_is_there_before_anything_was_told(self, databases, listener):
        async with listener.listen() as stream:
            first = await stream.next("unread")
        await tell(databases[0], listener.id, 1)
        async with listener.listen(after=first.id) as stream:
            assert numbers([await stream.next()]) == [1]

    async def test_misses_nothing_that_was_told_earlier_and_committed_later(
        self, databases, listener
    ):
        slow, quick = asyncio.Event(), databases[0]

        async def tell_slowly():
            async with quick.transaction("demo") as tx:
                await notices.tell(tx, listener.id, notice(1))
                told.set()
                await slow.wait()

        told = asyncio.Event()
        telling = asyncio.create_task(tell_slowly())
        await told.wait()
        async with listener.listen() as stream:
            await stream.next("unread")
            await tell(quick, listener.id, 2)
            first = await stream.next("notification")
        slow.set()
        await telling
        async with listener.listen(after=first.id) as stream:
            assert numbers([first, await stream.next("notification")]) == [2, 1]

    async def test_tells_each_stream_the_same_order_while_many_are_told_at_once(
        self, replicas, databases, listener
    ):
        async with AsyncExitStack() as stack:
            open_streams = [
                await stack.enter_async_context(listener.listen(replica.url))
                for replica in (*replicas, *replicas)
            ]
            for stream in open_streams:
                await stream.next("unread")
            await asyncio.gather(*(tell(databases[0], listener.id, n) for n in range(60)))
            told = [
                [await stream.next("notification") for _ in range(60)] for stream in open_streams
            ]
        orders = {tuple(numbers(each)) for each in told}
        assert len(orders) == 1
        assert sorted(orders.pop()) == list(range(60))

    async def test_that_was_never_given_begins_at_the_end(self, databases, listener):
        await tell(databases[0], listener.id, 1)
        async with listener.listen(after="999999") as stream:
            assert (await stream.next()).data == {"unread": 1}

    async def test_that_is_none_is_refused(self, listener):
        async with listener.listen(after="yesterday") as stream:
            assert stream.response.status == 422


class TestEnd:
    async def test_comes_when_the_token_expires(self, replicas, issuer):
        brief = Listener(replicas[0], issuer, exp=int(time.time()) + 2)
        async with brief.listen() as stream:
            *_, last = await stream.rest()
        assert (last.type, last.data) == ("end", {"reason": "token-expired"})

    async def test_comes_at_the_order_to_stop(self, scratch, issuer, identity_url):
        async with AsyncExitStack() as stack:
            async with open_http(scratch, issuer, identity_url) as http:
                someone = Listener(http, issuer)
                stream = await stack.enter_async_context(someone.listen())
                await stream.next("unread")
            assert [event.data for event in await stream.rest()] == [{"reason": "stopping"}]

    async def test_comes_when_the_log_in_ends(self, scratch, servers, issuer, identity_url):
        stores = {"token_store_url": servers.endpoints.token_store_url, "stream_beat_s": 0.05}
        async with open_http(scratch, issuer, identity_url, **stores) as http:
            session = str(uuid4())
            someone = Listener(http, issuer, sid=session)
            async with someone.listen() as stream:
                await stream.beat()
                await http.process.runtime.token_store.set(session_key(session), 1, ex=60)
                *_, last = await stream.rest()
        assert (last.type, last.data) == ("end", {"reason": "logged-out"})

    async def test_is_not_brought_by_a_database_that_restarts(
        self, replicas, databases, listener, sql
    ):
        async with listener.listen() as stream:
            await stream.next("unread")
            sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'kourse-notification feed listener'"
            )
            await tell(databases[0], listener.id, 1)
            assert numbers([await stream.next("notification")]) == [1]


class TestLimits:
    async def test_is_a_number_of_streams_for_each_person(self, replicas, issuer, listener):
        async with AsyncExitStack() as stack:
            for _ in range(5):
                stream = await stack.enter_async_context(listener.listen())
                await stream.next("unread")
            sixth = await stack.enter_async_context(listener.listen())
            assert sixth.response.status == 429
            assert (await sixth.response.json())["code"] == "too-many-streams"
            assert int(sixth.response.headers["retry-after"]) > 0
            other = await stack.enter_async_context(Listener(replicas[0], issuer).listen())
            assert other.response.status == 200

        async def is_free():
            async with listener.listen() as stream:
                return stream.response.status == 200

        await until(is_free)

    async def test_holds_no_database_connection_for_a_stream(self, replicas, issuer, listener):
        async with AsyncExitStack() as stack:
            for _ in range(4 * POOL):
                each = await stack.enter_async_context(Listener(replicas[0], issuer).listen())
                await each.next("unread")
            assert (await listener.get("/v1/notifications"))["items"] == []

    async def test_stops_reading_the_feed_for_who_does_not_read(
        self, replicas, databases, issuer, monkeypatch
    ):
        looks = []
        page_after = streaming.positions.list_after

        async def counted(tx, user_id, position, limit):
            looks.append(position)
            return await page_after(tx, user_id, position, limit)

        slow = Listener(replicas[0], issuer)
        async with slow.listen() as stream:
            first = await stream.next("unread")
        hub = streaming.hub_of(replicas[0].process.runtime)
        await until(lambda: hub.count == 0)
        pages = 8
        async with databases[0].transaction("demo") as tx:
            for number in range(pages * streaming.PAGE):
                params = {**notice(number).params, "course": "c" * 40_000}
                await notices.tell(tx, slow.id, Notice(Kind.ENROLLED, params, uuid4()))
        monkeypatch.setattr(streaming.positions, "list_after", counted)
        monkeypatch.setattr(answers, "STALL_S", 0.5)
        async with slow.listen(after=first.id, read_bufsize=1024):
            await until(lambda: looks)
            await until(lambda: hub.count == 0)
        assert 0 < len(looks) < pages


class TestThroughGateway:
    @pytest_asyncio.fixture(loop_scope="module")
    async def outside(self, replicas, identity_url, issuer):
        """Address of a gateway before both replicas' service."""
        settings = GatewaySettings(
            port=0,
            token_issuer=issuer.issuer,
            jwks_url=f"{identity_url}/.well-known/jwks.json",
            upstreams={"notification": replicas[0].url},
            total_timeout="PT0.2S",
        )
        async with running(gateway(settings)) as process:
            yield f"http://127.0.0.1:{process.http_port}"

    async def test_comes_as_it_happens_and_goes_on_where_it_ended(
        self, outside, databases, listener
    ):
        async with listener.listen(outside) as stream:
            await stream.next("unread")
            for number in range(3):
                await tell(databases[0], listener.id, number)
                seen = await stream.next("notification")
                assert numbers([seen]) == [number]
        await tell(databases[0], listener.id, 3)
        async with listener.listen(outside, after=seen.id) as stream:
            assert numbers([await stream.next("notification")]) == [3]

    async def test_ends_at_the_service_when_the_client_leaves(self, outside, replicas, listener):
        hub = streaming.hub_of(replicas[0].process.runtime)
        await until(lambda: hub.count == 0)
        async with listener.listen(outside) as stream:
            await stream.next("unread")
            assert hub.count == 1
        await until(lambda: hub.count == 0)
