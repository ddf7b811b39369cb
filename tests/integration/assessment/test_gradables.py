"""What was handed in is graded by rubric, with its late deduction, and seen once it is released."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
import pytest_asyncio

from kourse.assessment.service import gradables
from kourse.contracts import names
from kourse.contracts.events import AssignmentChanged, AssignmentCreated, AssignmentSubmitted
from kourse.kit.ids import new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")

COURSE = names.declared_id("demo", "Course", "statistics")
REPORT = names.part_id(COURSE, "assignment", "report")
WORK = "/v1/courses/statistics/assignments/report"
TEACHER = UUID(int=70)
DUE = datetime(2027, 3, 1, 12, tzinfo=UTC)


def rubric():
    def levels(most):
        return [
            {"key": "none", "title": "Nothing", "points": 0},
            {"key": "some", "title": "Something", "points": most // 2},
            {"key": "full", "title": "All", "points": most},
        ]

    return [
        {"key": "plan", "title": "Plan", "levels": levels(6)},
        {"key": "prose", "title": "Prose", "levels": levels(4)},
    ]


def assignment(kind=AssignmentCreated, **changes):
    """20 points by a rubric of 10; 10 % for each day late."""
    return kind(
        **{
            "course_id": COURSE,
            "course": "statistics",
            "assignment_id": REPORT,
            "assignment": "report",
            "title": "A report",
            "category": "work",
            "points": 20,
            "rubric": rubric(),
            "late_policy": {"percent_per_day": 10},
            **changes,
        }
    )


class Grading:
    """A grader's place."""

    def __init__(self, house):
        self.house = house

    async def declare(self, **changes):
        async with self.house.database.transaction("demo") as tx:
            await gradables.take_assignment(tx, assignment(**changes))

    async def hand_in(self, *learners, number=1, late=timedelta(0), submission=None, **changes):
        """What course tells of a hand-in; the submission's id."""
        submission = submission or new_id()
        learners = learners or (await self.house.enrol(),)
        enrolments = [await self.enrolment_of(one) for one in learners]
        event = AssignmentSubmitted(
            **{
                "submission_id": submission,
                "enrolment_id": enrolments[0],
                "learner_id": learners[0],
                "course_id": COURSE,
                "course": "statistics",
                "assignment_id": REPORT,
                "assignment": "report",
                "number": number,
                "submitted_at": DUE + late,
                "due_at": DUE,
                "members": list(learners),
                "enrolments": enrolments,
                **changes,
            }
        )
        async with self.house.database.transaction("demo") as tx:
            await gradables.take_hand_in(tx, event)
        return submission

    async def enrolment_of(self, learner):
        ((found,),) = self.house.rows(
            "SELECT enrolment_id FROM assessment.enrolment_replica WHERE learner_id = %s", learner
        )
        return found

    async def call(self, method, path, body=None, *, roles=("teacher",), scopes=(), key=None):
        headers = {} if key is None else {"Idempotency-Key": key}
        more = {} if body is None else {"json": body}
        return await self.house.call(
            method,
            path,
            by=TEACHER,
            roles=roles,
            headers=headers,
            claims={"scopes": list(scopes)},
            **more,
        )

    async def grade(self, submission, plan="full", prose="some", *, number=1, run=0, **changes):
        marks = {"plan": {"level": plan}, "prose": {"level": prose, "comment": "Well."}}
        body = {"number": number, "run": run, "marks": marks, **changes}
        return await self.call("PUT", f"/v1/gradables/{submission}/grade", body)

    async def feedback(self, learner, submission):
        return await self.house.get(f"/v1/submissions/{submission}/feedback", by=learner)


@pytest_asyncio.fixture(loop_scope="module")
async def grading(house):
    """A course with the assignment ``report`` is known."""
    await house.publish_course()
    place = Grading(house)
    await place.declare()
    return place


