"""What is left of a deleted person in every service that keeps rows, also when events come late."""

from importlib import import_module
from uuid import uuid4

import pytest
import pytest_asyncio

from integration.notification.conftest import Senders
from kourse.contracts import events
from kourse.kit.db import Database
from kourse.kit.erasure import PLATFORM, Remove
from kourse.kit.inbox import Inbox

pytestmark = pytest.mark.asyncio(loop_scope="module")
SERVICES = ("profile", "course", "assessment", "notification")
"""Those that write rows about people when siblings report facts."""
IDS = {"course_id": uuid4(), "course": "statistics"}


def registered(person):
    return events.UserRegistered(user_id=person, display_name="Ana")


def joined(person):
    return events.GroupJoined(cohort_id=uuid4(), cohort="spring", learner_id=person, courses=[])


def enrolled(person):
    return events.EnrolmentCreated(enrolment_id=uuid4(), learner_id=person, **IDS)


def completed(person):
    lesson = {"lesson_id": uuid4(), "lesson": "means", "title": "The mean"}
    return events.LessonCompleted(
        enrolment_id=uuid4(), learner_id=person, completed=1, total=2, **lesson, **IDS
    )


def scored(person):
    exam = {"attempt_id": uuid4(), "exam_id": uuid4(), "exam": "final", "title": "Final", "run": 1}
    result = {"points": "7.50", "max_points": "10", "percent": 75.0, "passed": True}
    return events.ScoreReleased(learner_id=person, **exam, **result, **IDS)


SIBLINGS = (joined, enrolled, completed, scored)
"""Events of others than identity, which may come after the account's last."""


@pytest.fixture(scope="module", params=SERVICES)
def service(request):
    return request.param


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bus(service, scratch):
    """Brings events to the service's real inbox, those alone that it acts on."""
    handlers = import_module(f"kourse.{service}.consumers").handlers
    database = Database(scratch.url(f"kourse_{service}"), service)
    inbox = Inbox(database, handlers)
    await inbox.prepare()
    yield Bus(Senders(inbox), handlers.types)
    await database.close()


class Bus:
    def __init__(self, senders, types):
        self._senders = senders
        self._types = types

    async def send(self, *sent):
        for event in sent:
            if event.kind.name in self._types:
                await self._senders.send(event)


@pytest.fixture
def rows_about(service, scratch):
    """Counts the rows about a person, by table, of tables whose rows go with the account."""
    rules = {**PLATFORM, **import_module(f"kourse.{service}.tables").ERASURE}
    with scratch.admin() as connection:

        def counted(person):
            found = {}
            for table, rule in rules.items():
                if isinstance(rule, Remove):
                    query = f"SELECT count(*) FROM {service}.{table} WHERE {rule.column}::text = %s"
                    (found[table],) = connection.execute(query, [str(person)]).fetchone()
            return {table: count for table, count in found.items() if count}

        yield counted


@pytest.fixture
def remember_request(service, scratch):
    """Keeps the answer to a request of a person, as a repeat of it would get."""
    with scratch.admin() as connection:

        def remembered(person):
            connection.execute(
                f"INSERT INTO {service}.idempotency_key (tenant, subject, method, route, key,"
                " fingerprint, status, body, expires_at)"
                " VALUES ('demo', %s, 'POST', '/', 'k', '', 200, '', now() + interval '1 day')",
                [str(person)],
            )

        yield remembered


class TestErasure:
    async def test_takes_every_row_that_says_something_of_the_person(
        self, bus, rows_about, remember_request
    ):
        person, neighbour = uuid4(), uuid4()
        for one in (person, neighbour):
            await bus.send(registered(one), *(make(one) for make in SIBLINGS))
            remember_request(one)
        before = rows_about(neighbour)
        assert before == rows_about(person) != {}

        await bus.send(events.UserDeleted(user_id=person))

        assert (rows_about(person), rows_about(neighbour)) == ({}, before)

    @pytest.mark.parametrize("late", SIBLINGS)
    async def test_is_undone_by_no_event_that_comes_late(self, bus, rows_about, late):
        person = uuid4()
        await bus.send(registered(person), events.UserDeleted(user_id=person))

        await bus.send(late(person))

        assert rows_about(person) == {}
