"""More time in an exam that runs, and what single learners are granted, are told to them alone."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from integration.notification.test_events import mailed, told
from kourse.contracts import events
from kourse.notification.domain.kinds import Kind
from kourse.notification.service import rendering

pytestmark = pytest.mark.asyncio(loop_scope="module")
END = datetime(2027, 3, 1, 17, tzinfo=UTC)
IDS = {"course_id": uuid4(), "course": "statistics"}


def extended(learner, *, reopened=False, **changes):
    return events.AttemptExtended(
        **{
            "attempt_id": uuid4(),
            "exam_id": uuid4(),
            "exam": "midterm",
            "learner_id": learner,
            "deadline_at": END,
            "reopened": reopened,
            "actor_id": uuid4(),
            "title": "Midterm",
            **IDS,
            **changes,
        }
    )


def granted(learner, **what):
    return events.AccommodationGranted(learner_id=learner, actor_id=uuid4(), **IDS, **what)


def params(sql, learner):
    (found,) = sql("SELECT params FROM notification.notification WHERE user_id = %s", learner)
    return found[0]


class TestExtension:
    async def test_is_told_with_the_new_end_in_feed_and_by_mail(self, bus, sql):
        learner = uuid4()
        await bus.send(extended(learner, reopened=True))
        assert told(sql, learner) == mailed(sql, learner) == ["exam-extended"]
        found = params(sql, learner)
        assert (found["title"], found["reopened"]) == ("Midterm", True)
        assert datetime.fromisoformat(found["at"]) == END

    async def test_is_told_once_when_its_event_comes_again(self, bus, sql):
        learner, event = uuid4(), None
        event = extended(learner)
        delivery = await bus.send(event)
        await bus.send(event, again=delivery)
        assert told(sql, learner) == ["exam-extended"]

    async def test_is_told_each_time_it_is_given(self, bus, sql):
        learner, attempt = uuid4(), uuid4()
        for _ in range(2):
            await bus.send(extended(learner, attempt_id=attempt))
        assert told(sql, learner) == ["exam-extended"] * 2

    async def test_of_an_older_release_names_the_exam_by_its_name(self, bus, sql):
        learner = uuid4()
        await bus.send(extended(learner, title=""))
        assert params(sql, learner)["title"] == "midterm"

    async def test_is_not_told_to_who_was_forgotten(self, bus, sql):
        learner = uuid4()
        await bus.send(events.UserDeleted(user_id=learner))
        await bus.send(extended(learner))
        await bus.send(granted(learner, extra_attempts=1))
        assert told(sql, learner) == []


class TestAccommodation:
    async def test_is_told_in_feed_and_by_mail(self, bus, sql):
        learner = uuid4()
        await bus.send(granted(learner, exam="midterm", title="Midterm", longer_by=25.0))
        assert told(sql, learner) == mailed(sql, learner) == ["accommodated"]

    @pytest.mark.parametrize("locale", ["en", "de"])
    @pytest.mark.parametrize(
        ("what", "said"),
        [
            ({"longer_by": 25.0}, "25"),
            ({"extra_attempts": 2}, "2"),
            ({"extra_hours": 48}, "48"),
            ({"opens_at": END}, "2027"),
            ({"due_at": END}, "2027"),
            ({"closes_at": END}, "2027"),
        ],
    )
    async def test_says_what_was_granted_and_nothing_else(self, bus, sql, locale, what, said):
        learner = uuid4()
        await bus.send(granted(learner, **what))
        known = params(sql, learner) | {
            "course_title": "Statistics",
            "time_zone": "UTC",
            "display_name": "Ana",
            "public_url": "https://kourse.example",
            "unsubscribe_url": "https://kourse.example/way-out",
        }
        text = rendering.mail(Kind.ACCOMMODATED, locale, known).text
        assert text.count("•") == 1
        assert said in text