class TestGrade:
    async def test_scales_the_rubric_and_takes_for_lateness_apart(self, grading):
        submission = await grading.hand_in(late=timedelta(days=1, hours=1))
        sheet = (await grading.grade(submission)).body
        found = sheet["grading"]
        assert (found["earned"], found["deduction"], found["points"]) == ("16", "4", "12")
        assert (sheet["waiting"], found["maxPoints"]) == (False, "20")
        assert found["marks"]["prose"] == {"level": "some", "points": None, "comment": "Well."}

    async def test_takes_points_between_levels(self, grading):
        submission = await grading.hand_in()
        marks = {"plan": {"points": "4.5"}, "prose": {"level": "none"}}
        answer = await grading.grade(submission, marks=marks)
        assert answer.body["grading"]["points"] == "9"

    @pytest.mark.parametrize(
        "change",
        [
            {"marks": {"plan": {"level": "full"}}},
            {"marks": {}, "points": "12"},
            {"marks": {"plan": {"points": "7"}, "prose": {"level": "full"}}},
        ],
    )
    async def test_refuses_what_does_not_fit_the_rubric(self, grading, change):
        submission = await grading.hand_in()
        answer = await grading.grade(submission, **change)
        assert (answer.status, answer.code) == (422, "grade-mismatch")

    async def test_takes_points_as_such_without_a_rubric(self, grading):
        await grading.declare(kind=AssignmentChanged, rubric=[])
        submission = await grading.hand_in()
        answer = await grading.grade(submission, marks={}, points="12.5")
        assert answer.body["grading"]["points"] == "12.5"

    async def test_changes_nothing_when_the_same_is_said_again(self, grading, house):
        submission = await grading.hand_in()
        first = await grading.grade(submission)
        again = await grading.grade(submission)
        assert (again.status, again.body) == (200, first.body)
        assert house.events().count("assessment.assignment.graded") == 1

    async def test_passes_over_nobodys_work_unseen(self, grading):
        submission = await grading.hand_in()
        await grading.grade(submission)
        late = await grading.grade(submission, "none")
        assert (late.status, late.code, late.body["run"]) == (409, "grade-stale", 1)
        assert (await grading.grade(submission, "none", run=1)).status == 200

    async def test_of_two_graders_at_once_lets_one_through(self, grading):
        submission = await grading.hand_in()
        answers = await asyncio.gather(
            *(grading.grade(submission, plan) for plan in ("none", "some", "full"))
        )
        assert sorted(one.status for one in answers) == [200, 409, 409]

    async def test_keeps_runs_that_not_even_the_service_can_change(self, grading, scratch):
        await grading.grade(await grading.hand_in())
        own = scratch.url("kourse_assessment").replace("+psycopg", "")
        with (
            psycopg.connect(own) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("UPDATE assessment.gradable_run SET points = '20/1'")


class TestHandIn:
    async def test_asks_for_a_new_grading_when_it_is_made_again(self, grading, house):
        learner = await house.enrol()
        submission = await grading.hand_in(learner)
        await grading.grade(submission)
        await grading.hand_in(learner, number=2, submission=submission, late=timedelta(days=3))
        sheet = (await grading.call("GET", f"/v1/gradables/{submission}")).body
        assert (sheet["waiting"], sheet["number"], sheet["grading"]["number"]) == (True, 2, 1)
        before = (await grading.feedback(learner, submission)).body
        assert (before["number"], before["grading"]["points"]) == (2, "16")
        assert (await grading.grade(submission, number=1, run=1)).code == "grade-stale"
        after = await grading.grade(submission, number=2, run=1)
        assert after.body["grading"]["deduction"] == "6"

    async def test_counts_once_however_often_and_late_it_is_told(self, grading, house):
        learner = await house.enrol()
        submission = await grading.hand_in(learner, number=2)
        await grading.hand_in(learner, number=1, submission=submission)
        await grading.hand_in(learner, number=2, submission=submission)
        assert house.rows("SELECT number FROM assessment.gradable") == [(2,)]

    async def test_waits_for_its_assignment(self, grading, house):
        submission = await grading.hand_in(assignment_id=uuid4(), assignment="unknown")
        answer = await grading.grade(submission)
        assert (answer.status, answer.code) == (409, "assignment-unknown")


class TestRelease:
    async def test_by_itself_follows_the_grading(self, grading, house):
        learner = await house.enrol()
        submission = await grading.hand_in(learner)
        assert (await grading.feedback(learner, submission)).body["grading"] is None
        await grading.grade(submission)
        assert (await grading.feedback(learner, submission)).body["grading"]["points"] == "16"
        (told,) = house.events("assessment.feedback.released")
        assert (told["learner_id"], told["points"], told["percent"]) == (str(learner), "16", 80.0)

    async def test_by_hand_tells_nobody_before(self, grading, house):
        await grading.declare(kind=AssignmentChanged, release="Manual")
        learner = await house.enrol()
        submission = await grading.hand_in(learner)
        answer = await grading.grade(submission)
        assert answer.body["withheld"] is True
        assert (await grading.feedback(learner, submission)).body["grading"] is None
        book = await house.get("/v1/courses/statistics/gradebook", by=learner)
        assert '"16"' not in str(book.body)
        assert house.events("assessment.assignment.graded") == []
        released = await grading.call("POST", f"{WORK}/releases", {})
        assert released.body == {"released": 1}
        assert (await grading.feedback(learner, submission)).body["grading"]["points"] == "16"
        assert len(house.events("assessment.assignment.graded")) == 1
        assert (await grading.call("POST", f"{WORK}/releases", {})).body == {"released": 0}

    async def test_by_hand_withholds_a_correction_too(self, grading, house):
        await grading.declare(kind=AssignmentChanged, release="Manual")
        learner = await house.enrol()
        submission = await grading.hand_in(learner)
        await grading.grade(submission)
        await grading.call("POST", f"{WORK}/releases", {})
        await grading.grade(submission, "none", run=1)
        assert (await grading.feedback(learner, submission)).body["grading"]["points"] == "16"

    async def test_is_refused_where_it_goes_by_itself(self, grading):
        answer = await grading.call("POST", f"{WORK}/releases", {})
        assert (answer.status, answer.code) == (409, "not-manual")

    async def test_gives_each_member_of_a_group_the_grade(self, grading, house):
        learners = [await house.enrol() for _ in range(2)]
        submission = await grading.hand_in(*learners)
        await grading.grade(submission)
        for learner in learners:
            assert (await grading.feedback(learner, submission)).body["grading"]["points"] == "16"
            book = (await house.get("/v1/courses/statistics/gradebook", by=learner)).body
            assert book["percent"] == "80"
        told = house.events("assessment.feedback.released")
        assert {one["learner_id"] for one in told} == set(map(str, learners))


class TestOverride:
    async def test_counts_instead_and_is_kept_with_its_reason(self, grading, house):
        submission = await grading.hand_in(late=timedelta(days=1))
        await grading.grade(submission)
        body = {"number": 1, "run": 1, "points": "15.5", "reason": "The store was away."}
        answer = await grading.call("PUT", f"/v1/gradables/{submission}/override", body)
        found = answer.body["grading"]
        assert (found["points"], found["override"], found["deduction"]) == ("15.5", "15.5", "2")
        ((detail,),) = house.rows(
            "SELECT detail FROM assessment.audit_entry WHERE action = 'grade.override'"
        )
        assert detail["reason"] == "The store was away."

    async def test_wants_a_grading_and_points_that_there_are(self, grading):
        submission = await grading.hand_in()
        path = f"/v1/gradables/{submission}/override"
        body = {"number": 1, "run": 0, "points": "5", "reason": "Because."}
        assert (await grading.call("PUT", path, body)).code == "not-graded"
        await grading.grade(submission)
        body |= {"run": 1, "points": "20.5"}
        assert (await grading.call("PUT", path, body)).code == "grade-mismatch"


class TestScope:
    async def test_of_a_cohort_grades_and_sees_nobody_of_another(self, grading):
        theirs = {"roles": (), "scopes": ("grader@cohort:evening",)}
        mine = await grading.hand_in(cohort="evening")
        foreign = await grading.hand_in(cohort="morning")
        listed = await grading.call("GET", f"{WORK}/gradables", **theirs)
        assert [one["submissionId"] for one in listed.body["items"]] == [str(mine)]
        assert (await grading.call("GET", f"/v1/gradables/{mine}", **theirs)).status == 200
        marks = {"plan": {"level": "full"}, "prose": {"level": "full"}}
        body = {"number": 1, "run": 0, "marks": marks}
        for method, path, sent in (
            ("GET", f"/v1/gradables/{foreign}", None),
            ("PUT", f"/v1/gradables/{foreign}/grade", body),
        ):
            assert (await grading.call(method, path, sent, **theirs)).status == 404

    async def test_hides_feedback_from_others(self, grading, house):
        submission = await grading.hand_in()
        await grading.grade(submission)
        stranger = await house.enrol()
        assert (await grading.feedback(stranger, submission)).status == 404

    async def test_refuses_learners(self, grading):
        submission = await grading.hand_in()
        answer = await grading.call("GET", f"/v1/gradables/{submission}", roles=("learner",))
        assert answer.status == 403


class TestGradebook:
    async def test_shows_assignments_beside_exams_with_what_lateness_took(self, grading, house):
        learner = await house.enrol()
        submission = await grading.hand_in(learner, late=timedelta(hours=1))
        await grading.grade(submission)
        book = (await house.get("/v1/courses/statistics/gradebook", by=learner)).body
        (entry,) = book["categories"][0]["entries"]
        assert (entry["assignment"], entry["exam"]) == ("report", None)
        assert (entry["points"], entry["deduction"], entry["percent"]) == ("14", "2", "70")
        assert (entry["submissionId"], entry["released"]) == (str(submission), True)
        assert book["percent"] == "70"

    async def test_forgets_an_assignment_that_was_withdrawn(self, grading, house):
        learner = await house.enrol()
        await grading.grade(await grading.hand_in(learner))
        await grading.declare(kind=AssignmentChanged, withdrawn=True)
        book = (await house.get("/v1/courses/statistics/gradebook", by=learner)).body
        assert (book["percent"], book["categories"][0]["entries"]) == (None, [])
