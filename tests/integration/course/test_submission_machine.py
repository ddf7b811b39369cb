"""Whatever is done in whatever order: hand-ins, extensions, closing and sweeping against a model."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from kourse.contracts.permissions import ROLE_PERMISSIONS, Role
from kourse.course import authoring
from kourse.course.domain.handing_in import Written
from kourse.course.errors import AssignmentClosed, HandInsUsedUp
from kourse.course.repository import learning, outline
from kourse.course.service import expiring, extensions, handing_in
from kourse.kit.auth import Actor
from kourse.kit.db import Database
from kourse.kit.documents import Doc
from support.handing_in import hand_in_course

EXAMPLES = settings(
    max_examples=10,
    stateful_step_count=15,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
LEARNERS = st.integers(0, 2)
MOST = 5
HOUR = timedelta(hours=1)
_MOVE = text(
    "UPDATE course.course SET updated_at = clock_timestamp(), policy = jsonb_set(policy,"
    " '{assignments,study,dates}', jsonb_build_object('due', jsonb_build_object('at',"
    " CAST(:at AS text)), 'closes', jsonb_build_object('at', CAST(:at AS text))))"
    " WHERE name = :name"
)
_BEFORE = text("UPDATE course.enrolment SET created_at = created_at - interval '30 days'")
_TOLD = text(
    "SELECT payload ->> 'learner_id' FROM course.outbox"
    " WHERE type = 'course.assignment.expired' AND payload ->> 'course' = :name"
)
_NUMBERS = text(
    "SELECT h.learner_id, h.number FROM course.hand_in AS h JOIN course.submission AS s"
    " ON s.id = h.submission_id JOIN course.course AS c ON c.id = s.course_id"
    " WHERE c.name = :name ORDER BY h.number"
)


class Submissions(RuleBasedStateMachine):
    """Three learners and a project that closes, opens again and is given more time for."""

    url = staticmethod(lambda role: role)

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.name = f"course-{uuid4().hex[:12]}"
        self.learners = [uuid4() for _ in range(3)]
        self.made = dict.fromkeys(self.learners, 0)
        self.extended, self.told, self.tellings = set(), set(), []
        self.is_closed = False
        self.run(self._begin())

    def run(self, step):
        return self.loop.run_until_complete(step)

    async def _begin(self):
        self.database = Database(self.url("kourse_course"), "course", pool_size=2)
        self.worker = Database(self.url("kourse_course_worker"), "course", pool_size=1)
        operator = Database(self.url("kourse_operator"), "course", pool_size=1)
        doc = Doc(self.name, hand_in_course(), "resource", uid=self.name, generation=1)
        await authoring.apply_many(operator, "demo", "Course", [doc])
        await operator.close()
        async with self.database.transaction("demo") as tx:
            course = await outline.get_live(tx, self.name)
            for learner in self.learners:
                await learning.add_enrolment(tx, course.id, learner)
            await tx.execute(_BEFORE)
        await self._move(HOUR)

    async def _move(self, offset):
        async with self.database.transaction("demo") as tx:
            at = (datetime.now(UTC) + offset).isoformat(timespec="seconds")
            await tx.execute(_MOVE, {"at": at, "name": self.name})

    def teardown(self):
        self.run(self.database.close())
        self.run(self.worker.close())
        self.loop.close()

    def is_open(self, learner):
        return not self.is_closed or learner in self.extended

    @rule(closed=st.booleans())
    def move_the_close(self, closed):
        self.run(self._move(-HOUR if closed else HOUR))
        self.is_closed = closed

    @rule(which=LEARNERS)
    def hand_in(self, which):
        learner = self.learners[which]

        async def act():
            order = handing_in.Order((), Written("Mine."))
            async with self.database.transaction("demo") as tx:
                return await handing_in.hand_in(tx, learner, self.name, "study", order)

        try:
            receipt = self.run(act())
        except AssignmentClosed:
            assert not self.is_open(learner)
        except HandInsUsedUp:
            assert self.is_open(learner)
            assert self.made[learner] == MOST
        else:
            assert self.is_open(learner)
            self.made[learner] += 1
            assert receipt.number == self.made[learner] <= MOST

    @rule(which=LEARNERS)
    def give_more_time(self, which):
        learner = self.learners[which]
        teacher = Actor(uuid4(), "demo", frozenset(), "s", ROLE_PERMISSIONS[Role.TEACHER])

        async def act():
            later = datetime.now(UTC) + timedelta(days=400 + len(self.extended))
            order = extensions.Order(learner, None, later, later, "Ill, with a note.")
            async with self.database.transaction("demo") as tx:
                await extensions.extend(tx, teacher, self.name, "study", order)

        if learner not in self.extended:
            self.run(act())
            self.extended.add(learner)

    @rule()
    def sweep(self):
        runtime = SimpleNamespace(database=self.database, worker_database=self.worker)
        self.run(expiring.sweep(runtime))
        closed = {
            learner
            for learner in self.learners
            if not self.is_open(learner) and not self.made[learner]
        }
        self.tellings += closed - self.told
        self.told = closed

    def rows(self, query):
        async def look():
            async with self.database.transaction("demo") as tx:
                return (await tx.execute(query, {"name": self.name})).all()

        return self.run(look())

    @invariant()
    def receipts_are_numbered_without_a_gap(self):
        found = {learner: [] for learner in self.learners}
        for learner, number in self.rows(_NUMBERS):
            found[learner].append(number)
        assert found == {one: list(range(1, count + 1)) for one, count in self.made.items()}

    @invariant()
    def what_closed_without_a_hand_in_is_told_once_for_each_close(self):
        told = sorted(learner for (learner,) in self.rows(_TOLD))
        assert told == sorted(map(str, self.tellings))


class TestSubmissions:
    def test_are_as_the_model_says_whatever_happens(self, scratch):
        machine = type("Machine", (Submissions,), {"url": staticmethod(scratch.url)})
        run_state_machine_as_test(machine, settings=EXAMPLES)
