"""Badges and levels: from what a course declares to what its learner has and is told."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from integration.notification.test_events import enrolment, lesson, published, score, told
from integration.notification.test_feed import Reader
from kourse.contracts import events
from kourse.notification.service import judging

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOON = datetime(2027, 3, 10, 12, tzinfo=UTC)


def declaring(course_id, *badges, course="statistics", version=1):
    """The publication of a course with these badges: key, criterion, threshold."""
    return published(course_id, version).model_copy(
        update={
            "course": course,
            "badges": [
                events.PublishedBadge(
                    key=key,
                    title=key.title(),
                    description=f"For {criterion}.",
                    criterion=criterion,
                    threshold=threshold,
                )
                for key, criterion, threshold in badges
            ],
        }
    )


def in_course(learner_id, course_id, course, **more):
    return lesson(learner_id, course_id, uuid4(), **more).model_copy(update={"course": course})


def won(sql, learner_id):
    query = "SELECT badge, won_at FROM notification.won_badge WHERE learner_id = %s ORDER BY won_at"
    return sql(query, learner_id)


def announced(sql, learner_id):
    return [
        row
        for (row,) in sql(
            "SELECT payload ->> 'badge' FROM notification.outbox"
            " WHERE type = 'notification.badge.won' AND entity = %s ORDER BY id",
            str(learner_id),
        )
    ]


@pytest.fixture
def reader(http, issuer):
    return Reader(http, issuer)


@pytest.fixture
def course():
    """Name of a course of the test's own."""
    return f"course-{uuid4()}"


class TestBadge:
    async def test_is_won_announced_and_told_once(self, bus, sql, judge, course):
        learner, course_id = uuid4(), uuid4()
        await bus.send(declaring(course_id, ("first", "LessonsCompleted", 1), course=course))
        await bus.send(in_course(learner, course_id, course), at=NOON)
        await judge()
        await bus.send(in_course(learner, course_id, course), at=NOON)
        await judge()

        assert won(sql, learner) == [("first", NOON)]
        assert announced(sql, learner) == ["first"]
        assert told(sql, learner).count("badge-won") == 1

    async def test_is_won_once_by_deeds_that_are_judged_at_the_same_time(
        self, bus, sql, databases, course
    ):
        learner, course_id = uuid4(), uuid4()
        await bus.send(declaring(course_id, ("both", "LessonsCompleted", 2), course=course))

        async def study():
            await bus.send(in_course(learner, course_id, course), at=NOON)
            await judging.sweep(*databases)

        await asyncio.gather(*(study() for _ in range(5)))

        assert [badge for badge, _ in won(sql, learner)] == ["both"]
        assert announced(sql, learner) == ["both"]

    async def test_waits_until_the_last_deed_is_done(self, bus, sql, judge, course):
        learner, course_id = uuid4(), uuid4()
        await bus.send(declaring(course_id, ("both", "LessonsCompleted", 2), course=course))
        await bus.send(in_course(learner, course_id, course), at=NOON)
        await judge()
        before = won(sql, learner)
        await bus.send(in_course(learner, course_id, course), at=NOON + timedelta(hours=1))
        await judge()

        assert before == []
        assert won(sql, learner) == [("both", NOON + timedelta(hours=1))]

    async def test_is_won_by_earlier_deeds_when_its_course_declares_it_later(
        self, bus, sql, judge, course
    ):
        learner, course_id = uuid4(), uuid4()
        await bus.send(declaring(course_id, course=course), at=NOON)
        await bus.send(in_course(learner, course_id, course), at=NOON)
        await judge()
        later = NOON + timedelta(days=3)
        badge = ("first", "LessonsCompleted", 1)
        await bus.send(declaring(course_id, badge, course=course, version=2), at=later)
        await judge()

        assert won(sql, learner) == [("first", later)]

    async def test_stays_when_its_course_asks_for_more(self, bus, sql, judge, course):
        learner, course_id = uuid4(), uuid4()
        for version, threshold in ((1, 1), (2, 9)):
            badge = ("first", "LessonsCompleted", threshold)
            at = NOON + timedelta(days=version)
            await bus.send(declaring(course_id, badge, course=course, version=version), at=at)
            await bus.send(in_course(learner, course_id, course), at=at)
            await judge()

        assert won(sql, learner) == [("first", NOON + timedelta(days=1))]

    async def test_of_another_tenants_course_is_not_won(self, bus, sql, judge, course):
        learner, course_id = uuid4(), uuid4()
        badge = ("first", "LessonsCompleted", 1)
        await bus.send(declaring(course_id, badge, course=course), tenant="elsewhere")
        await bus.send(in_course(learner, course_id, course))
        await judge()

        assert won(sql, learner) == []

    async def test_of_the_platform_is_won_by_study_in_any_course(self, bus, sql, judge):
        learner = uuid4()
        for days in range(7):
            studied = in_course(learner, uuid4(), f"course-{days}")
            await bus.send(studied, at=NOON + timedelta(days=days))
        await judge()

        assert won(sql, learner) == [("seven-days", NOON + timedelta(days=6))]

    async def test_is_won_when_the_news_of_a_move_makes_a_streak(self, bus, sql, judge, course):
        learner, course_id = uuid4(), uuid4()
        await bus.send(declaring(course_id, ("two", "StreakDays", 2), course=course))
        midnight = datetime(2027, 3, 10, 15, tzinfo=UTC)  # in Tokyo
        for moment in (midnight - timedelta(minutes=1), midnight):
            await bus.send(in_course(learner, course_id, course), at=moment)
        await judge()
        before = won(sql, learner)
        moved = events.SettingsChanged(learner_id=learner, time_zone="Asia/Tokyo", locale="en")
        await bus.send(moved, at=NOON - timedelta(days=1))
        await judge()

        assert (before, won(sql, learner)) == ([], [("two", midnight)])

    async def test_is_forgotten_with_its_holder_and_does_not_come_back(
        self, bus, sql, judge, course
    ):
        learner, course_id = uuid4(), uuid4()
        await bus.send(declaring(course_id, ("first", "LessonsCompleted", 1), course=course))
        await bus.send(in_course(learner, course_id, course))
        await judge()
        await bus.send(in_course(learner, course_id, course))
        await bus.send(events.UserDeleted(user_id=learner))
        await judge()

        assert won(sql, learner) == []
        assert told(sql, learner) == []


