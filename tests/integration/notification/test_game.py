"""Points and streaks of a learner, from events to their own view."""

from datetime import UTC, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from integration.notification.test_events import attempt, lesson, score
from integration.notification.test_feed import Reader
from kourse.contracts import events

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
"""Of today, or of yesterday when midnight passes meanwhile; a streak up to it lasts either way."""
TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.fixture
def reader(http, issuer):
    return Reader(http, issuer)


class TestReadPoints:
    async def test_counts_the_first_pass_that_happened_though_it_came_last(self, bus, reader):
        exam_id = uuid4()
        await bus.send(score(reader.id, exam_id=exam_id), at=NOON - timedelta(days=1))
        await bus.send(score(reader.id, exam_id=exam_id), at=NOON - timedelta(days=2))

        found = await reader.get("/v1/points")

        (entry,) = found["entries"]
        assert found["points"] == 50
        assert datetime.fromisoformat(entry["earnedAt"]) == NOON - timedelta(days=2)

    async def test_explains_an_exam_that_was_handed_in(self, bus, reader):
        await bus.send(attempt(reader.id))

        (entry,) = (await reader.get("/v1/points"))["entries"]

        assert entry["text"] == "5 points for handing in “Final” in statistics."


class TestReadStreak:
    async def test_is_refused_to_somebody_without_a_token(self, http):
        assert (await http.get("/v1/streak")).status == 401

    async def test_is_none_for_somebody_new(self, reader):
        found = await reader.get("/v1/streak")

        assert datetime.fromisoformat(found.pop("today"))
        assert found == {
            "days": 0,
            "longest": 0,
            "freezes": 0,
            "studiedToday": False,
            "timeZone": "UTC",
            "frozen": [],
        }

    async def test_counts_days_with_a_lesson_or_an_exam_handed_in(self, bus, reader):
        await bus.send(lesson(reader.id, uuid4(), uuid4()), at=NOON - timedelta(days=1))
        await bus.send(attempt(reader.id), at=NOON)

        found = await reader.get("/v1/streak")

        assert (found["days"], found["longest"]) == (2, 2)
        assert found["studiedToday"] == (found["today"] == NOON.date().isoformat())

    async def test_does_not_count_the_day_on_which_somebody_released_a_score(self, bus, reader):
        await bus.send(score(reader.id), at=NOON)

        assert (await reader.get("/v1/streak"))["days"] == 0

    async def test_goes_by_the_calendar_that_was_the_learners_then(self, bus, reader):
        moved = events.SettingsChanged(learner_id=reader.id, time_zone="Asia/Tokyo", locale="en")
        await bus.send(moved, at=NOON - timedelta(days=30))
        midnight = datetime.combine(datetime.now(TOKYO), time(), TOKYO)
        for moment in (midnight - timedelta(minutes=1), midnight):  # one and the same day in UTC
            await bus.send(lesson(reader.id, uuid4(), uuid4()), at=moment.astimezone(UTC))

        found = await reader.get("/v1/streak")

        assert (found["days"], found["timeZone"]) == (2, "Asia/Tokyo")
        assert found["today"] >= midnight.date().isoformat()

    async def test_is_bridged_by_a_freeze_day(self, bus, reader):
        for days in (9, 8, 7, 6, 5, 4, 3, 1, 0):
            await bus.send(lesson(reader.id, uuid4(), uuid4()), at=NOON - timedelta(days=days))

        found = await reader.get("/v1/streak")

        assert (found["days"], found["freezes"]) == (9, 0)
        assert found["frozen"] == [(NOON - timedelta(days=2)).date().isoformat()]
