"""The learner's overview, gathered from siblings over real gRPC and kept in a real Redis."""

from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID, uuid4

import grpc
import pytest
import redis.asyncio as redis

from kourse.contracts.events import ContentPublished, LessonCompleted
from kourse.dashboard import api, consumers
from kourse.dashboard.settings import DashboardSettings
from kourse.kit.inbox import Delivery
from kourse.kit.inbox.cursor import Arrival
from kourse.kit.runtime import Service
from kourse.kit.settings import ServiceSettings
from kourse_rpc.assessment.v1 import assessment_pb2 as assessment
from kourse_rpc.assessment.v1 import assessment_pb2_grpc
from kourse_rpc.course.v1 import course_pb2 as course
from kourse_rpc.course.v1 import course_pb2_grpc
from kourse_rpc.notification.v1 import notification_pb2 as notification
from kourse_rpc.notification.v1 import notification_pb2_grpc
from kourse_rpc.profile.v1 import profile_pb2 as profile
from kourse_rpc.profile.v1 import profile_pb2_grpc
from support.client import Client, session_to
from support.serving import Identity, running, serving
from support.tokens import LEARNER, Issuer

OTHER = UUID(int=8)


class Facts:
    """What the siblings know; counts how often they are asked."""

    def __init__(self):
        self.completed = 1
        self.asked = 0
        self.silent = set()


class Siblings(
    course_pb2_grpc.CourseServiceServicer,
    assessment_pb2_grpc.AssessmentServiceServicer,
    profile_pb2_grpc.ProfileServiceServicer,
    notification_pb2_grpc.NotificationServiceServicer,
):
    """Answers for all four siblings, to the learner and tenant asked for only."""

    def __init__(self, facts):
        self.facts = facts

    async def _tell(self, name, request, context):
        self.facts.asked += 1
        if name in self.facts.silent:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "down")
        return request.tenant == "demo" and request.learner_id == str(LEARNER)

    async def ListProgress(self, request, context):  # noqa: N802 - the contract's name
        if not await self._tell("progress", request, context):
            return course.ListProgressResponse()
        row = course.Progress(
            enrolment_id=str(uuid4()),
            course="statistics",
            title="Statistics",
            version=2,
            completed=self.facts.completed,
            total=16,
            next_lesson="pictures-of-data",
        )
        return course.ListProgressResponse(progress=[row])

    async def ListMastery(self, request, context):  # noqa: N802 - the contract's name
        if not await self._tell("mastery", request, context):
            return assessment.ListMasteryResponse()
        row = assessment.Mastery(
            course="statistics",
            skill="centre",
            title="Centre",
            probability=0.75,
            answers=4,
            band="remediation",
        )
        return assessment.ListMasteryResponse(mastery=[row])

    async def ListScores(self, request, context):  # noqa: N802 - the contract's name
        await self._tell("scores", request, context)
        return assessment.ListScoresResponse()

    async def ListGoals(self, request, context):  # noqa: N802 - the contract's name
        await self._tell("goals", request, context)
        return profile.ListGoalsResponse(
            goals=[profile.Goal(id=str(uuid4()), title="Pass", target_date="2027-06-01")]
        )

    async def GetStanding(self, request, context):  # noqa: N802 - the contract's name
        await self._tell("points", request, context)
        return notification.GetStandingResponse(points=60, level=2, unread=3)


ADDERS = {
    "course": course_pb2_grpc.add_CourseServiceServicer_to_server,
    "assessment": assessment_pb2_grpc.add_AssessmentServiceServicer_to_server,
    "profile": profile_pb2_grpc.add_ProfileServiceServicer_to_server,
    "notification": notification_pb2_grpc.add_NotificationServiceServicer_to_server,
}


def sibling(name, facts, keys):
    """A service that offers one sibling's gRPC."""
    settings_class = type(f"{name}Settings", (ServiceSettings,), {}, service=name)
    return Service(
        settings=settings_class(port=0, **keys),
        title=name,
        servicers=(lambda server, _runtime: ADDERS[name](Siblings(facts), server),),
        needs=frozenset({"keys"}),
    )


@asynccontextmanager
async def dashboard_with(facts, cache_url):
    """The dashboard service beside its siblings."""
    issuer = Issuer()
    async with AsyncExitStack() as stack:
        identity = await stack.enter_async_context(serving(Identity(issuer).app))
        keys = {
            "token_issuer": issuer.issuer,
            "jwks_url": f"{identity}/.well-known/jwks.json",
            "identity_url": identity,
            "client_secret": "s3cret",
        }
        addresses = {}
        for name in ADDERS:
            process = await stack.enter_async_context(running(sibling(name, facts, keys)))
            addresses[f"{name}_rpc_addr"] = f"127.0.0.1:{process.rpc_port}"
        service = Service(
            settings=DashboardSettings(
                port=0, cache_url=cache_url, part_deadline="PT2M", **keys, **addresses
            ),
            title="dashboard",
            routers=(api.router,),
            needs=frozenset({"keys"}),
        )
        process = await stack.enter_async_context(running(service))
        session = await stack.enter_async_context(
            session_to(f"http://127.0.0.1:{process.http_port}")
        )
        yield SimpleNamespace(client=Client(session), runtime=process.runtime, issuer=issuer)


