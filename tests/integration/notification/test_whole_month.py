"""A month of a whole school brought again: feed, mail, reminders, digests, webhooks and the game stay as they are."""

import random
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import pytest_asyncio

from integration.notification.conftest import open_http
from integration.notification.test_badges import declaring
from integration.notification.test_digests import REFUSES_LESSONS
from integration.notification.test_events import attempt, lesson, score
from integration.notification.test_more_time import extended
from integration.notification.test_replay import batches, interleaved
from integration.notification.test_webhooks import KEY, Owner, hooking, hooking_of, receiver
from kourse.contracts import events
from kourse.contracts.events import DeclaredDates, DeclaredMoment
from kourse.notification.service import broadcasting, reading
from kourse.notification.service.digesting import Digesting
from kourse.notification.service.reminding import Reminding
from kourse.notification.tables import metadata
from support.serving import Identity, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

__all__ = ["hooking", "hooking_of", "receiver"]

TENANT = "month"
DAY = timedelta(days=1)
BEGIN = datetime.now(UTC).replace(microsecond=0) - 20 * DAY
END = BEGIN + 30 * DAY
ZONES = ("Pacific/Auckland", "America/St_Johns", "Europe/Lisbon")
INBOX = {"inbox", "inbox_cursor", "inbox_consumer", "partition_lease"}
"""How far events were taken, which is what a replay may touch."""


class School:
    """A course with a cohort, and what a month brings to its learners: when, and what."""

    def __init__(self, learners):
        self._learners = learners
        self._of = {"course_id": uuid4(), "course": "statistics"}
        self._cohort = {"cohort_id": uuid4(), "cohort": "evening"}
        self._assignment = {"assignment_id": uuid4(), "assignment": "report"}

    def month(self):
        """All of it, in the order in which it happened."""
        facts = [*self._course(), *self._class()]
        for number, learner in enumerate(self._learners):
            facts += self._person(learner, ZONES[number % len(ZONES)])
            facts += self._studies(learner, uuid4(), number)
        return sorted(facts, key=lambda fact: fact[0])

    def _course(self):
        course_id = self._of["course_id"]
        dates = DeclaredDates(due=DeclaredMoment(at=(BEGIN + 12.5 * DAY).isoformat()))
        told = {**self._of, **self._assignment, "title": "A report"}
        yield 0, declaring(course_id, ("study", "LessonsCompleted", 2))
        yield (
            2,
            events.AssignmentCreated(
                **told, category="homework", points=20, due_at=BEGIN + 12.5 * DAY, dates=dates
            ),
        )
        moved = DeclaredDates(due=DeclaredMoment(at=(BEGIN + 15.5 * DAY).isoformat()))
        yield 6, events.AssignmentChanged(**told, due_at=BEGIN + 15.5 * DAY, dates=moved)
        yield 7, declaring(course_id, ("study", "LessonsCompleted", 3), version=2)
        yield (
            5,
            events.ExamScheduled(
                exam_id=uuid4(),
                exam="final",
                **self._of,
                title="Final",
                purpose="Exam",
                version=1,
                dates=DeclaredDates(
                    opens=DeclaredMoment(at=(BEGIN + 18.5 * DAY).isoformat()),
                    closes=DeclaredMoment(at=(BEGIN + 21.5 * DAY).isoformat()),
                ),
            ),
        )

    def _class(self):
        yield (
            0,
            events.CohortDeclared(
                **self._cohort,
                title="Evening class",
                courses=["statistics"],
                starts_on=BEGIN.date(),
                ends_on=END.date(),
                time_zone="Europe/Berlin",
                dates=[],
            ),
        )
        yield (
            9,
            events.AnnouncementPosted(**self._cohort, announcement_id=uuid4(), author_id=uuid4()),
        )

    def _person(self, learner, zone):
        yield 0, events.UserRegistered(user_id=learner, display_name="Ana", locale="de")
        yield 0, events.SettingsChanged(learner_id=learner, time_zone=zone, locale="de")
        yield 11, events.SettingsChanged(learner_id=learner, time_zone="Asia/Tokyo", locale="en")
        yield 8, events.PasswordReset(user_id=learner)
        yield 10, events.MessageSent(learner_id=learner, message_id=uuid4(), author_id=uuid4())

    def _studies(self, learner, enrolment_id, number):
        of_run = {"enrolment_id": enrolment_id, "learner_id": learner, **self._of}
        yield 1, events.GroupJoined(**self._cohort, learner_id=learner, courses=["statistics"])
        yield 1, events.EnrolmentCreated(**of_run, **self._cohort)
        for day in range(1, 13):
            yield 2 * day + number / 9, lesson(learner, self._of["course_id"], enrolment_id)
        if number == 0:
            yield (
                13,
                events.AssignmentExtended(
                    **of_run, **self._assignment, due_at=BEGIN + 19.5 * DAY, actor_id=uuid4()
                ),
            )
            yield 14, events.EnrolmentSuspended(**of_run)
            yield 16, events.EnrolmentResumed(**of_run)
        yield 17, events.RiskRaised(**of_run, reasons=["inactive"])
        yield 19, attempt(learner)
        yield 19.5, extended(learner)
        yield 20, score(learner)


