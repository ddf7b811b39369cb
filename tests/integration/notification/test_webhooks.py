"""Webhooks from the route to the receiver: what is sent, when again, when no more, and what its owner sees."""

import asyncio
import base64
import hashlib
import hmac
from uuid import uuid4

import pytest
import pytest_asyncio

from integration.notification.conftest import open_http
from integration.notification.test_events import enrolment, lesson, published
from integration.notification.test_feed import Reader
from integration.notification.test_stream import notice
from kourse.contracts import events
from kourse.kit.vault import Vault
from kourse.notification.domain import webhooks as rules
from kourse.notification.repository import notices
from kourse.notification.schemas.messages import NotificationView
from kourse.notification.service.calling import HttpCaller
from kourse.notification.service.hooking import Hooking
from kourse.notification.settings import NotificationSettings
from support import receivers
from support.receivers import answering, receiving
from support.serving import Identity, serving
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALL = "/v1/notifications/webhooks"
KEY = bytes(range(64))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(scratch, issuer, tmp_path_factory):
    """The service with webhooks, whose own loop sleeps."""
    key = tmp_path_factory.mktemp("keys") / "data-key"
    key.write_bytes(KEY)
    how = {"data_key_file": key, "webhook_plain_http": True, "webhook_poll_s": 60}
    async with (
        serving(Identity(issuer).app) as identity_url,
        open_http(scratch, issuer, identity_url, **how) as client,
    ):
        yield client


@pytest.fixture
def hooking_of(databases):
    """Makes senders, each as a process of its own would be."""

    def make(**changes):
        settings = NotificationSettings(port=0, webhook_networks=["127.0.0.0/8"], **changes)
        return Hooking(
            *databases,
            vault=Vault(KEY, "webhook"),
            caller=HttpCaller(
                timeout_s=settings.webhook_timeout_s, permitted=settings.webhook_networks
            ),
            shown=lambda entry: NotificationView.of(entry).model_dump(mode="json", by_alias=True),
            settings=settings,
        )

    return make


@pytest.fixture
def hooking(hooking_of):
    return hooking_of(webhook_timeout_s=60)


@pytest.fixture(autouse=True)
def _nothing_of_others(sql):
    """No test calls what another has left."""
    sql("TRUNCATE notification.webhook CASCADE")


@pytest_asyncio.fixture(loop_scope="module")
async def receiver():
    async with receiving() as found:
        yield found


class Owner(Reader):
    """Somebody with webhooks."""

    async def send(self, method, path="", body=None, key=None):
        headers = {**self.headers, **({"idempotency-key": key} if key else {})}
        answer = await self._http.request(method, f"{ALL}{path}", json=body, headers=headers)
        return answer.status, None if answer.status == 204 else await answer.json(content_type=None)

    async def add(self, url, **wish):
        """Id and secret of a new webhook."""
        status, made = await self.send("POST", body={"url": url, **wish})
        assert status == 201, made
        return made["webhook"]["id"], made["secret"]

    async def one(self, webhook_id):
        return (await self.send("GET", f"/{webhook_id}"))[1]

    async def log(self, webhook_id):
        return (await self.send("GET", f"/{webhook_id}/deliveries"))[1]["items"]


@pytest.fixture
def owner(http, issuer):
    return Owner(http, issuer)


async def tell(databases, user_id, number=1):
    async with databases[0].transaction("demo") as tx:
        await notices.tell(tx, user_id, notice(number))


