"""What the catalog promises is enough for a team that writes Go: each event once, in its entity's order."""

import asyncio
import itertools
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest

from kourse.contracts import events
from support.events import running
from support.waiting import until

MODULE = Path(__file__).parent
COURSE = {"course_id": uuid4(), "course": "statistics"}
EXAM = {"exam_id": uuid4(), "exam": "midterm"}
LESSONS = 4
TOLD_OF_EACH = 2 + LESSONS + 1
"""Lines that one learner's journey makes: welcome, code, lessons, grade."""


def registered(user=None):
    return events.UserRegistered(user_id=user or uuid4(), display_name="Ana", locale="pt")


class Learner:
    """Someone's events, entity by entity."""

    def __init__(self, cohort="autumn"):
        self.id = uuid4()
        self.delivery = uuid4()
        who = {"learner_id": self.id, "cohort": cohort, **COURSE}
        enrolment, attempt = ({**who, key: uuid4()} for key in ("enrolment_id", "attempt_id"))
        attempt |= EXAM
        self.identity = [
            registered(self.id),
            events.VerificationRequested(user_id=self.id, delivery_id=self.delivery),
            events.EmailVerified(user_id=self.id),
        ]
        self.course = [
            events.EnrolmentCreated(**enrolment),
            *(self._completed(enrolment, number) for number in range(1, LESSONS + 1)),
        ]
        self.assessment = [
            events.AttemptStarted(**attempt, number=1),
            events.AttemptSubmitted(**attempt),
            events.ExamGraded(**attempt, run=1),
        ]

    def _completed(self, enrolment, number):
        return events.LessonCompleted(
            **enrolment, lesson_id=uuid4(), lesson=f"l{number}", title="L",
            completed=number, total=LESSONS,
        )  # fmt: skip

    @property
    def entities(self):
        """Ids of everything whose sequence this learner's events count."""
        return {event.entity for event in (*self.identity, *self.course, *self.assessment)}

    async def study(self, producers):
        """All of it happens, each in a transaction of its own."""
        for name, producer in producers.items():
            await producer.tell(*getattr(self, name))


PUBLISHED = events.ContentPublished(
    **COURSE, title="Statistics", version=3, digest="d", time_zone="Europe/Lisbon",
    lessons=[], skills=[],
)  # fmt: skip
DUE = events.AssignmentCreated(
    **COURSE, assignment_id=uuid4(), assignment="report", title="Report", category="work",
    points=10, due_at="2026-12-01T22:59:00Z",
)  # fmt: skip


def mark(admin, schema, entity, seq, published):
    """Lets the relay think that it published an event, or that it did not yet."""
    when = "clock_timestamp()" if published else "NULL"
    admin.execute(
        f"UPDATE {schema}.outbox SET published_at = {when} WHERE entity = %s AND seq = %s",
        (str(entity), seq),
    )


async def study_one_after_the_other(learners, producers):
    for learner in learners:
        await learner.study(producers)


@pytest.fixture
def admin(scratch):
    with scratch.admin() as connection:
        yield connection


@pytest.fixture
def all_published(admin):
    pending = " UNION ALL ".join(
        f"SELECT 1 FROM {name}.outbox WHERE published_at IS NULL"
        for name in ("identity", "course", "assessment")
    )
    return lambda: not admin.execute(pending).fetchall()


async def first_of(wire, queue):
    """The first message of a queue, or None."""
    found = await wire.basic_get(queue, no_ack=True)
    return found if found.body else None


VERSIONS = itertools.count(PUBLISHED.version + 1)


async def come_behind(go_service, course):
    """Everything that was published before has been handled by both sources once this returns."""
    last = next(VERSIONS)
    await course.tell(PUBLISHED.model_copy(update={"version": last}))
    text = f"statistics is live in version {last}"
    for source in ("service", "cohort"):
        await until(lambda source=source: text in go_service.texts(source))


class TestCatalog:
    async def test_is_enough_to_handle_what_a_learner_goes_through(self, go_service, relayed):
        await go_service.start()
        ana, other = Learner(), Learner(cohort="spring")
        await relayed["course"].tell(PUBLISHED, DUE)
        for learner in (ana, other):
            await learner.study(relayed)

        course_wide = {"statistics is live in version 3", "report is due 2026-12-01 22:59"}
        grade = "midterm graded in run 1"
        lessons = {f"{ana.id} completed l{n}, {n} of {LESSONS}" for n in range(1, LESSONS + 1)}
        mine = {f"welcome {ana.id} in pt", f"one-time code {ana.delivery} for {ana.id}"}
        await until(lambda: len(go_service.handled()) == 2 + 2 * TOLD_OF_EACH)
        await until(lambda: len(go_service.handled("cohort")) == 2 + LESSONS + 1)
        assert course_wide | mine | lessons | {grade} <= set(go_service.texts())
        assert course_wide | lessons | {grade} == set(go_service.texts("cohort"))

    def test_makes_go_code_that_is_formatted_and_passes_vet(self, program):
        for command in (["gofmt", "-l", "."], ["go", "vet", "./..."]):
            ran = subprocess.run(command, cwd=MODULE, capture_output=True, text=True, check=False)
            assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr


