"""Course on real servers: its own database, buckets, and a stand-in for assessment's gRPC."""

from contextlib import asynccontextmanager

import grpc.aio
import pytest
import pytest_asyncio

from kourse.course import authoring
from kourse.course.__main__ import service as course_service
from kourse.course.settings import CourseSettings
from kourse.kit.db import Database
from kourse.kit.documents import Applied, Doc
from kourse_rpc.assessment.v1 import assessment_pb2, assessment_pb2_grpc
from support.courses import course_spec
from support.houses import open_house

TENANT = "demo"


@pytest_asyncio.fixture
async def operator(scratch):
    """The operator's own connection, which may write content and nothing of the learners."""
    database = Database(scratch.url("kourse_operator"), "course", pool_size=2)
    yield database
    await database.close()


@pytest.fixture
def rows(scratch):
    """Runs a query that no policy binds."""
    with scratch.admin() as connection:
        yield lambda sql, *values: connection.execute(sql, values).fetchall()


@pytest.fixture
def clear(scratch):
    """Takes all rows away."""

    def act():
        with scratch.admin() as connection:
            connection.execute(
                "TRUNCATE course.course, course.document, course.outbox, course.prerequisite,"
                " course.document_wait, course.event_sequence, course.enrolment,"
                " course.cohort_replica, course.exam_replica, course.score, course.idempotency_key"
                " CASCADE"
            )

    return act


@pytest.fixture(autouse=True)
def _empty(clear):
    clear()


class Mastery(assessment_pb2_grpc.AssessmentServiceServicer):
    """What assessment would say of a learner's skills."""

    def __init__(self):
        self.probabilities = {}

    async def ListMastery(self, request, _context):  # noqa: N802
        return assessment_pb2.ListMasteryResponse(
            mastery=[
                assessment_pb2.Mastery(course=request.course, skill=skill, probability=value)
                for skill, value in self.probabilities.items()
            ]
        )


@asynccontextmanager
async def serving_mastery(mastery):
    server = grpc.aio.server()
    assessment_pb2_grpc.add_AssessmentServiceServicer_to_server(mastery, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


@pytest_asyncio.fixture
async def assessment():
    """The stand-in; ``address`` is where it listens."""
    mastery = Mastery()
    async with serving_mastery(mastery) as mastery.address:
        yield mastery


@pytest_asyncio.fixture
async def house(scratch, servers, assessment):
    """Course without a broker: what it says waits in its outbox."""
    async with open_house(
        course_service,
        CourseSettings,
        scratch,
        servers,
        assessment_rpc_addr=assessment.address,
        purge_interval="PT0.05S",
    ) as opened:
        yield opened


@pytest.fixture
def publish(operator):
    """Applies a course as its resource would be; a spec, or changes of the small course."""
    generation = iter(range(1, 1000))

    async def apply(name="statistics", spec=None, **changes):
        document = Doc(
            name,
            spec or course_spec(**changes),
            "resource",
            uid=f"uid-{name}",
            generation=next(generation),
        )
        (result,) = await authoring.apply_many(operator, TENANT, "Course", [document])
        assert isinstance(result, Applied), result
        return result

    return apply
