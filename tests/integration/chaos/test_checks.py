"""The checks of a campaign find what is wrong: each in a database that was spoilt in one way."""

from uuid import uuid4

import pytest

from hack.chaos.backbone import check_events, lagging
from hack.chaos.effects import check_effects
from hack.chaos.evidence import Database, links

STREAM, TENANT = "enrolment", "demo"
CONSUMERS = [link.consumer for link in links() if link.stream == STREAM]
COMPLETED = "course.lesson.completed"


class World:
    """A learner's completed lessons, as events and with all their effects."""

    def __init__(self, connection):
        self.connection = connection
        self.entity, self.learner, self.course = str(uuid4()), str(uuid4()), str(uuid4())

    def sql(self, query, *values):
        return self.connection.execute(query, values)

    def complete(self, seq, total):
        """One lesson: outbox, sequence, every inbox and cursor, message and points."""
        event, lesson = str(uuid4()), str(uuid4())
        payload = (
            f'{{"learner_id": "{self.learner}", "lesson_id": "{lesson}", "title": "L",'
            f' "course_id": "{self.course}", "course": "c", "completed": {seq}, "total": {total}}}'
        )
        self.sql(
            "INSERT INTO course.outbox (event_id, tenant, stream, entity, seq, started_at, type,"
            " version, payload, routing_key, part, published_at)"
            " VALUES (%s, %s, %s, %s, %s, now(), %s, 1, %s, 'k', 0, now())",
            *(event, TENANT, STREAM, self.entity, seq, COMPLETED, payload),
        )
        self.sql(
            "INSERT INTO course.event_sequence (tenant, stream, entity, last_seq)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (tenant, stream, entity)"
            " DO UPDATE SET last_seq = excluded.last_seq",
            *(TENANT, STREAM, self.entity, seq),
        )
        for consumer in CONSUMERS:
            self.sql(
                f"INSERT INTO {consumer}.inbox (consumer, event_id, tenant, stream, entity, seq)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                *(consumer, event, TENANT, STREAM, self.entity, seq),
            )
            self.sql(
                f"INSERT INTO {consumer}.inbox_cursor (consumer, tenant, stream, entity, last_seq)"
                " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (consumer, tenant, stream, entity)"
                " DO UPDATE SET last_seq = excluded.last_seq",
                *(consumer, TENANT, STREAM, self.entity, seq),
            )
        self.tell(event)
        self.reward("lesson-completed", lesson, 10, event)
        if seq == total:
            self.reward("course-completed", self.course, 100, event)

    def tell(self, event):
        self.sql(
            "INSERT INTO notification.notification"
            " (id, tenant, user_id, kind, params, source_event, in_feed)"
            " VALUES (%s, %s, %s, 'lesson-completed', '{}', %s, true)",
            *(str(uuid4()), TENANT, self.learner, event),
        )

    def reward(self, reason, subject, worth, event):
        self.sql(
            "INSERT INTO notification.points_entry (id, tenant, learner_id, reason, subject,"
            " points, title, course, source_event, earned_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, 't', 'c', %s, now())",
            *(str(uuid4()), TENANT, self.learner, reason, subject, worth, event),
        )


@pytest.fixture
def world(scratch):
    """A world without a fault, gone again after the test."""
    with scratch.admin() as connection:
        world = World(connection)
        world.complete(1, total=2)
        world.complete(2, total=2)
        yield world
        for table in ("outbox", "event_sequence"):
            connection.execute(f"DELETE FROM course.{table}")
        for consumer in CONSUMERS:
            for table in ("inbox", "inbox_cursor", "parked_event"):
                connection.execute(f"DELETE FROM {consumer}.{table}")
        connection.execute("DELETE FROM notification.notification")
        connection.execute("DELETE FROM notification.points_entry")


@pytest.fixture
def breaches(scratch, world):
    """The promises that are not kept, with the number of breaches; what was not there is no breach."""

    def look():
        with Database.open(scratch.superuser_url) as database:
            verdicts = [*check_events(database), *check_effects(database)]
            return {one.promise: one.breaches for one in verdicts if one.breaches}

    return look


SPOILT = {
    "every event has left its outbox": (
        "UPDATE course.outbox SET published_at = NULL WHERE seq = 2"
    ),
    "every entity's events are numbered without a hole": (
        "UPDATE course.event_sequence SET last_seq = 3"
    ),
    "every consumer stands at the last event of every entity": (
        "UPDATE dashboard.inbox_cursor SET last_seq = 1"
    ),
    "every event took effect at each of its consumers": (
        "DELETE FROM assessment.inbox WHERE seq = 2"
    ),
    "no consumer applied an entity's events out of order": (
        "UPDATE notification.inbox SET applied_at = applied_at - interval '1 hour' WHERE seq = 2"
    ),
    "no event is parked or waits in a gap": (
        "INSERT INTO notification.parked_event (consumer, event_id, tenant, stream, entity, seq,"
        " type, payload, headers, reason) VALUES ('notification', gen_random_uuid(), 'demo',"
        " 'enrolment', 'e', 5, 'course.lesson.completed', '{}', '{}', 'gap')"
    ),
    "the points ledger is what the events add up to": (
        "DELETE FROM notification.points_entry WHERE reason = 'course-completed'"
    ),
    "everybody is told once of every event that concerns them": (
        "DELETE FROM notification.notification WHERE id IN"
        " (SELECT id FROM notification.notification LIMIT 1)"
    ),
    "nobody is told of lessons in another order than they completed them": (
        "UPDATE notification.notification AS n SET created_at = n.created_at - interval '1 hour'"
        " FROM course.outbox AS o WHERE o.event_id = n.source_event AND o.seq = 2"
    ),
    "no fact happened twice, however often it was asked for": (
        "UPDATE course.outbox SET payload = jsonb_set(payload, '{lesson_id}',"
        " (SELECT payload -> 'lesson_id' FROM course.outbox WHERE seq = 1)) WHERE seq = 2"
    ),
}


class TestChecks:
    def test_find_nothing_where_nothing_is_wrong(self, breaches):
        assert breaches() == {}

    @pytest.mark.parametrize("promise", SPOILT)
    def test_find_the_breach_of(self, promise, breaches, world):
        world.sql(SPOILT[promise])
        assert breaches()[promise] >= 1

    def test_find_points_that_nobody_earned(self, breaches, world):
        world.reward("exam-passed", str(uuid4()), 50, str(uuid4()))
        assert breaches() == {"the points ledger is what the events add up to": 1}

    def test_find_a_message_too_much(self, breaches, world):
        world.tell(str(uuid4()))
        assert breaches() == {"everybody is told once of every event that concerns them": 1}


class TestLagging:
    def test_counts_what_is_on_its_way(self, scratch, world):
        with Database.open(scratch.superuser_url) as database:
            assert lagging(database) == 0
            world.sql("UPDATE course.outbox SET published_at = NULL WHERE seq = 2")
            world.sql("UPDATE dashboard.inbox_cursor SET last_seq = 1")
            assert lagging(database) == 2
