"""Plans of pools and exams: rows, attempts in progress and access, as an apply then has them."""

from uuid import uuid4

import pytest

from kourse.assessment.service import attempts, reach, replicas
from kourse.contracts import names
from kourse.contracts.errors import KourseError
from kourse.contracts.events import CohortDeclared
from kourse.contracts.resources import ExamConfigSpec, QuestionPoolSpec
from kourse.kit.documents import Applied
from support.exams import EVERY_TYPE, exam_document, pool_document, single

pytestmark = pytest.mark.asyncio(loop_scope="module")
PLANS = "/v1/authoring/plans/assessments"
TABLES = ("exam", "exam_version", "pool", "question", "question_version")
PAST = {"opens": {"at": "2025-01-01T00:00"}, "closes": {"at": "2025-02-01T00:00"}}


@pytest.fixture
def plan(house):
    """Plans documents given as kind, name and spec; what is said of each, by name."""

    async def ask(*documents, facts=(), roles=("planner",), claims=None):
        body = {
            "documents": [
                {"kind": kind, "name": name, "spec": spec} for kind, name, spec in documents
            ],
            "facts": list(facts),
        }
        answer = await house.call(
            "POST", PLANS, by=uuid4(), roles=roles, json=body, claims=claims or {}
        )
        assert answer.status == 200, answer.body
        return {one["name"]: one for one in answer.body["objects"]}

    return ask


@pytest.fixture
def plan_exam(plan):
    """Plans the exam ``quiz``."""

    async def ask(**changes):
        return (await plan(("ExamConfig", "quiz", exam_document(**changes))))["quiz"]

    return ask


def people(planned):
    return {one["effect"]: (one["count"], one["sentence"]) for one in planned["people"]}


def course_fact(name="statistics"):
    """That a course would be live."""
    skills = [
        {"key": key, "title": key, "prior": 0.3, "learn": 0.1, "guess": 0.2, "slip": 0.1}
        for key in ("reading", "summing")
    ]
    payload = {
        "course_id": str(names.declared_id("demo", "Course", name)),
        "course": name,
        "title": "Statistics",
        "version": 1,
        "digest": "d",
        "time_zone": "Europe/Lisbon",
        "lessons": [],
        "skills": skills,
        "categories": [{"key": "work", "title": "Work", "weight": 100}],
    }
    return {"type": "course.content.published", "payload": payload}


class TestPermission:
    async def test_is_needed(self, house):
        for roles in (["learner"], ["teacher"]):
            answer = await house.call("POST", PLANS, by=uuid4(), roles=roles, json={})
            assert (answer.status, answer.code) == (403, "forbidden")

    async def test_of_a_scoped_author_ends_at_the_course(self, plan):
        said = await plan(
            ("QuestionPool", "basics", pool_document()),
            ("QuestionPool", "shared", pool_document(courseRef=None)),
            facts=[course_fact()],
            roles=["learner"],
            claims={"scopes": ["author@course:statistics"]},
        )
        assert (said["basics"]["action"], said["shared"]["action"]) == ("create", "refused")

    async def test_shows_nothing_of_another_tenant(self, house, plan_exam):
        await house.quiz()
        await house.publish_course(tenant="other")
        await house.pool(tenant="other")
        assert (await plan_exam())["action"] == "unchanged"
        await house.exam("final", tenant="other")
        body = {"documents": [{"kind": "ExamConfig", "name": "final", "spec": exam_document()}]}
        answer = await house.call("POST", PLANS, by=uuid4(), roles=["planner"], json=body)
        assert answer.body["objects"][0]["action"] == "create"


class TestPlan:
    async def test_takes_a_whole_new_directory_for_present(self, plan):
        said = await plan(
            ("ExamConfig", "quiz", exam_document()),
            ("QuestionPool", "basics", pool_document()),
            facts=[course_fact()],
        )
        assert {one["action"] for one in said.values()} == {"create"}

    async def test_names_what_is_missing(self, house, plan_exam):
        assert (await plan_exam())["problems"][0]["code"] == "unknown-course"
        await house.publish_course()
        planned = await plan_exam()
        assert (planned["action"], planned["problems"][0]["code"]) == ("wait", "unknown-pool")

    async def test_says_how_many_points_there_would_be(self, house, plan_exam):
        await house.quiz()
        planned = await plan_exam(points=3)
        assert {one["path"]: (one["before"], one["after"]) for one in planned["status"]} == {
            "points": (12, 18)
        }
        assert (planned["versionBefore"], planned["versionAfter"]) == (1, 2)

    async def test_names_dates_that_are_impossible(self, house, plan_exam):
        await house.quiz()
        planned = await plan_exam(dates={"opens": {"at": "2026-02-30T10:00"}})
        assert (planned["action"], planned["problems"][0]["code"]) == ("refused", "invalid-dates")

    async def test_sees_that_a_pool_becomes_too_small_for_an_exam(self, house, plan):
        await house.quiz()
        said = await plan(
            ("QuestionPool", "basics", pool_document(single("one"))),
            ("ExamConfig", "quiz", exam_document()),
        )
        assert said["quiz"]["problems"][0]["code"] == "too-few-questions"


