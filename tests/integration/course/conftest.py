"""Course on real servers: its own database and buckets; what siblings tell is told by the tests."""

import pytest
import pytest_asyncio

from kourse.contracts import names
from kourse.contracts.events import (
    AccommodationChanged,
    CohortDeclared,
    ExamScheduled,
    GroupJoined,
    GroupLeft,
    MasteryChanged,
    ScoreReleased,
    SkillState,
)
from kourse.course import authoring, consumers
from kourse.course.__main__ import service as course_service
from kourse.course.settings import CourseSettings
from kourse.kit.db import Database
from kourse.kit.documents import Applied, Doc
from support.courses import course_spec
from support.handing_in import Desk, hand_in_course
from support.houses import LEARNER, OTHER_LEARNER, new_key, open_house

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
                " course.cohort_replica, course.exam_replica, course.score, course.mastery,"
                " course.idempotency_key, course.accommodation"
                " CASCADE"
            )

    return act


@pytest.fixture(autouse=True)
def _empty(clear):
    clear()


@pytest_asyncio.fixture
async def database(scratch):
    """Course's own connection."""
    opened = Database(scratch.url("kourse_course"), "course", pool_size=2)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def hear(database):
    """Applies an event as the consumer does, without the broker."""
    handlers = {
        AccommodationChanged: consumers.on_accommodation_changed,
        CohortDeclared: consumers.on_cohort_declared,
        ExamScheduled: consumers.on_exam_scheduled,
        GroupJoined: consumers.on_group_joined,
        GroupLeft: consumers.on_group_left,
        MasteryChanged: consumers.on_mastery_changed,
        ScoreReleased: consumers.on_score_released,
    }

    async def apply(event):
        async with database.transaction(TENANT) as tx:
            await handlers[type(event)](tx, event, None)

    return apply


@pytest.fixture
def master(hear):
    """Lets a learner's mastery of a skill be this, as assessment tells of it."""

    async def act(skill, probability, band, answers=5, learner=LEARNER):
        state = SkillState(skill=skill, probability=probability, answers=answers, band=band)
        course_id = names.declared_id(TENANT, "Course", "statistics")
        await hear(
            MasteryChanged(
                learner_id=learner, course_id=course_id, course="statistics", skills=[state]
            )
        )

    return act


@pytest_asyncio.fixture
async def house(scratch, servers):
    """Course without a broker: what it says waits in its outbox."""
    async with open_house(
        course_service,
        CourseSettings,
        scratch,
        servers,
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


@pytest_asyncio.fixture
async def bucket(house):
    name = names.bucket(house.runtime.settings.bucket_prefix, "demo", "statistics")
    await house.runtime.buckets.ensure_bucket(name)
    await house.runtime.buckets.ensure_versioning(name)
    yield name
    await house.runtime.buckets.delete_bucket(name)


@pytest_asyncio.fixture
async def desk(house, publish, bucket):
    """A learner's desk in a course with an upload ``report`` and a project ``study`` for two."""
    await publish(spec=hand_in_course())
    for who in (LEARNER, OTHER_LEARNER):
        await house.post("/v1/courses/statistics/enrolments", key=new_key(), who=who)
    return Desk(house)
