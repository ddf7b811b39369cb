"""Whatever is done in whatever order, alone or at once: attempts against a model of what they promise.

A race is right when what both sides were told, and what is stored, is what one of the two orders gives.
"""

import asyncio
import copy
from datetime import timedelta
from itertools import permutations
from uuid import uuid4

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from kourse.assessment import authoring
from kourse.assessment.errors import (
    AttemptClosed,
    AttemptsUsedUp,
    NothingToExtend,
    ReviewNotClaimed,
    ReviewTaken,
    StaleAnswer,
)
from kourse.assessment.service import attempts, extending, grading, replicas, reviewing, teaching
from kourse.contracts import names
from kourse.contracts.errors import NotFound
from kourse.contracts.events import ContentPublished, EnrolmentCreated
from kourse.contracts.permissions import ROLE_PERMISSIONS, Role
from kourse.kit.auth import Actor
from kourse.kit.db import Database
from kourse.kit.documents import Doc
from kourse.kit.ids import new_id
from kourse.rules.rubric import Mark
from support.attempt_model import MOST, Model, summary
from support.exams import essay, exam_spec, pool_spec
from support.replaying import replayed

EXAMPLES = settings(
    max_examples=6,
    stateful_step_count=15,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
MORE = timedelta(hours=4)
BEST = {"argument": Mark("clear", None), "figure": Mark("named", None)}
TEACHER = Actor(uuid4(), "demo", frozenset(), "s", ROLE_PERMISSIONS[Role.TEACHER])
SLOT = 1
TABS = st.sampled_from(["one", "two"])
_RUN_OUT = text(
    "UPDATE assessment.attempt SET deadline_at = clock_timestamp() - interval '1 hour'"
    " WHERE id = :id AND state = 'IN_PROGRESS'"
)
_STORED = text(
    "SELECT a.state, n.seq, n.body ->> 'text', a.run FROM assessment.attempt a"
    " LEFT JOIN assessment.answer n ON n.attempt_id = a.id"
    " WHERE a.learner_id = :learner ORDER BY a.number"
)
_SCORED = text(
    "SELECT a.number FROM assessment.score s JOIN assessment.attempt a ON a.id = s.attempt_id"
    " WHERE a.learner_id = :learner ORDER BY a.number"
)
_RUNS = text(
    "SELECT r.attempt_id, r.run, r.points FROM assessment.grading_run r"
    " JOIN assessment.attempt a ON a.id = r.attempt_id WHERE a.learner_id = :learner"
)
REFUSALS = (AttemptClosed, AttemptsUsedUp, NothingToExtend, NotFound, ReviewNotClaimed, StaleAnswer)


class Attempts(RuleBasedStateMachine):
    """One learner with two tabs, the clock, the graders and a teacher."""

    url = staticmethod(lambda role: role)

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.course = f"c-{uuid4().hex[:10]}"
        self.exam, self.learner = f"{self.course}-exam", new_id()
        self.model = Model()
        self.ids = []
        self.run(self._begin())

    def run(self, step):
        return self.loop.run_until_complete(step)

    async def _begin(self):
        self.database = Database(self.url("kourse_assessment"), "assessment", pool_size=3)
        operator = Database(self.url("kourse_operator"), "assessment", pool_size=1)
        course_id = names.declared_id("demo", "Course", self.course)
        category = {"key": "work", "title": "Work", "weight": 100}
        skills = [
            {"key": key, "title": key, "prior": 0.3, "learn": 0.15, "guess": 0.2, "slip": 0.1}
            for key in ("reading", "summing")
        ]
        published = ContentPublished(
            course_id=course_id,
            course=self.course,
            title="Course",
            version=1,
            digest="d",
            time_zone="UTC",
            lessons=[],
            skills=skills,
            categories=[category],
        )
        enrolled = EnrolmentCreated(
            enrolment_id=new_id(), learner_id=self.learner, course_id=course_id, course=self.course
        )
        async with self.database.transaction("demo") as tx:
            await replicas.take_course(tx, published)
            await replicas.take_enrolment(tx, enrolled)
        pool = pool_spec(essay("essay"), courseRef=self.course)
        zones = [
            {
                "key": "main",
                "title": "Main",
                "draws": [{"pools": [self.course], "count": 1, "points": 8}],
            }
        ]
        spec = exam_spec(
            courseRef=self.course,
            zones=zones,
            attempts={"maximum": MOST},
            timeLimitMinutes=60,
            release={"scores": "AtGrading", "answers": "Manual"},
        )
        for kind, name, document in (
            ("QuestionPool", self.course, pool),
            ("ExamConfig", self.exam, spec),
        ):
            doc = Doc(name, document, "resource", uid=name, generation=1)
            await authoring.apply_many(operator, "demo", kind, [doc])
        await operator.close()

    # what is done, each in a transaction of its own

    async def _do(self, act):
        try:
            async with self.database.transaction("demo") as tx:
                return await act(tx)
        except ReviewTaken:
            return NotFound  # it waited when it was looked at
        except REFUSALS as refused:
            return type(refused)

    def _last(self):
        return self.ids[-1] if self.ids else uuid4()

    async def start(self):
        async def act(tx):
            sitting, is_new = await attempts.start(tx, self.learner, self.exam)
            if is_new:
                self.ids.append(sitting.attempt.id)
            return "started" if is_new else "running"

        return await self._do(act)

    async def save(self, seq, written):
        id_ = self._last()

        async def act(tx):
            await attempts.save(tx, self.learner, id_, SLOT, seq, {"text": written})
            return "saved"

        return await self._do(act)

    async def submit(self):
        id_ = self._last()

        async def act(tx):
            return (await attempts.submit(tx, self.learner, id_)).state.value

        return await self._do(act)

    async def run_out(self):
        async def act(tx):
            await tx.execute(_RUN_OUT, {"id": self._last()})

        await self._do(act)

    async def sweep(self):
        async def act(tx):
            await attempts.expire(tx, self._last())

        await self._do(act)

    async def grade(self):
        async def act(tx):
            await grading.grade(tx, self._last())

        await self._do(act)

    async def extend(self):
        async def act(tx):
            exam = await teaching.get_exam(tx, self.exam)
            await extending.extend(
                tx, TEACHER, exam, by=MORE, cohorts=None, learner_id=self.learner
            )
            return "extended"

        return await self._do(act)

    async def void(self):
        id_ = self._last()

        async def act(tx):
            return (await extending.void(tx, TEACHER, id_, "Another sat it.")).state.value

        return await self._do(act)

    async def review(self):
        id_ = self._last()

        async def act(tx):
            sheet = await reviewing.read(tx, TEACHER, id_, SLOT)
            if sheet.sitting.attempt.state.value != "UNDER_REVIEW":
                raise NotFound("It does not wait.")
            await reviewing.claim(tx, TEACHER, id_, SLOT)
            await reviewing.decide(
                tx, TEACHER, id_, SLOT, seen=sheet.number, marks=BEST, comment=None
            )
            return "decided"

        return await self._do(act)

    # alone, and at once

    def alone(self, deed, *values):
        expected = getattr(self.model, deed)(*values)
        found = self.run(getattr(self, deed)(*values))
        assert found == expected, (deed, values)

    def at_once(self, *deeds):
        """Does both at the same time; one of the two orders must explain what came of it."""

        async def act():
            return await asyncio.gather(*(getattr(self, deed)(*values) for deed, *values in deeds))

        found = dict(enumerate(self.run(act())))
        stored = self.run(self._stored())
        explained = []
        for order in permutations(range(len(deeds))):
            model = copy.deepcopy(self.model)
            told = {at: getattr(model, deeds[at][0])(*deeds[at][1:]) for at in order}
            if told == found and stored == summary(model):
                explained.append(model)
        assert explained, (deeds, found, stored, summary(self.model))
        self.model = explained[0]

    async def _stored(self):
        async with self.database.transaction("demo") as tx:
            rows = await tx.execute(_STORED, {"learner": self.learner})
            return [tuple(row) for row in rows]

    @rule()
    def starts(self):
        self.alone("start")

    @rule(tab=TABS, ahead=st.integers(0, 2))
    def saves(self, tab, ahead):
        self.alone("save", self._next(ahead), tab)

    @rule(ahead=st.tuples(st.integers(0, 2), st.integers(0, 2)))
    def both_tabs_save(self, ahead):
        self.at_once(("save", self._next(ahead[0]), "one"), ("save", self._next(ahead[1]), "two"))

    @rule(deed=st.sampled_from(["submit", "run_out", "sweep", "grade", "extend", "void", "review"]))
    def does(self, deed):
        self.alone(deed)

    @rule(
        first=st.sampled_from(["start", "submit", "sweep", "void"]),
        second=st.sampled_from(["start", "submit", "sweep", "grade", "extend", "void", "save"]),
    )
    def race(self, first, second):
        values = (self._next(1), "raced") if second == "save" else ()
        self.at_once((first,), (second, *values))

    def _next(self, ahead):
        """A number of an answer: that of the newest, or so many after it."""
        newest = self.model.last.saved[0] if self.model.last else 0
        return max(1, newest + ahead)

    @invariant()
    def what_is_stored_is_what_was_promised(self):
        assert self.run(self._stored()) == summary(self.model)

    @invariant()
    def a_score_is_there_for_what_is_graded_and_for_nothing_else(self):
        async def look():
            async with self.database.transaction("demo") as tx:
                rows = await tx.execute(_SCORED, {"learner": self.learner})
                return [row.number for row in rows]

        graded = [at for at, one in enumerate(self.model.taken, 1) if one.state == "GRADED"]
        assert self.run(look()) == graded

    def teardown(self):
        self.run(self._replay())
        self.run(self.database.close())
        self.loop.close()

    async def _replay(self):
        """Every run that was ever stored comes to the same points again."""
        async with self.database.transaction("demo") as tx:
            for row in (await tx.execute(_RUNS, {"learner": self.learner})).all():
                again = await replayed(tx, row.attempt_id, row.run)
                numerator, denominator = map(int, row.points.split("/"))
                assert again.points * denominator == numerator


class TestAttempts:
    def test_are_as_the_model_says_whatever_happens(self, scratch):
        machine = type("Machine", (Attempts,), {"url": staticmethod(scratch.url)})
        run_state_machine_as_test(machine, settings=EXAMPLES)