class TestPeople:
    async def test_keep_the_version_of_their_attempt(self, house, plan_exam):
        learner = await house.quiz()
        await house.started(learner)
        assert people(await plan_exam(points=3)) == {
            "keep-version": (1, "1 attempt in progress stays on version 1")
        }

    async def test_keep_the_questions_that_they_drew(self, house, plan):
        learner = await house.quiz()
        await house.started(learner)
        changed = [{**EVERY_TYPE[0], "prompt": "Another"}, *EVERY_TYPE[1:]]
        said = await plan(("QuestionPool", "basics", pool_document(*changed)))
        assert people(said["basics"]) == {
            "keep-questions": (1, "1 attempt in progress keeps the questions that were drawn")
        }

    async def test_lose_access_when_the_exam_closes(self, house, plan_exam):
        await house.quiz()
        await house.enrol()
        assert people(await plan_exam(dates=PAST)) == {"lose-access": (2, "2 learners lose access")}

    async def test_go_on_with_a_running_attempt_although_it_closes(self, house, plan_exam):
        learner = await house.quiz()
        await house.started(learner)
        assert "lose-access" not in people(await plan_exam(dates=PAST))

    async def test_gain_access_with_another_attempt(self, house, plan_exam):
        learner = await house.quiz(attempts={"maximum": 1})
        attempt = await house.started(learner)
        await house.submit(learner, attempt["id"])
        planned = await plan_exam(attempts={"maximum": 2})
        assert people(planned) == {"gain-access": (1, "1 learner gains access")}

    async def test_gain_time_when_the_limit_grows(self, house, plan_exam):
        learner = await house.quiz(timeLimitMinutes=30)
        await house.started(learner)
        assert people(await plan_exam(timeLimitMinutes=60)) == {
            "gain-time": (1, "1 attempt in progress gains time")
        }
        assert people(await plan_exam(timeLimitMinutes=10)) == {}

    async def test_of_a_cohort_lose_access_when_its_dates_move(self, house, plan):
        await house.quiz()
        cohort = {
            "cohort_id": names.declared_id("demo", "Cohort", "evening"),
            "cohort": "evening",
            "title": "Evening",
            "courses": ["statistics"],
            "starts_on": "2026-11-02",
            "ends_on": "2027-06-30",
            "time_zone": "Europe/Lisbon",
        }
        async with house.database.transaction("demo") as tx:
            await replicas.take_cohort(tx, CohortDeclared(**cohort))
        await house.enrol(cohort="evening")
        dates = [{"course": "statistics", "exam": "quiz", "closes_at": "2025-01-01T00:00:00Z"}]
        payload = CohortDeclared(**cohort, dates=dates).model_dump(mode="json")
        said = await plan(facts=[{"type": "profile.cohort.declared", "payload": payload}])
        assert people(said["quiz"]) == {"lose-access": (1, "1 learner loses access")}


VARIANTS = {
    "points": {"points": 5},
    "a closed window": {"dates": PAST},
    "fewer attempts": {"attempts": {"maximum": 1}},
    "more time": {"timeLimitMinutes": 90},
    "less time": {"timeLimitMinutes": 5},
    "fewer questions": {"count": 3},
    "another title": {"title": "Other"},
    "nothing": {},
}


class TestWhatAPlanSays:
    @pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS)
    async def test_is_what_the_apply_does(self, house, plan_exam, changes):
        sitting = await house.quiz(timeLimitMinutes=30)
        attempt = await house.started(sitting)
        done = await house.enrol()
        once = await house.started(done)
        await house.submit(done, once["id"])
        fresh = await house.enrol()
        spec = exam_document(**{"timeLimitMinutes": 30, **changes})
        planned = await plan_exam(**{"timeLimitMinutes": 30, **changes})
        before = {table: _count(house, table) for table in TABLES}
        could = [await _can_start(house, one) for one in (sitting, done, fresh)]
        deadline = _deadline(house, attempt["id"])
        applied = await house.exam(spec=ExamConfigSpec.model_validate(spec), generation=2)
        assert isinstance(applied, Applied)
        await _reach(house)
        assert applied.version == planned["versionAfter"]
        assert applied.changed == (planned["action"] == "update")
        told = {one["table"]: one["inserted"] - one["deleted"] for one in planned["rows"]}
        assert {table: _count(house, table) - before[table] for table in TABLES} == {
            table: told.get(table, 0) for table in TABLES
        }
        can = [await _can_start(house, one) for one in (sitting, done, fresh)]
        moved = people(planned)
        gained = sum(now and not then for then, now in zip(could, can, strict=True))
        lost = sum(then and not now for then, now in zip(could, can, strict=True))
        assert moved.get("gain-access", (0,))[0] == gained
        assert moved.get("lose-access", (0,))[0] == lost
        assert ("gain-time" in moved) == (_deadline(house, attempt["id"]) != deadline)

    async def test_of_a_pool_is_what_the_apply_does(self, house, plan):
        await house.quiz()
        changed = [{**EVERY_TYPE[0], "prompt": "Another"}, *EVERY_TYPE[2:], single("new")]
        spec = pool_document(*changed)
        planned = (await plan(("QuestionPool", "basics", spec)))["basics"]
        before = {table: _count(house, table) for table in TABLES}
        await house.pool(spec=QuestionPoolSpec.model_validate(spec), generation=2)
        told = {one["table"]: one["inserted"] - one["deleted"] for one in planned["rows"]}
        assert {table: _count(house, table) - before[table] for table in TABLES} == {
            table: told.get(table, 0) for table in TABLES
        }
        paths = [one["path"] for one in planned["changes"]]
        assert any("multiple" in path for path in paths)


def _count(house, table):
    return house.rows(f"SELECT count(*) FROM assessment.{table}")[0][0]


def _deadline(house, attempt):
    return house.rows("SELECT deadline_at FROM assessment.attempt WHERE id = %s", attempt)[0][0]


async def _reach(house):
    exam_id = names.declared_id("demo", "ExamConfig", "quiz")
    async with house.database.transaction("demo") as tx:
        await reach.reach(tx, exam_id)


async def _can_start(house, learner):
    """Whether a start would be let in, by starting in a transaction that is rolled back."""
    async with house.database.rehearsal("demo") as tx:
        try:
            await attempts.start(tx, learner, "quiz")
            could = True
        except KourseError:
            could = False
    return could