class TestDelivery:
    async def test_handles_each_once_and_in_order_through_kills_and_duplicates(
        self, go_service, relayed, admin, all_published
    ):
        learners = [Learner() for _ in range(25)]
        expected = len(learners) * TOLD_OF_EACH
        await go_service.start()
        studying = asyncio.create_task(study_one_after_the_other(learners, relayed))
        for share in (0.2, 0.5, 0.8):
            await until(lambda share=share: len(go_service.handled()) >= expected * share)
            go_service.kill()
            for schema in relayed:
                admin.execute(f"UPDATE {schema}.outbox SET published_at = NULL")
            await go_service.start()
        await studying
        await until(all_published)
        await come_behind(go_service, relayed["course"])

        whose = {entity for learner in learners for entity in learner.entities}
        for source, per_learner in (("service", TOLD_OF_EACH), ("cohort", LESSONS + 1)):
            told = [line for line in go_service.handled(source) if line["entity"] in whose]
            assert len(told) == len(learners) * per_learner
            assert len({line["id"] for line in told}) == len(told)
            in_order = sorted(told, key=lambda line: line["entity"])
            for _, lines in itertools.groupby(in_order, key=lambda line: line["entity"]):
                numbers = [line["seq"] for line in lines]
                assert numbers == sorted(numbers)

    async def test_waits_for_a_missing_event_and_then_goes_on_in_order(
        self, go_service, producers, admin
    ):
        await go_service.start()
        lessons = await self.publish_without_the_second(go_service, producers, admin)
        assert lessons() == []

        async with running(producers["course"].relay):
            mark(admin, "course", self.ana.course[0].entity, 2, published=False)
            await until(lambda: len(lessons()) == LESSONS)
        assert [(line["seq"], line["late"]) for line in lessons()] == [
            (2, False), (3, False), (4, False), (5, False),
        ]  # fmt: skip

    async def test_goes_on_when_its_patience_ends_and_takes_what_comes_late(
        self, go_service, producers, admin
    ):
        await go_service.start(PATIENCE="200ms")
        lessons = await self.publish_without_the_second(go_service, producers, admin)
        await until(lambda: len(lessons()) == LESSONS - 1)

        async with running(producers["course"].relay):
            mark(admin, "course", self.ana.course[0].entity, 2, published=False)
            await until(lambda: len(lessons()) == LESSONS)
        assert [(line["seq"], line["late"]) for line in lessons()] == [
            (3, False), (4, False), (5, False), (2, True),
        ]  # fmt: skip

    async def publish_without_the_second(self, go_service, producers, admin):
        """An enrolment's events are delivered but for its first lesson; the lessons handled so far."""
        self.ana = Learner()
        entity = self.ana.course[0].entity
        await producers["course"].tell(*self.ana.course)
        mark(admin, "course", entity, 2, published=True)
        async with running(producers["course"].relay):
            sent = "SELECT published_at FROM course.outbox WHERE entity = %s AND seq = 5"
            await until(lambda: admin.execute(sent, (entity,)).fetchone()[0])
            await come_behind(go_service, producers["course"])
        return lambda: [line for line in go_service.handled() if line["entity"] == entity]


class TestFailures:
    async def test_set_a_message_aside_that_can_never_pass(
        self, go_service, producers, admin, broker
    ):
        await go_service.start()
        ana = Learner()
        await producers["identity"].tell(*ana.identity, registered())
        broken = (
            "UPDATE identity.outbox SET payload = '{\"user_id\": 5}' WHERE entity = %s AND seq = 1"
        )
        admin.execute(broken, (str(ana.id),))
        async with running(producers["identity"].relay):
            code = f"one-time code {ana.delivery} for {ana.id}"
            await until(lambda: code in go_service.texts())
        assert not any("welcome " + str(ana.id) in text for text in go_service.texts())
        async with broker.open() as wire:
            dead = await until(lambda: first_of(wire, "interop.dead"))
        assert dead.body == b'{"user_id": 5}'

    async def test_lose_nothing_while_redis_is_away(
        self, go_service, relayed, redis_proxy, all_published
    ):
        proxy, _, _ = redis_proxy
        await go_service.start()
        await come_behind(go_service, relayed["course"])
        await proxy.cut()
        ana = Learner()
        await ana.study(relayed)
        await until(all_published)
        await proxy.mend()

        def handled():
            return [line["id"] for line in go_service.handled() if line["entity"] in ana.entities]

        await until(lambda: len(handled()) == TOLD_OF_EACH)
        await come_behind(go_service, relayed["course"])
        assert len(set(handled())) == len(handled()) == TOLD_OF_EACH
