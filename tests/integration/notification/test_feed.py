"""Feed, points and preferences over real HTTP and gRPC."""

import asyncio
from uuid import UUID, uuid4

import grpc.aio
import pytest

from integration.notification.test_events import enrolment, lesson, mailed, published, score
from kourse.contracts import events
from kourse.notification.domain.preferences import OPTIONAL
from kourse_rpc.notification.v1 import notification_pb2, notification_pb2_grpc

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Reader:
    """Somebody with a token, and the routes they call."""

    def __init__(self, http, issuer, *, tenant="demo", roles=("learner",)):
        self.id = uuid4()
        self._http = http
        token = issuer.token(sub=str(self.id), tenant=tenant, roles=list(roles))
        self.headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path):
        answer = await self._http.get(path, headers=self.headers)
        assert answer.status == 200, await answer.text()
        return await answer.json()

    async def read(self, notification_id):
        path = f"/v1/notifications/{notification_id}/read"
        return (await self._http.post(path, headers=self.headers)).status


@pytest.fixture
def reader(http, issuer):
    return Reader(http, issuer)


@pytest.fixture
def stranger(http, issuer):
    return Reader(http, issuer)


class TestListNotifications:
    async def test_is_refused_to_somebody_without_a_token(self, http):
        assert (await http.get("/v1/notifications")).status == 401

    async def test_is_refused_to_somebody_without_a_role(self, http, issuer):
        nobody = Reader(http, issuer, roles=())

        assert (await http.get("/v1/notifications", headers=nobody.headers)).status == 403

    async def test_shows_nobody_elses(self, bus, reader, stranger):
        await bus.send(events.UserRegistered(user_id=reader.id, display_name="Ana"))

        assert (await stranger.get("/v1/notifications"))["items"] == []

    async def test_shows_nothing_of_the_same_person_in_another_tenant(self, bus, http, issuer):
        there = Reader(http, issuer, tenant="elsewhere")
        await bus.send(events.UserRegistered(user_id=there.id, display_name="Ana"))

        assert (await there.get("/v1/notifications"))["items"] == []

    async def test_shows_the_newest_first_in_the_readers_language(self, bus, reader):
        course_id = uuid4()
        await bus.send(events.UserRegistered(user_id=reader.id, display_name="Ana", locale="de"))
        await bus.send(published(course_id))
        await bus.send(enrolment(reader.id, course_id))
        await bus.send(lesson(reader.id, course_id, uuid4()))

        feed = await reader.get("/v1/notifications")

        assert [one["type"] for one in feed["items"]] == ["lesson-completed", "enrolled", "welcome"]
        assert feed["items"][0]["title"] == "Lektion abgeschlossen: The mean"
        assert feed["items"][0]["text"] == "1 von 16 Lektionen in Statistics geschafft."
        assert feed["items"][0]["data"]["courseId"] == str(course_id)
        assert (feed["unread"], feed["next"]) == (3, None)

    async def test_does_not_wait_for_a_title_that_has_not_arrived(self, bus, reader):
        await bus.send(enrolment(reader.id, uuid4()))

        (entry,) = (await reader.get("/v1/notifications"))["items"]

        assert entry["text"] == "statistics is yours to study."

    async def test_comes_page_by_page_without_gaps_or_repeats(self, bus, reader):
        for _ in range(5):
            await bus.send(lesson(reader.id, uuid4(), uuid4()))
        seen, path = [], "/v1/notifications?limit=2"
        while path:
            page = await reader.get(path)
            seen += [UUID(one["id"]) for one in page["items"]]
            path = page["next"] and f"/v1/notifications?limit=2&after={page['next']}"

        assert len(seen) == len(set(seen)) == 5

    @pytest.mark.parametrize("query", ["after=x", "after=WzEsMl0", "limit=0", "limit=1000"])
    async def test_refuses_a_query_that_makes_no_sense(self, http, reader, query):
        answer = await http.get(f"/v1/notifications?{query}", headers=reader.headers)

        assert answer.status in {400, 422}


class TestMarkNotificationRead:
    async def test_is_refused_to_somebody_without_a_token(self, http):
        assert (await http.post(f"/v1/notifications/{uuid4()}/read")).status == 401

    async def test_knows_nothing_of_somebody_elses(self, bus, reader, stranger):
        await bus.send(enrolment(reader.id, uuid4()))
        (entry,) = (await reader.get("/v1/notifications"))["items"]

        assert await stranger.read(entry["id"]) == 404
        assert await stranger.read(uuid4()) == 404

    async def test_counts_the_first_time_and_may_be_repeated(self, bus, reader):
        await bus.send(enrolment(reader.id, uuid4()))
        (entry,) = (await reader.get("/v1/notifications"))["items"]

        statuses = await asyncio.gather(*(reader.read(entry["id"]) for _ in range(3)))
        first = await reader.get("/v1/notifications")
        await reader.read(entry["id"])
        second = await reader.get("/v1/notifications")

        assert statuses == [204, 204, 204]
        assert first["unread"] == 0
        assert first["items"][0]["readAt"] == second["items"][0]["readAt"] is not None


