"""Profile on real servers: its own database and the cache."""

from uuid import UUID

import grpc.aio
import pytest
import pytest_asyncio

from kourse.contracts.events import UserRegistered
from kourse.kit.db import Database
from kourse.kit.documents import Applied, Doc
from kourse.profile import authoring, consumers
from kourse.profile.__main__ import service as profile_service
from kourse.profile.repository import cohorts
from kourse.profile.settings import ProfileSettings
from kourse_rpc.course.v1 import course_pb2, course_pb2_grpc
from support.courses import cohort_spec
from support.houses import LEARNER, open_house
from support.redis_server import RedisServer

TENANT = "demo"
COURSE_ID = UUID(int=1)


@pytest_asyncio.fixture
async def operator(scratch):
    """The operator's own connection, which may write content and nothing of people."""
    database = Database(scratch.url("kourse_operator"), "profile", pool_size=2)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def database(scratch):
    """The service's own connection."""
    opened = Database(scratch.url("kourse_profile"), "profile", pool_size=2)
    yield opened
    await opened.close()


@pytest.fixture
def rows(scratch):
    """Runs a query that no policy binds."""
    with scratch.admin() as connection:
        yield lambda sql, *values: connection.execute(sql, values).fetchall()


@pytest_asyncio.fixture(autouse=True)
async def _one_course(scratch, database):
    with scratch.admin() as connection:
        connection.execute(
            "TRUNCATE profile.cohort, profile.document, profile.outbox, profile.event_sequence,"
            " profile.course_replica, profile.document_wait, profile.profile, profile.goal,"
            " profile.audit_entry, profile.idempotency_key, profile.plan,"
            " profile.calendar_link CASCADE"
        )
    async with database.transaction(TENANT) as tx:
        await cohorts.save_course(tx, "statistics", COURSE_ID, "Statistics", 1)


@pytest.fixture
def cache(tmp_path):
    """A cache of the test's own, as wrong codes are counted there."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


class Course(course_pb2_grpc.CourseServiceServicer):
    """Course, as far as profile asks: what is due for whom; it answers for nobody else.

    Attributes:
        due: Course, assignment, title and time of what is due, by learner.
    """

    def __init__(self):
        self.due = {}

    async def ListDue(self, request, context):  # noqa: N802 - the contract's name
        if request.learner_id not in self.due:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        return course_pb2.ListDueResponse(
            due=[
                course_pb2.Due(course=name, assignment=key, title=title, due_at=at.isoformat())
                for name, key, title, at in self.due[request.learner_id]
            ]
        )


@pytest_asyncio.fixture
async def course():
    """A course that does not answer unless a test lets it; ``port`` is where it would."""
    served, server = Course(), grpc.aio.server()
    course_pb2_grpc.add_CourseServiceServicer_to_server(served, server)
    served.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield served
    await server.stop(None)


@pytest_asyncio.fixture
async def house(scratch, servers, cache, course):
    """Profile without a broker: what it says waits in its outbox."""
    async with open_house(
        profile_service,
        ProfileSettings,
        scratch,
        servers,
        cache_url=cache.url,
        course_rpc_addr=f"127.0.0.1:{course.port}",
        guesses=3,
        purge_interval="PT0.05S",
    ) as opened:
        yield opened


@pytest.fixture
def declare(operator):
    """Applies a cohort as its resource would be; changes of the small cohort."""
    generation = iter(range(1, 1000))

    async def apply(name="lisbon", **changes):
        document = Doc(
            name,
            cohort_spec(**changes),
            "resource",
            uid=f"uid-{name}",
            generation=next(generation),
        )
        (result,) = await authoring.apply_many(operator, TENANT, "Cohort", [document])
        assert isinstance(result, Applied), result
        return result

    return apply


@pytest.fixture
def register(database):
    """Makes a person's profile as the event does."""

    async def hear(user_id=LEARNER, name="Ann", tenant=TENANT):
        event = UserRegistered(user_id=user_id, display_name=name, locale="pt")
        async with database.transaction(tenant) as tx:
            await consumers.on_user_registered(tx, event, None)

    return hear