class TestRecord:
    @pytest.mark.parametrize(
        "change",
        [
            "calendar SET time_zone = 'UTC'",
            "badge_sheet SET badges = '[]'",
            "won_badge SET badge = 'x'",
            "reached_level SET level = 9",
        ],
    )
    async def test_cannot_be_rewritten_by_the_service(self, databases, change):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with databases[0].transaction("demo") as tx:
                await tx.execute(text(f"UPDATE notification.{change}"))


class TestLevel:
    async def test_is_announced_once_for_each_that_was_reached(self, bus, sql, judge):
        learner = uuid4()
        for number in range(1, 5):
            await bus.send(lesson(learner, uuid4(), uuid4(), completed=16), at=NOON)
            await bus.send(score(learner), at=NOON + timedelta(hours=number))
            await judge()

        levels = sql(
            "SELECT payload ->> 'level' FROM notification.outbox"
            " WHERE type = 'notification.level.reached' AND entity = %s ORDER BY id",
            str(learner),
        )
        assert levels == [("2",), ("3",), ("4",)]


class TestListBadges:
    async def test_is_refused_to_somebody_without_a_token(self, http):
        assert (await http.get("/v1/badges")).status == 401

    async def test_shows_those_won_and_how_far_one_is_with_others(self, bus, judge, reader, course):
        course_id = uuid4()
        badges = [("first", "LessonsCompleted", 1), ("rich", "PointsEarned", 500)]
        await bus.send(declaring(course_id, *badges, course=course))
        await bus.send(enrolment(reader.id, course_id).model_copy(update={"course": course}))
        await bus.send(in_course(reader.id, course_id, course), at=NOON)
        await judge()

        found = await reader.get("/v1/badges")

        (first,) = found["won"]
        assert datetime.fromisoformat(first.pop("wonAt")) == NOON
        assert first.pop("id")
        assert first == {
            "key": "first",
            "course": course,
            "title": "First",
            "description": "For LessonsCompleted.",
        }
        open_ = {one["key"]: (one["count"], one["threshold"]) for one in found["open"]}
        assert open_["rich"] == (10, 500)
        assert open_["seven-days"] == (1, 7)
        assert "first" not in open_

    async def test_speaks_the_readers_language_of_the_platforms_badges(self, bus, reader):
        await bus.send(events.UserRegistered(user_id=reader.id, display_name="Ana", locale="de"))

        found = await reader.get("/v1/badges")

        assert found["won"] == []
        assert found["open"][0]["title"] == "Sieben Tage"

    async def test_is_told_in_the_feed(self, bus, judge, reader, course):
        course_id = uuid4()
        await bus.send(declaring(course_id, ("first", "LessonsCompleted", 1), course=course))
        await bus.send(in_course(reader.id, course_id, course), at=NOON)
        await judge()

        feed = await reader.get("/v1/notifications")

        (news,) = [one for one in feed["items"] if one["type"] == "badge-won"]
        assert news["title"] == "Badge won: First"
        assert news["text"] == "For LessonsCompleted. In Statistics."