class TestReadPoints:
    async def test_is_refused_to_somebody_without_a_token(self, http):
        assert (await http.get("/v1/points")).status == 401

    async def test_is_nothing_at_the_first_level_for_somebody_new(self, reader):
        assert await reader.get("/v1/points") == {
            "points": 0,
            "level": 1,
            "nextLevelAt": 100,
            "entries": [],
            "next": None,
        }

    async def test_explains_every_point(self, bus, reader):
        course_id = uuid4()
        await bus.send(published(course_id))
        await bus.send(lesson(reader.id, course_id, uuid4(), completed=16))
        await bus.send(score(reader.id))

        found = await reader.get("/v1/points")

        assert (found["points"], found["level"], found["nextLevelAt"]) == (160, 2, 300)
        assert sum(entry["points"] for entry in found["entries"]) == 160
        assert {entry["text"] for entry in found["entries"]} == {
            "10 points for completing the lesson “The mean” in Statistics.",
            "100 points for completing every lesson of Statistics.",
            "50 points for passing “Final” in Statistics.",
        }

    async def test_explains_them_page_by_page(self, bus, reader):
        for _ in range(3):
            await bus.send(lesson(reader.id, uuid4(), uuid4()))

        first = await reader.get("/v1/points?limit=2")
        second = await reader.get(f"/v1/points?limit=2&after={first['next']}")

        assert (first["points"], second["points"]) == (30, 30)
        assert [len(page["entries"]) for page in (first, second)] == [2, 1]


class TestReadingAll:
    async def post(self, http, reader, through):
        return await http.post(
            "/v1/notifications/read", json={"through": str(through)}, headers=reader.headers
        )

    async def test_leaves_unread_what_came_after_what_was_seen(self, bus, http, reader):
        course_id = uuid4()
        for _ in range(3):
            await bus.send(enrolment(reader.id, course_id))
        newest, seen, oldest = (await reader.get("/v1/notifications"))["items"]

        answer = await self.post(http, reader, seen["id"])

        assert (answer.status, await answer.json()) == (200, {"unread": 1})
        found = (await reader.get("/v1/notifications"))["items"]
        assert [one["readAt"] is None for one in found] == [True, False, False]
        assert [one["id"] for one in found] == [newest["id"], seen["id"], oldest["id"]]

    async def test_keeps_the_time_at_which_each_was_read_first(self, bus, http, reader):
        await bus.send(enrolment(reader.id, uuid4()))
        (entry,) = (await reader.get("/v1/notifications"))["items"]
        await self.post(http, reader, entry["id"])
        (first,) = (await reader.get("/v1/notifications"))["items"]

        await self.post(http, reader, entry["id"])

        assert (await reader.get("/v1/notifications"))["items"] == [first]

    async def test_reaches_nobody_elses_feed(self, bus, http, issuer, reader):
        other = Reader(http, issuer)
        await bus.send(enrolment(other.id, uuid4()))
        (entry,) = (await other.get("/v1/notifications"))["items"]

        assert (await self.post(http, reader, entry["id"])).status == 404
        assert (await other.get("/v1/notifications"))["unread"] == 1