def signed(request, secret):
    """The signature that the request must carry, computed as the specification says."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    stamp = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}."
    digest = hmac.new(key, stamp.encode() + request.body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def due_now(sql):
    sql("UPDATE notification.webhook_delivery SET due_at = now() WHERE state = 'pending'")


class TestMessage:
    async def test_says_what_the_feed_says_and_is_signed(self, bus, owner, receiver, hooking):
        course_id = uuid4()
        await bus.send(events.UserRegistered(user_id=owner.id, display_name="Ana", locale="de"))
        await bus.send(published(course_id))
        await bus.send(enrolment(owner.id, course_id))
        webhook_id, secret = await owner.add(receiver.url)
        await bus.send(lesson(owner.id, course_id, uuid4()))

        await hooking.round()

        (request,) = receiver.requests
        (newest, *_) = (await owner.get("/v1/notifications"))["items"]
        assert request.json["type"] == "notification.lesson-completed"
        assert request.json["data"] == newest
        assert request.json["data"]["title"] == "Lektion abgeschlossen: The mean"
        assert request.headers["webhook-signature"] == signed(request, secret)
        (entry,) = await owner.log(webhook_id)
        assert (entry["state"], entry["status"], entry["outcome"]) == ("delivered", 204, "accepted")
        assert entry["id"] == request.headers["webhook-id"]

    async def test_goes_to_every_webhook_that_wants_its_kind(
        self, databases, owner, receiver, hooking
    ):
        all_of_them, _ = await owner.add(receiver.url)
        wanted, _ = await owner.add(receiver.url, kinds=["enrolled"])
        other, _ = await owner.add(receiver.url, kinds=["exam-graded"])
        await tell(databases, owner.id)

        await hooking.round()

        assert [len(await owner.log(one)) for one in (all_of_them, wanted, other)] == [1, 1, 0]

    async def test_does_not_go_where_the_kind_is_refused_for_webhooks(
        self, databases, owner, receiver, hooking, http
    ):
        webhook_id, _ = await owner.add(receiver.url)
        wish = {"email": True, "kinds": {"enrolled": {"webhook": False}}}
        path = "/v1/notifications/preferences"
        assert (await http.put(path, json=wish, headers=owner.headers)).status == 200
        await tell(databases, owner.id)

        assert await owner.log(webhook_id) == []
        assert len((await owner.get("/v1/notifications"))["items"]) == 1

    async def test_never_goes_to_somebody_elses(self, databases, owner, http, issuer, receiver):
        stranger = Owner(http, issuer)
        webhook_id, _ = await stranger.add(receiver.url)
        await tell(databases, owner.id)

        assert await stranger.log(webhook_id) == []


class TestSecret:
    async def test_is_shown_once_and_stored_sealed(self, owner, receiver, sql):
        webhook_id, secret = await owner.add(receiver.url)
        raw = base64.b64decode(secret.removeprefix("whsec_"))

        ((sealed,),) = sql("SELECT sealed FROM notification.webhook WHERE id = %s", webhook_id)
        assert raw not in bytes(sealed)
        assert "secret" not in await owner.one(webhook_id)

    async def test_that_was_renewed_signs_beside_the_former_one_for_a_day(
        self, databases, owner, receiver, hooking, sql
    ):
        webhook_id, former = await owner.add(receiver.url)
        _, renewed = await owner.send("POST", f"/{webhook_id}/secret")
        assert renewed["webhook"]["formerSecretUntil"] is not None
        await tell(databases, owner.id)
        await hooking.round()
        sql("UPDATE notification.webhook SET former_until = now() WHERE id = %s", webhook_id)
        await tell(databases, owner.id)
        await hooking.round()

        during, after = receiver.requests
        both = [signed(during, renewed["secret"]), signed(during, former)]
        assert during.headers["webhook-signature"].split(" ") == both
        assert after.headers["webhook-signature"] == signed(after, renewed["secret"])

    async def test_is_not_shown_to_a_repeat(self, owner, receiver):
        key = str(uuid4())
        first = await owner.send("POST", body={"url": receiver.url}, key=key)
        again = await owner.send("POST", body={"url": receiver.url}, key=key)

        assert first[1]["secret"].startswith("whsec_")
        assert (again[0], again[1]["secret"]) == (201, None)
        assert again[1]["webhook"] == first[1]["webhook"]
        assert len((await owner.send("GET"))[1]["items"]) == 1

    async def test_cannot_be_kept_without_a_data_key(self, scratch, issuer):
        async with (
            serving(Identity(issuer).app) as identity_url,
            open_http(scratch, issuer, identity_url) as bare,
        ):
            someone = Owner(bare, issuer)
            status, problem = await someone.send("POST", body={"url": "https://hooks.example/"})
        assert (status, problem["code"]) == (503, "unavailable")


class TestFailure:
    @pytest.mark.parametrize(
        ("answer", "outcome", "status"),
        [
            (answering(500), "refused", 500),
            (answering(302, "location: /elsewhere"), "refused", 302),
            (answering(404), "refused", 404),
            (receivers.reset, "broken-off", None),
            (b"", "broken-off", None),
        ],
        ids=["error", "redirect", "missing", "reset", "hang-up"],
    )
    async def test_is_tried_again_later_under_the_same_id(
        self, databases, owner, receiver, hooking, sql, answer, outcome, status
    ):
        webhook_id, secret = await owner.add(receiver.url)
        receiver.answer = answer
        await tell(databases, owner.id)
        await hooking.round()
        (entry,) = await owner.log(webhook_id)
        assert (entry["state"], entry["outcome"], entry["status"]) == ("pending", outcome, status)
        assert entry["dueAt"] > entry["createdAt"]
        assert (await owner.one(webhook_id))["failures"] == 1

        receiver.answer = receivers.OK
        assert await hooking.round() == 0
        due_now(sql)
        await hooking.round()

        ids = {request.headers["webhook-id"] for request in receiver.requests}
        assert ids == {entry["id"]}
        assert receiver.requests[-1].headers["webhook-signature"] == signed(
            receiver.requests[-1], secret
        )
        (entry,) = await owner.log(webhook_id)
        assert (entry["state"], entry["attempts"]) == ("delivered", 2)
        after = await owner.one(webhook_id)
        assert (after["failures"], after["failingSince"]) == (0, None)

    async def test_waits_as_long_as_the_endpoint_asks(
        self, databases, owner, receiver, hooking, sql
    ):
        await owner.add(receiver.url)
        receiver.answer = answering(429, "retry-after: 3600")
        await tell(databases, owner.id)
        await hooking.round()

        ((wait,),) = sql(
            "SELECT extract(epoch FROM due_at - now())::int FROM notification.webhook_delivery"
        )
        assert 3000 < wait <= 3600

    async def test_is_given_up_after_three_days(self, databases, owner, receiver, hooking, sql):
        webhook_id, _ = await owner.add(receiver.url)
        receiver.answer = answering(500)
        await tell(databases, owner.id)
        sql("UPDATE notification.webhook_delivery SET asked_at = asked_at - interval '3 days'")
        await hooking.round()

        (entry,) = await owner.log(webhook_id)
        assert (entry["state"], entry["outcome"]) == ("failed", "refused")
        due_now(sql)
        assert await hooking.round() == 0

    async def test_of_a_slow_endpoint_delays_no_other(
        self, databases, owner, http, issuer, receiver, hooking
    ):
        other = Owner(http, issuer)
        async with receiving() as slow:
            slow.answer = receivers.silence
            slow_id, _ = await owner.add(slow.url)
            quick_id, _ = await other.add(receiver.url)
            for number in range(30):
                await tell(databases, owner.id, number)
            await tell(databases, other.id)
            stuck = asyncio.create_task(hooking.round())

            async def is_there():
                return (await other.log(quick_id))[0]["state"] == "delivered"

            await until(is_there)
            assert len(slow.requests) <= 4
            stuck.cancel()
            await asyncio.gather(stuck, return_exceptions=True)
        assert {one["state"] for one in await owner.log(slow_id)} == {"pending"}


class TestClaim:
    async def test_keeps_a_delivery_from_being_in_flight_twice(
        self, databases, owner, receiver, hooking_of
    ):
        may_answer = asyncio.Event()

        async def wait(writer):
            await may_answer.wait()
            writer.write(receivers.OK)

        receiver.answer = wait
        webhook_id, _ = await owner.add(receiver.url)
        await tell(databases, owner.id)
        rounds = [asyncio.create_task(hooking_of(webhook_timeout_s=60).round()) for _ in range(4)]
        await until(lambda: receiver.requests)
        await until(lambda: sum(one.done() for one in rounds) == 3)
        may_answer.set()
        claimed = await asyncio.gather(*rounds)

        assert (sorted(claimed), len(receiver.requests)) == ([0, 0, 0, 1], 1)
        assert [one["state"] for one in await owner.log(webhook_id)] == ["delivered"]

    async def test_of_a_process_that_died_is_taken_over_under_the_same_id(
        self, databases, owner, receiver, hooking_of, sql
    ):
        receiver.answer = receivers.silence
        webhook_id, _ = await owner.add(receiver.url)
        await tell(databases, owner.id)
        dying = asyncio.create_task(hooking_of(webhook_timeout_s=60).round())
        await until(lambda: receiver.requests)
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
        receiver.answer = receivers.OK
        assert await hooking_of().round() == 0  # the lease lasts
        due_now(sql)
        assert await hooking_of().round() == 1

        one, other = receiver.requests
        assert one.headers["webhook-id"] == other.headers["webhook-id"]
        assert [entry["state"] for entry in await owner.log(webhook_id)] == ["delivered"]

    async def test_that_has_lapsed_settles_nothing(
        self, databases, owner, receiver, hooking_of, sql
    ):
        may_answer = asyncio.Event()

        async def late(writer):
            await may_answer.wait()
            writer.write(answering(500))

        receiver.answer = late
        webhook_id, _ = await owner.add(receiver.url)
        await tell(databases, owner.id)
        slow = asyncio.create_task(hooking_of(webhook_timeout_s=60).round())
        await until(lambda: receiver.requests)
        receiver.answer = receivers.OK
        due_now(sql)
        await hooking_of().round()
        may_answer.set()
        await slow

        assert [one["state"] for one in await owner.log(webhook_id)] == ["delivered"]
        assert (await owner.one(webhook_id))["failures"] == 0


class TestHealth:
    async def test_of_an_endpoint_that_is_gone_ends_at_once(
        self, databases, owner, receiver, hooking
    ):
        webhook_id, _ = await owner.add(receiver.url)
        receiver.answer = answering(410)
        await tell(databases, owner.id)
        await hooking.round()
        await tell(databases, owner.id)

        assert (await owner.one(webhook_id))["disabled"] == "gone"
        assert [one["state"] for one in await owner.log(webhook_id)] == ["failed"]
        assert await hooking.round() == 0

    async def test_of_an_endpoint_that_fails_for_days_ends_and_its_owner_is_told_once(
        self, databases, owner, receiver, hooking, sql
    ):
        webhook_id, _ = await owner.add(receiver.url)
        receiver.answer = answering(500)
        for number in range(3):
            await tell(databases, owner.id, number)
        sql(
            "UPDATE notification.webhook SET failures = 9, failing_since = now() - interval '3 days'"
        )
        await hooking.round()

        assert (await owner.one(webhook_id))["disabled"] == "failing"
        assert {one["state"] for one in await owner.log(webhook_id)} == {"dropped"}
        feed = (await owner.get("/v1/notifications"))["items"]
        (told,) = [one for one in feed if one["type"] == "webhook-disabled"]
        assert "127.0.0.1" in told["title"]
        assert told["data"]["webhookId"] == webhook_id

    async def test_is_forgiven_when_the_owner_enables_it(self, databases, owner, receiver, hooking):
        webhook_id, _ = await owner.add(receiver.url)
        receiver.answer = answering(410)
        await tell(databases, owner.id)
        await hooking.round()
        receiver.answer = receivers.OK
        assert (await owner.send("PATCH", f"/{webhook_id}", {"enabled": True}))[0] == 200
        (missed,) = await owner.log(webhook_id)
        path = f"/{webhook_id}/deliveries/{missed['id']}/redelivery"
        assert (await owner.send("POST", path))[0] == 202
        await hooking.round()

        after = await owner.one(webhook_id)
        assert (after["disabled"], after["failures"]) == (None, 0)
        (entry,) = [one for one in await owner.log(webhook_id) if one["id"] == missed["id"]]
        assert entry["state"] == "delivered"

    async def test_ends_by_its_owners_wish_with_all_that_waits(
        self, databases, owner, receiver, hooking
    ):
        webhook_id, _ = await owner.add(receiver.url)
        await tell(databases, owner.id)
        _, changed = await owner.send("PATCH", f"/{webhook_id}", {"enabled": False})
        await tell(databases, owner.id)

        assert changed["disabled"] == "owner"
        assert await hooking.round() == 0
        assert [one["state"] for one in await owner.log(webhook_id)] == ["dropped"]
        feed = (await owner.get("/v1/notifications"))["items"]
        assert {one["type"] for one in feed} == {"enrolled"}


class TestTest:
    async def test_is_delivered_and_tells_what_came_of_it(self, owner, receiver, hooking):
        webhook_id, secret = await owner.add(receiver.url, kinds=["exam-graded"])
        status, made = await owner.send("POST", f"/{webhook_id}/test")
        assert (status, made["type"], made["state"]) == (202, "webhook.test", "pending")
        await hooking.round()

        (request,) = receiver.requests
        assert request.json["data"] == {"webhookId": webhook_id}
        assert request.headers["webhook-signature"] == signed(request, secret)
        (entry,) = await owner.log(webhook_id)
        assert (entry["id"], entry["state"]) == (made["id"], "delivered")

    async def test_is_refused_for_one_that_is_disabled(self, owner, receiver):
        webhook_id, _ = await owner.add(receiver.url)
        await owner.send("PATCH", f"/{webhook_id}", {"enabled": False})
        status, problem = await owner.send("POST", f"/{webhook_id}/test")

        assert (status, problem["code"]) == (409, "webhook-disabled")


class TestLog:
    async def test_goes_on_by_pages_newest_first(self, databases, owner, receiver):
        webhook_id, _ = await owner.add(receiver.url)
        for number in range(5):
            await tell(databases, owner.id, number)
        path, seen = f"/{webhook_id}/deliveries?limit=2", []
        following = ""
        while following is not None:
            _, page = await owner.send("GET", path + (f"&after={following}" if following else ""))
            seen += page["items"]
            following = page["next"]

        moments = [one["createdAt"] for one in seen]
        assert (len({one["id"] for one in seen}), moments) == (5, sorted(moments, reverse=True))

    async def test_keeps_the_last_ones_that_are_settled(
        self, databases, owner, receiver, hooking, monkeypatch
    ):
        monkeypatch.setattr("kourse.notification.repository.calls.LOG_LENGTH", 3)
        webhook_id, _ = await owner.add(receiver.url)
        for number in range(6):
            await tell(databases, owner.id, number)
        while await hooking.round():
            pass

        assert len(receiver.requests) == 6
        assert len(await owner.log(webhook_id)) == 3

    async def test_has_no_delivery_that_is_on_its_way_sent_again(self, databases, owner, receiver):
        webhook_id, _ = await owner.add(receiver.url)
        await tell(databases, owner.id)
        (entry,) = await owner.log(webhook_id)
        status, problem = await owner.send(
            "POST", f"/{webhook_id}/deliveries/{entry['id']}/redelivery"
        )
        assert (status, problem["code"]) == (409, "delivery-pending")


class TestRoutes:
    async def test_know_nobody_elses(self, databases, owner, http, issuer, receiver):
        webhook_id, _ = await owner.add(receiver.url)
        await tell(databases, owner.id)
        (entry,) = await owner.log(webhook_id)
        stranger = Owner(http, issuer)
        one = f"/{webhook_id}"
        for method, path, body in [
            ("GET", one, None),
            ("PATCH", one, {"description": "mine"}),
            ("DELETE", one, None),
            ("POST", f"{one}/secret", None),
            ("POST", f"{one}/test", None),
            ("GET", f"{one}/deliveries", None),
            ("POST", f"{one}/deliveries/{entry['id']}/redelivery", None),
        ]:
            status, problem = await stranger.send(method, path, body)
            assert (status, problem["code"]) == (404, "not-found"), path
        assert (await stranger.send("GET"))[1]["items"] == []
        mine, _ = await stranger.add(receiver.url)
        status, _ = await stranger.send("POST", f"/{mine}/deliveries/{entry['id']}/redelivery")
        assert status == 404

    @pytest.mark.parametrize("url", ["ftp://hooks.example/", "https://a:b@hooks.example/", "hooks"])
    async def test_take_no_address_that_cannot_be_called(self, owner, receiver, url):
        webhook_id, _ = await owner.add(receiver.url)
        added = await owner.send("POST", body={"url": url})
        changed = await owner.send("PATCH", f"/{webhook_id}", {"url": url})
        for status, problem in (added, changed):
            assert (status, problem["code"]) == (422, "webhook-refused")

    async def test_take_no_kind_that_webhooks_do_not_get(self, owner):
        body = {"url": "https://hooks.example/", "kinds": ["verification"]}
        assert (await owner.send("POST", body=body))[0] == 422

    async def test_take_no_more_than_a_person_may_have(self, owner):
        answers = await asyncio.gather(
            *(owner.send("POST", body={"url": "https://hooks.example/"}) for _ in range(13))
        )
        assert sorted(status for status, _ in answers) == [201] * rules.MOST_WEBHOOKS + [409] * 3
        assert {body["code"] for status, body in answers if status == 409} == {"too-many-webhooks"}

    async def test_delete_a_webhook_with_its_log(self, databases, owner, receiver, sql):
        webhook_id, _ = await owner.add(receiver.url)
        await tell(databases, owner.id)
        assert (await owner.send("DELETE", f"/{webhook_id}"))[0] == 204
        assert (await owner.send("GET", f"/{webhook_id}"))[0] == 404
        assert sql("SELECT count(*) FROM notification.webhook_delivery") == [(0,)]

    async def test_forget_the_webhooks_of_a_deleted_account(
        self, bus, databases, owner, receiver, sql
    ):
        await owner.add(receiver.url)
        await tell(databases, owner.id)
        await bus.send(events.UserDeleted(user_id=owner.id))
        assert sql("SELECT count(*) FROM notification.webhook") == [(0,)]


class TestLoop:
    async def test_calls_what_comes_up_by_itself(
        self, scratch, issuer, databases, tmp_path, receiver
    ):
        key = tmp_path / "data-key"
        key.write_bytes(KEY)

        how = {
            "data_key_file": key,
            "webhook_plain_http": True,
            "webhook_networks": ["127.0.0.0/8"],
            "webhook_poll_s": 0.02,
        }
        async with (
            serving(Identity(issuer).app) as identity_url,
            open_http(scratch, issuer, identity_url, **how) as client,
        ):
            someone = Owner(client, issuer)
            await someone.add(receiver.url)
            await tell(databases, someone.id)
            await until(lambda: receiver.requests)
