"""Reminders of wall-clock dates, in many zones and when their clocks change, with all that moves them."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from integration.notification.test_events import published
from integration.notification.test_reminders import DAY, LATE, SOON, remind_at, reminded
from kourse.contracts import events
from kourse.contracts.events import DeclaredDates, DeclaredMoment

pytestmark = pytest.mark.asyncio(loop_scope="module")

__all__ = ["remind_at"]

MINUTE = timedelta(minutes=1)
BEFORE = datetime(2027, 1, 4, tzinfo=UTC)
"""When everybody enrols, so that the tests mean the same in every year."""


class Homework:
    """An assignment of a course in some zone, and one learner of it."""

    def __init__(self, bus, zone):
        self._bus, self._zone = bus, zone
        self._of = {"course_id": uuid4(), "course": "statistics"}
        self._assignment = {"assignment_id": uuid4(), "assignment": "report"}
        self.learner, self._enrolment = uuid4(), uuid4()

    async def begin(self):
        course = published(self._of["course_id"]).model_copy(update={"time_zone": self._zone})
        await self._bus.send(course)
        enrolled = events.EnrolmentCreated(
            enrolment_id=self._enrolment, learner_id=self.learner, **self._of
        )
        await self._bus.send(enrolled, at=BEFORE)

    async def set_due(self, wall_clock):
        dates = DeclaredDates(due=DeclaredMoment(at=wall_clock))
        told = {**self._of, **self._assignment, "title": "A report", "dates": dates}
        await self._bus.send(events.AssignmentChanged(**told))

    async def extend(self, due_at):
        await self._bus.send(
            events.AssignmentExtended(
                enrolment_id=self._enrolment,
                learner_id=self.learner,
                **self._of,
                **self._assignment,
                due_at=due_at,
                actor_id=uuid4(),
            )
        )


@pytest.fixture
def homework(bus, sql):
    """Makes assignments; nobody else is looked at."""
    sql("DELETE FROM notification.enrolment")

    async def make(zone):
        made = Homework(bus, zone)
        await made.begin()
        return made

    return make


def utc(moment):
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)


CLOCKS = [
    ("UTC", "2027-03-28T12:00", "2027-03-28T12:00"),
    ("Asia/Kathmandu", "2027-03-28T12:00", "2027-03-28T06:15"),
    ("Pacific/Kiritimati", "2027-03-28T00:30", "2027-03-27T10:30"),
    ("Pacific/Pago_Pago", "2027-03-28T23:30", "2027-03-29T10:30"),
    ("Europe/Berlin", "2027-03-27T12:00", "2027-03-27T11:00"),
    ("Europe/Berlin", "2027-03-28T12:00", "2027-03-28T10:00"),
    ("Europe/Berlin", "2027-03-28T02:30", "2027-03-28T01:30"),
    ("Europe/Berlin", "2027-10-30T12:00", "2027-10-30T10:00"),
    ("Europe/Berlin", "2027-10-31T12:00", "2027-10-31T11:00"),
    ("Europe/Berlin", "2027-10-31T02:30", "2027-10-31T00:30"),
    ("America/New_York", "2027-03-14T12:00", "2027-03-14T16:00"),
    ("America/New_York", "2027-11-07T12:00", "2027-11-07T17:00"),
    ("Australia/Lord_Howe", "2027-10-03T12:00", "2027-10-03T01:00"),
]
"""Zone, the time on its clock, and the instant (UTC): whole and broken offsets, and both changes of clocks."""


class TestWallClock:
    @pytest.mark.parametrize(("zone", "wall_clock", "instant"), CLOCKS)
    async def test_is_reminded_of_to_the_minute(
        self, homework, remind_at, sql, zone, wall_clock, instant
    ):
        work, due_at = await homework(zone), utc(instant)
        await work.set_due(wall_clock)

        await remind_at(due_at - DAY - MINUTE)
        assert reminded(sql, work.learner) == []
        await remind_at(due_at - DAY)
        assert reminded(sql, work.learner) == [SOON]
        await remind_at(due_at - MINUTE)
        assert reminded(sql, work.learner) == [SOON]
        await remind_at(due_at)
        assert reminded(sql, work.learner) == [SOON, LATE]

    @pytest.mark.parametrize(("zone", "wall_clock", "instant"), CLOCKS[4:])
    async def test_that_was_moved_there_is_reminded_of_at_its_new_time_alone(
        self, homework, remind_at, sql, zone, wall_clock, instant
    ):
        work, due_at = await homework(zone), utc(instant)
        await work.set_due("2027-02-10T12:00")
        await remind_at(utc("2027-02-01T00:00"))
        await work.set_due(wall_clock)

        await remind_at(due_at - DAY - MINUTE)
        assert reminded(sql, work.learner) == []
        await remind_at(due_at - DAY)
        assert reminded(sql, work.learner) == [SOON]

    @pytest.mark.parametrize(("zone", "wall_clock", "instant"), CLOCKS[4:])
    async def test_gives_way_to_an_extension_beyond_the_change_of_clocks(
        self, homework, remind_at, sql, zone, wall_clock, instant
    ):
        work, due_at = await homework(zone), utc(instant)
        await work.set_due(wall_clock)
        await work.extend(due_at + 2 * DAY)

        await remind_at(due_at - MINUTE)
        assert reminded(sql, work.learner) == []
        await remind_at(due_at + DAY)
        assert reminded(sql, work.learner) == [SOON]
        await remind_at(due_at + 2 * DAY)
        assert reminded(sql, work.learner) == [SOON, LATE]