class TestPreferences:
    async def test_are_refused_to_somebody_without_a_token(self, http):
        assert (await http.get("/v1/notifications/preferences")).status == 401
        assert (await http.put("/v1/notifications/preferences", json={})).status == 401

    async def test_are_mail_until_the_person_says_otherwise(self, http, reader):
        assert (await reader.get("/v1/notifications/preferences"))["email"] is True

        answer = await http.put(
            "/v1/notifications/preferences", json={"email": False}, headers=reader.headers
        )

        assert answer.status == 200
        assert (await reader.get("/v1/notifications/preferences"))["email"] is False

    async def test_refuse_a_field_that_they_do_not_know(self, http, reader):
        answer = await http.put(
            "/v1/notifications/preferences",
            json={"email": False, "userId": str(uuid4())},
            headers=reader.headers,
        )

        assert answer.status == 422

    async def test_name_every_kind_that_can_be_refused(self, http, reader):
        found = await reader.get("/v1/notifications/preferences")

        assert set(found["kinds"]) == {kind.value for kind in OPTIONAL}
        assert found["kinds"]["exam-graded"] == {"feed": True, "email": True, "webhook": True}
        assert found["quietHours"] is None
        assert found["weeklyDigest"] == {"day": "monday", "at": "08:00"}

    async def test_are_what_was_asked_for_last(self, http, reader):
        wanted = {
            "email": True,
            "kinds": {"lesson-completed": {"feed": False, "email": True}},
            "quietHours": {"starts": "22:00", "ends": "07:30"},
            "weeklyDigest": {"day": "sunday", "at": "18:30"},
        }

        await http.put("/v1/notifications/preferences", json=wanted, headers=reader.headers)
        found = await reader.get("/v1/notifications/preferences")

        refused = {"feed": False, "email": True, "webhook": True}
        assert found["kinds"]["lesson-completed"] == refused
        assert found["kinds"]["exam-graded"] == {"feed": True, "email": True, "webhook": True}
        assert found["quietHours"] == wanted["quietHours"]
        assert found["weeklyDigest"] == wanted["weeklyDigest"]

    @pytest.mark.parametrize(
        "wanted",
        [
            {"email": True, "kinds": {"password-changed": {"email": False}}},
            {"email": True, "kinds": {"gossip": {"email": False}}},
            {"email": True, "quietHours": {"starts": "22:00"}},
            {"email": True, "quietHours": {"starts": "22:00", "ends": "25:00"}},
            {"email": True, "weeklyDigest": {"day": "someday"}},
            {"email": True, "weeklyDigest": {"day": "sunday", "at": "24:00"}},
        ],
    )
    async def test_cannot_be_what_makes_no_sense(self, http, reader, wanted):
        answer = await http.put(
            "/v1/notifications/preferences", json=wanted, headers=reader.headers
        )

        assert answer.status == 422

    async def test_keep_a_refused_kind_out_of_the_feed_alone(self, bus, http, reader, sql):
        wanted = {"email": True, "kinds": {"welcome": {"feed": False}}}
        await http.put("/v1/notifications/preferences", json=wanted, headers=reader.headers)

        await bus.send(events.UserRegistered(user_id=reader.id, display_name="Ana"))

        assert (await reader.get("/v1/notifications"))["items"] == []
        assert mailed(sql, reader.id) == ["welcome"]


class TestUnsubscribe:
    async def test_needs_the_link_of_a_mail_and_no_token(self, bus, http, reader, sql):
        await bus.send(events.UserRegistered(user_id=reader.id, display_name="Ana"))
        ((key,),) = sql(
            "SELECT unsubscribe_key FROM notification.recipient WHERE user_id = %s", reader.id
        )
        path = f"/v1/notifications/unsubscribe/demo/{key}"

        page = await http.get(path)
        assert (page.status, page.content_type) == (200, "text/html")
        assert (await reader.get("/v1/notifications/preferences"))["email"] is True

        clicked = await http.post(path, data={"List-Unsubscribe": "One-Click"})
        assert clicked.status == 204
        assert (await reader.get("/v1/notifications/preferences"))["email"] is False

    @pytest.mark.parametrize("tenant", ["demo", "elsewhere"])
    async def test_tells_nothing_of_a_key_that_nobody_has(self, http, tenant):
        answer = await http.post(f"/v1/notifications/unsubscribe/{tenant}/{uuid4()}")

        assert answer.status == 204

    async def test_does_not_reach_into_another_tenant(self, bus, http, reader, sql):
        await bus.send(events.UserRegistered(user_id=reader.id, display_name="Ana"))
        ((key,),) = sql(
            "SELECT unsubscribe_key FROM notification.recipient WHERE user_id = %s", reader.id
        )

        await http.post(f"/v1/notifications/unsubscribe/elsewhere/{key}")

        assert (await reader.get("/v1/notifications/preferences"))["email"] is True


class TestGetStanding:
    async def ask(self, http, learner_id, token=None):
        metadata = [("authorization", f"Bearer {token}")] if token else []
        async with grpc.aio.insecure_channel(f"127.0.0.1:{http.rpc_port}") as channel:
            stub = notification_pb2_grpc.NotificationServiceStub(channel)
            request = notification_pb2.GetStandingRequest(tenant="demo", learner_id=str(learner_id))
            return await stub.GetStanding(request, timeout=60, metadata=metadata)

    async def test_is_refused_without_a_service_token(self, http, issuer):
        for token in (None, issuer.token()):
            with pytest.raises(grpc.aio.AioRpcError) as refusal:
                await self.ask(http, uuid4(), token)
            assert refusal.value.code() is grpc.StatusCode.UNAUTHENTICATED

    async def test_is_the_sum_of_what_the_learner_sees(self, bus, http, issuer):
        learner = uuid4()
        await bus.send(lesson(learner, uuid4(), uuid4()))

        token = issuer.service_token("dashboard", "notification")
        standing = await self.ask(http, learner, token)

        assert (standing.points, standing.level, standing.unread) == (10, 1, 1)
