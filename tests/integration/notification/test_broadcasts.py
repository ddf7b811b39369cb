"""What everybody in a course is told, however many they are and however often it is begun."""

import asyncio
from uuid import uuid4

import pytest
import pytest_asyncio

from integration.notification.test_events import enrolment, published
from kourse.contracts import events
from kourse.notification.service import broadcasting

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOLD = "SELECT user_id FROM notification.notification WHERE source_event = %s"
LEFT = "SELECT count(*) FROM notification.broadcast"


@pytest.fixture
def pages_of_three(monkeypatch):
    monkeypatch.setattr(broadcasting, "PAGE", 3)


@pytest_asyncio.fixture(loop_scope="module")
async def course(bus, pages_of_three):
    """A course with ten learners, by id."""
    course_id, learners = uuid4(), {uuid4() for _ in range(10)}
    for learner in learners:
        await bus.send(enrolment(learner, course_id))
    return course_id, learners


class TestBroadcast:
    async def test_reaches_everybody_once(self, bus, course, databases, sql):
        course_id, learners = course
        delivery = await bus.send(published(course_id))
        first = sql(TOLD, delivery.id)

        await broadcasting.sweep(*databases)
        await broadcasting.sweep(*databases)

        told = [learner for (learner,) in sql(TOLD, delivery.id)]
        assert len(first) == 3
        assert len(told) == 10
        assert set(told) == learners
        assert sql(LEFT) == [(0,)]

    async def test_reaches_everybody_once_when_several_processes_tell(
        self, bus, course, databases, sql
    ):
        course_id, learners = course
        delivery = await bus.send(published(course_id))

        await asyncio.gather(*(broadcasting.sweep(*databases) for _ in range(4)))

        assert sorted(sql(TOLD, delivery.id)) == sorted((one,) for one in learners)

    async def test_goes_on_where_a_page_failed(self, bus, course, databases, sql, monkeypatch):
        course_id, learners = course
        delivery = await bus.send(published(course_id))

        async def fail(*_args, **_more):
            raise ConnectionError("the process ends here")

        with monkeypatch.context() as patched:
            patched.setattr(broadcasting.broadcasts, "go_on", fail)
            with pytest.raises(ConnectionError):
                await broadcasting.sweep(*databases)
        assert len(sql(TOLD, delivery.id)) == 3
        await broadcasting.sweep(*databases)

        assert sorted(sql(TOLD, delivery.id)) == sorted((one,) for one in learners)

    async def test_tells_nothing_to_who_left_meanwhile(self, bus, course, databases, sql):
        course_id, learners = course
        leaver = max(learners)
        delivery = await bus.send(published(course_id))

        await bus.send(events.UserDeleted(user_id=leaver))
        await broadcasting.sweep(*databases)

        assert set(sql(TOLD, delivery.id)) == {(one,) for one in learners - {leaver}}

    async def test_that_comes_again_tells_nobody_twice(self, bus, course, databases, sql):
        course_id, _ = course
        event = published(course_id)
        delivery = await bus.send(event)
        await broadcasting.sweep(*databases)

        sql("DELETE FROM notification.inbox")
        sql("DELETE FROM notification.inbox_cursor")
        await bus.send(event, again=delivery)
        await broadcasting.sweep(*databases)

        assert len(sql(TOLD, delivery.id)) == 10
        assert sql(LEFT) == [(0,)]
