"""The dashboard on a real database and Redis, beside siblings that answer over real gRPC."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import grpc

from kourse.contracts import events
from kourse.dashboard.__main__ import service as dashboard_service
from kourse.dashboard.consumers import handlers
from kourse.dashboard.service import judging
from kourse.dashboard.settings import DashboardSettings
from kourse.kit.inbox import Delivery, Inbox
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
from support.houses import LEARNER, House
from support.serving import Identity, running, serving
from support.tokens import Issuer

COURSE_ID = UUID(int=100)


class Facts:
    """What the siblings know; counts how often they are asked."""

    def __init__(self):
        self.completed = 1
        self.asked = 0
        self.silent = set()
        self.due = {}
        self.at_risk = course.AtRisk(
            inactive_days=7, mastery_below=60, due_within_days=7, score_drop=15, missed=2
        )
        self.hold = None


class Siblings(
    course_pb2_grpc.CourseServiceServicer,
    assessment_pb2_grpc.AssessmentServiceServicer,
    profile_pb2_grpc.ProfileServiceServicer,
    notification_pb2_grpc.NotificationServiceServicer,
):
    """Answers for all four siblings, to the learner and tenant asked for only."""

    def __init__(self, facts):
        self.facts = facts

    async def _asked(self, name, context):
        self.facts.asked += 1
        if self.facts.hold is not None:
            await self.facts.hold.wait()
        if name in self.facts.silent:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "down")

    async def _tell(self, name, request, context):
        await self._asked(name, context)
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
            next_because="It is the next one.",
        )
        return course.ListProgressResponse(progress=[row])

    async def ListDue(self, request, context):  # noqa: N802 - the contract's name
        if not await self._tell("due", request, context):
            return course.ListDueResponse()
        return course.ListDueResponse(due=self.facts.due.get(LEARNER, []))

    async def BatchListDue(self, request, context):  # noqa: N802 - the contract's name
        await self._asked("due", context)
        if request.course == "nowhere":
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such course")
        return course.BatchListDueResponse(
            at_risk=self.facts.at_risk,
            learners=[
                course.LearnerDue(learner_id=one, due=self.facts.due.get(UUID(one), []))
                for one in request.learner_ids
            ],
        )

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

    async def ListProfiles(self, request, context):  # noqa: N802 - the contract's name
        await self._asked("names", context)
        return profile.ListProfilesResponse(
            profiles=[
                profile.Profile(learner_id=one, display_name=f"Learner {UUID(one).int}")
                for one in request.learner_ids
            ]
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


class Board:
    """The running dashboard, what it is told, and what people see of it."""

    def __init__(self, house, facts, inbox):
        self.house, self.facts, self._inbox = house, facts, inbox
        self.runtime = house.runtime
        self._last = {}

    async def tell(self, *told, tenant="demo", at=None):
        """The events take effect, and with them the marks of the views that they change."""
        at = at or datetime.now(UTC)
        for event in told:
            kind = event.kind
            key = (tenant, kind.stream, event.entity)
            self._last[key] = self._last.get(key, 0) + 1
            delivery = Delivery(
                uuid4(),
                tenant,
                kind.name,
                kind.version,
                kind.stream.value,
                event.entity,
                self._last[key],
                at,
                at,
            )
            await self._inbox.take([Arrival(delivery, event.model_dump_json().encode())])
        await self.settled()

    async def settled(self):
        """Returns once what runs beside transactions has ended."""
        beside = self.runtime.database._beside
        while beside:
            await asyncio.gather(*beside)

    async def judge(self):
        """The rules are applied to whom something changed for; how many that were."""
        looked = await judging.sweep(self.runtime)
        await self.settled()
        return looked

    async def see(self, path, **how):
        """What a person sees."""
        answer = await self.house.get(path, **how)
        assert answer.status == 200, answer.body
        return answer.body

    async def teach(self, path, **how):
        """What a teacher of the whole tenant sees."""
        return await self.see(path, **{"roles": ["teacher"], "who": UUID(int=99), **how})


@asynccontextmanager
async def opened(facts, scratch, servers, **changes):
    """The dashboard beside its siblings; it judges when it is told to, and gives nothing stale."""
    issuer = Issuer()
    async with AsyncExitStack() as stack:
        identity = await stack.enter_async_context(serving(Identity(issuer).app))
        keys = {
            "token_issuer": issuer.issuer,
            "jwks_url": f"{identity}/.well-known/jwks.json",
            "identity_url": identity,
            "client_secret": "s3cret",
        }
        values = {
            "port": 0,
            "rpc_port": 0,
            "database_url": scratch.url("kourse_dashboard"),
            "worker_database_url": scratch.url("kourse_dashboard_worker"),
            "cache_url": servers.endpoints.cache_url,
            "part_deadline": timedelta(minutes=2),
            "risk_interval": timedelta(hours=1),
            "view_overtaken": timedelta(0),
            **keys,
            **changes,
        }
        for name in ADDERS:
            process = await stack.enter_async_context(running(sibling(name, facts, keys)))
            values[f"{name}_rpc_addr"] = f"127.0.0.1:{process.rpc_port}"
        made = dashboard_service(DashboardSettings(**values))
        process = await stack.enter_async_context(running(made))
        session = await stack.enter_async_context(
            session_to(f"http://127.0.0.1:{process.http_port}")
        )
        house = House(process, Client(session), issuer)
        inbox = Inbox(house.runtime.database, handlers)
        await inbox.prepare()
        yield Board(house, facts, inbox)


def published(course_name="statistics", skills=("centre", "spread")):
    """A course of two lessons that teaches these skills."""
    return events.ContentPublished(
        course_id=COURSE_ID,
        course=course_name,
        title="Statistics",
        version=1,
        digest="d",
        time_zone="UTC",
        lessons=[
            events.PublishedLesson(id=uuid4(), key=key, title=key, chapter="one")
            for key in ("first", "second")
        ],
        skills=[
            events.PublishedSkill(
                key=key, title=key.title(), prior=0.3, learn=0.1, guess=0.2, slip=0.1
            )
            for key in skills
        ],
    )


def whose(learner, cohort=None, course_name="statistics"):
    """Fields that say whose event it is."""
    return {
        "enrolment_id": UUID(int=learner.int + 1_000_000),
        "learner_id": learner,
        "course_id": COURSE_ID,
        "course": course_name,
        "cohort": cohort,
    }


def enrolled(learner=LEARNER, cohort=None):
    return events.EnrolmentCreated(**whose(learner, cohort))


def completed(learner=LEARNER, count=1, cohort=None):
    return events.LessonCompleted(
        **whose(learner, cohort),
        lesson_id=uuid4(),
        lesson="first",
        title="First",
        completed=count,
        total=2,
    )


def mastered(learner=LEARNER, **skills):
    return events.MasteryChanged(
        learner_id=learner,
        course_id=COURSE_ID,
        course="statistics",
        skills=[
            events.SkillState(skill=key, probability=value, answers=3, band="main")
            for key, value in skills.items()
        ],
    )


def scored(percent, learner=LEARNER):
    return events.ScoreReleased(
        attempt_id=uuid4(),
        exam_id=uuid4(),
        exam="quiz",
        course_id=COURSE_ID,
        course="statistics",
        learner_id=learner,
        title="Quiz",
        run=1,
        points="1",
        max_points="2",
        percent=percent,
        passed=True,
    )


def expired(learner=LEARNER, assignment=1):
    return events.AssignmentExpired(
        **whose(learner), assignment_id=UUID(int=assignment), assignment="report"
    )
