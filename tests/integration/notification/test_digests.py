"""Weekly digests through the real inbox and a real database, with a clock that tests move."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from integration.notification.test_events import lesson
from kourse.contracts import events
from kourse.kit import faults
from kourse.notification.domain.digests import next_digest
from kourse.notification.domain.kinds import Kind
from kourse.notification.domain.preferences import Channel, DigestTime, Preferences
from kourse.notification.service import reading
from kourse.notification.service.digesting import Digesting

pytestmark = pytest.mark.asyncio(loop_scope="module")

REFUSES_LESSONS = Preferences(refused=frozenset({(Kind.LESSON_COMPLETED, Channel.EMAIL)}))
DIGESTS = (
    "SELECT params FROM notification.notification"
    " WHERE user_id = %s AND kind = 'weekly-digest' ORDER BY created_at"
)
WEEK = timedelta(days=7)


@pytest.fixture
def digest_at(databases):
    """A round at some time."""

    def run(now):
        async def clock(_tx):
            return now

        return Digesting(*databases, clock=clock).round()

    return run


@pytest.fixture
def want(databases):
    """Somebody's preferences, as they set them themselves."""

    async def put(user_id, wanted):
        async with databases[0].transaction("demo") as tx:
            await reading.put_preferences(tx, user_id, wanted)

    return put


async def complete(bus, learner, times):
    course_id, enrolment_id = uuid4(), uuid4()
    for _ in range(times):
        await bus.send(lesson(learner, course_id, enrolment_id))


def monday(zone="UTC"):
    return next_digest(datetime.now(UTC), ZoneInfo(zone), DigestTime())


class TestDigest:
    async def test_sums_up_what_was_not_mailed_and_comes_once_a_week(
        self, bus, sql, want, digest_at
    ):
        learner = uuid4()
        await want(learner, REFUSES_LESSONS)
        await complete(bus, learner, 2)

        await digest_at(monday() - timedelta(minutes=1))
        assert sql(DIGESTS, learner) == []
        for _ in range(2):
            await digest_at(monday())
        assert sql(DIGESTS, learner) == [({"entries": {"lesson-completed": 2}},)]

        await complete(bus, learner, 1)
        await digest_at(monday() + WEEK)
        assert sql(DIGESTS, learner)[1:] == [({"entries": {"lesson-completed": 1}},)]

    async def test_comes_late_and_once_when_nobody_was_there_at_its_moment(
        self, bus, sql, want, digest_at
    ):
        learner = uuid4()
        await want(learner, REFUSES_LESSONS)
        await complete(bus, learner, 1)

        await digest_at(monday() + 3 * WEEK + timedelta(days=2))

        assert len(sql(DIGESTS, learner)) == 1

    async def test_is_lost_or_doubled_by_no_interruption(self, bus, sql, want, digest_at):
        learner = uuid4()
        await want(learner, REFUSES_LESSONS)
        await complete(bus, learner, 1)

        async def lost():
            raise asyncio.CancelledError

        faults.arm("digesting.told", lost)
        try:
            with pytest.raises(asyncio.CancelledError):
                await digest_at(monday())
        finally:
            faults.disarm()
        assert sql(DIGESTS, learner) == []

        await digest_at(monday())
        assert len(sql(DIGESTS, learner)) == 1

    async def test_does_not_come_when_there_is_nothing_to_read(self, bus, sql, want, digest_at):
        learner = uuid4()
        await want(learner, REFUSES_LESSONS)
        await complete(bus, learner, 1)
        sql(
            "UPDATE notification.notification SET read_at = clock_timestamp() WHERE user_id = %s",
            learner,
        )

        await digest_at(monday())

        assert sql(DIGESTS, learner) == []

    async def test_does_not_come_to_those_who_get_everything_at_once(
        self, bus, sql, want, digest_at
    ):
        learner = uuid4()
        await want(learner, REFUSES_LESSONS)
        await complete(bus, learner, 1)
        await want(learner, Preferences())

        await digest_at(monday())

        assert sql(DIGESTS, learner) == []

    async def test_follows_the_learner_to_another_time_zone(self, bus, sql, want, digest_at):
        learner, zone = uuid4(), "Pacific/Pago_Pago"
        await want(learner, REFUSES_LESSONS)
        await complete(bus, learner, 1)
        await bus.send(events.SettingsChanged(learner_id=learner, locale="en", time_zone=zone))

        await digest_at(monday(zone) - timedelta(minutes=1))
        assert sql(DIGESTS, learner) == []
        await digest_at(monday(zone))
        assert len(sql(DIGESTS, learner)) == 1

    async def test_comes_when_the_learner_chose_in_their_time_zone(self, bus, sql, want, digest_at):
        learner, zone = uuid4(), "Asia/Kathmandu"
        chosen = DigestTime(weekday=3, at=time(17, 15))
        await want(learner, replace(REFUSES_LESSONS, digest=chosen))
        await complete(bus, learner, 1)
        await bus.send(events.SettingsChanged(learner_id=learner, locale="en", time_zone=zone))
        first = next_digest(datetime.now(UTC), ZoneInfo(zone), chosen)

        await digest_at(first - timedelta(minutes=1))
        assert sql(DIGESTS, learner) == []
        await digest_at(first)
        assert len(sql(DIGESTS, learner)) == 1

        await complete(bus, learner, 1)
        await digest_at(first + WEEK - timedelta(minutes=1))
        assert len(sql(DIGESTS, learner)) == 1
        await digest_at(first + WEEK)
        assert len(sql(DIGESTS, learner)) == 2

    async def test_moves_when_the_learner_chooses_another_time(self, sql, want):
        learner = uuid4()
        await want(learner, REFUSES_LESSONS)
        chosen = DigestTime(weekday=5, at=time(9))
        await want(learner, replace(REFUSES_LESSONS, digest=chosen))

        ((due_at,),) = sql("SELECT due_at FROM notification.digest WHERE user_id = %s", learner)
        assert due_at == next_digest(datetime.now(UTC), ZoneInfo("UTC"), chosen)