@pytest.fixture
async def cache_url(servers):
    """The cache, emptied."""
    async with redis.Redis.from_url(servers.endpoints.cache_url) as client:
        await client.flushdb()
    return servers.endpoints.cache_url


@pytest.fixture
def facts():
    return Facts()


async def overview(dashboard, learner=LEARNER, **claims):
    token = dashboard.issuer.token(sub=str(learner), **claims)
    answer = await dashboard.client.get(
        "/v1/dashboard", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status == 200, await answer.text()
    return await answer.json()


async def apply(dashboard, event):
    """What the consumer does when this event arrives."""
    handlers = consumers.handlers(dashboard.runtime)
    now = datetime.now(UTC)
    kind = event.kind
    delivery = Delivery(
        uuid4(), "demo", kind.name, kind.version, kind.stream.value, event.entity, 1, now, now
    )
    await handlers.apply(None, [Arrival(delivery, event.model_dump_json().encode())])


def lesson_completed(learner):
    return LessonCompleted(
        enrolment_id=uuid4(),
        learner_id=learner,
        course_id=uuid4(),
        course="statistics",
        lesson_id=uuid4(),
        lesson="what-data-are",
        title="What data are",
        completed=2,
        total=16,
    )


class TestReadDashboard:
    async def test_is_refused_without_a_token(self, facts, cache_url):
        async with dashboard_with(facts, cache_url) as dashboard:
            answer = await dashboard.client.get("/v1/dashboard")

        assert answer.status == 401

    async def test_joins_what_the_siblings_tell(self, facts, cache_url):
        async with dashboard_with(facts, cache_url) as dashboard:
            shown = await overview(dashboard)

        card = shown["courses"][0]
        assert (card["course"], card["completed"], card["total"]) == ("statistics", 1, 16)
        assert card["mastery"][0]["probability"] == 0.75
        assert shown["points"] == {"points": 60, "level": 2, "unread": 3}
        assert shown["partial"] == []

    async def test_asks_nobody_again_while_nothing_changes(self, facts, cache_url):
        async with dashboard_with(facts, cache_url) as dashboard:
            await overview(dashboard)
            asked = facts.asked
            await overview(dashboard)

        assert facts.asked == asked

    async def test_shows_a_completed_lesson_after_its_event(self, facts, cache_url):
        async with dashboard_with(facts, cache_url) as dashboard:
            await overview(dashboard)
            facts.completed = 2
            await apply(dashboard, lesson_completed(LEARNER))
            shown = await overview(dashboard)

        assert shown["courses"][0]["completed"] == 2

    async def test_keeps_the_view_when_somebody_else_completes_a_lesson(self, facts, cache_url):
        async with dashboard_with(facts, cache_url) as dashboard:
            await overview(dashboard)
            asked = facts.asked
            await apply(dashboard, lesson_completed(OTHER))
            await overview(dashboard)

        assert facts.asked == asked

    async def test_is_gathered_anew_for_everybody_when_content_is_published(self, facts, cache_url):
        published = ContentPublished(
            course_id=uuid4(),
            course="statistics",
            title="Statistics",
            version=3,
            digest="d",
            time_zone="UTC",
            lessons=[],
            skills=[],
        )
        async with dashboard_with(facts, cache_url) as dashboard:
            await overview(dashboard)
            asked = facts.asked
            await apply(dashboard, published)
            await overview(dashboard)

        assert facts.asked > asked

    @pytest.mark.parametrize("part", ["progress", "mastery", "scores", "goals", "points"])
    async def test_names_the_part_that_does_not_answer_and_keeps_no_partial_view(
        self, facts, cache_url, part
    ):
        facts.silent = {part}
        async with dashboard_with(facts, cache_url) as dashboard:
            partial = await overview(dashboard)
            facts.silent = set()
            whole = await overview(dashboard)

        assert partial["partial"] == [part]
        assert whole["partial"] == []

    async def test_never_shows_one_learners_view_to_another(self, facts, cache_url):
        async with dashboard_with(facts, cache_url) as dashboard:
            await overview(dashboard)
            shown = await overview(dashboard, OTHER)

        assert shown["courses"] == []

    async def test_never_crosses_tenants(self, facts, cache_url):
        async with dashboard_with(facts, cache_url) as dashboard:
            await overview(dashboard)
            shown = await overview(dashboard, tenant="other")

        assert shown["courses"] == []

    async def test_goes_on_without_a_cache(self, facts):
        async with dashboard_with(facts, "redis://127.0.0.1:1") as dashboard:
            shown = await overview(dashboard)

        assert shown["courses"][0]["completed"] == 1