@pytest.fixture
def everything(sql):
    """Every row of the tenant, by table."""

    def read():
        return {
            name: sorted(
                map(repr, sql(f"SELECT * FROM notification.{name} WHERE tenant = %s", TENANT))
            )
            for name in {one.name for one in metadata.sorted_tables} - INBOX
            if "tenant" in metadata.tables[f"notification.{name}"].c
        }

    return read


@pytest.fixture
def work(databases, judge, sender_of, smtp, hooking):
    """Lets every loop of the service do all that there is to do at some time."""

    async def run(now):
        async def clock(_tx):
            return now

        await broadcasting.sweep(*databases)
        await judge()
        await Reminding(*databases, clock=clock).round()
        await Digesting(*databases, clock=clock).round()
        while await sender_of(smtp).round() + await hooking.round():
            pass

    return run


@pytest_asyncio.fixture(loop_scope="module")
async def learners(scratch, issuer, databases, book, receiver, tmp_path):
    """Three people with webhooks, of whom one refuses mail of lessons; the loops that run are the test's own."""
    key = tmp_path / "data-key"
    key.write_bytes(KEY)
    how = {"data_key_file": key, "webhook_plain_http": True}
    async with (
        serving(Identity(issuer).app) as identity_url,
        open_http(scratch, issuer, identity_url, **how) as http,
    ):
        people = [Owner(http, issuer, tenant=TENANT) for _ in range(3)]
        for one in people:
            await one.add(receiver.url)
    for one in people:
        book.add(one.id)
    async with databases[0].transaction(TENANT) as tx:
        await reading.put_preferences(tx, people[0].id, REFUSES_LESSONS)
    return [one.id for one in people]


class TestMonth:
    async def test_brought_again_changes_no_row_and_sends_nothing(
        self, bus, sql, work, everything, learners, smtp, receiver
    ):
        month, chance = School(learners).month(), random.Random(7)
        letters = [
            (event, bus.delivery(event, tenant=TENANT, at=BEGIN + day * DAY))
            for day, event in month
        ]
        for day in range(30):
            todays = [
                one for one in letters if BEGIN + day * DAY <= one[1].time < BEGIN + (day + 1) * DAY
            ]
            for batch in batches(todays, chance):
                await bus.bring(*batch)
            await work(BEGIN + (day + 1) * DAY)
        before, mails, calls = everything(), len(smtp.mails), len(receiver.requests)
        assert {"assignment-due-soon", "weekly-digest", "exam-opening-soon"} <= kinds(sql)
        assert {"course-published", "exam-graded", "encouragement", "badge-won"} <= kinds(sql)
        assert mails > 30
        assert calls > 60

        for seed in range(3):
            chance = random.Random(seed)
            if seed == 2:  # as retention leaves it
                sql("DELETE FROM notification.inbox WHERE tenant = %s", TENANT)
            again = letters if seed == 0 else interleaved(letters, chance)
            for batch in batches(again, chance):
                await bus.bring(*batch)
            await work(END)
            after = everything()
            assert {name for name in before if before[name] != after[name]} == set()
            assert (len(smtp.mails), len(receiver.requests)) == (mails, calls)


def kinds(sql):
    """What anybody was told."""
    query = "SELECT DISTINCT kind FROM notification.notification WHERE tenant = %s"
    return {kind for (kind,) in sql(query, TENANT)}
