"""What siblings tell course, and what it tells them."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import grpc.aio
import pytest
import pytest_asyncio

from kourse.contracts.events import (
    CohortDates,
    CohortDeclared,
    ExamScheduled,
    GroupJoined,
    GroupLeft,
    ScoreReleased,
)
from kourse_rpc.course.v1 import course_pb2, course_pb2_grpc
from support.handing_in import Desk, hand_in_course
from support.houses import LEARNER, OTHER_LEARNER, new_key

COHORT_ID = UUID(int=99)
COURSE = "/v1/courses/statistics"


def declared(*courses, **changes):
    return CohortDeclared(
        cohort_id=COHORT_ID,
        cohort="lisbon",
        title="Evening class",
        courses=list(courses),
        starts_on=date(2026, 11, 2),
        ends_on=date(2027, 6, 30),
        time_zone="Europe/Lisbon",
        **changes,
    )


def joined(*courses, learner=LEARNER):
    return GroupJoined(
        cohort_id=COHORT_ID, cohort="lisbon", learner_id=learner, courses=list(courses)
    )


ATTEMPT_ID = UUID(int=5)


def scored(percent, *, attempt=ATTEMPT_ID, run=1, passed=True, exam="final"):
    return ScoreReleased(
        attempt_id=attempt,
        exam_id=UUID(int=6),
        exam=exam,
        course_id=UUID(int=1),
        course="statistics",
        learner_id=LEARNER,
        title="Final",
        run=run,
        points="8",
        max_points="10",
        percent=percent,
        passed=passed,
    )


def left(*courses, learner=LEARNER):
    return GroupLeft(
        cohort_id=COHORT_ID,
        cohort="lisbon",
        learner_id=learner,
        courses=list(courses),
        actor_id=learner,
    )


class TestGroupLeft:
    async def test_suspends_what_the_cohort_enrolled_in_and_nothing_else(
        self, publish, hear, house, rows
    ):
        await publish()
        await publish("algebra")
        await house.post("/v1/courses/algebra/enrolments", key=new_key())
        await hear(declared("statistics"))
        for learner in (LEARNER, OTHER_LEARNER):
            await hear(joined("statistics", learner=learner))
        for _ in range(2):
            await hear(left("statistics"))
        found = rows("SELECT learner_id, run, status FROM course.enrolment ORDER BY 1, 2")
        assert found == [
            (LEARNER, "-", "active"),
            (LEARNER, "lisbon", "suspended"),
            (OTHER_LEARNER, "lisbon", "active"),
        ]
        assert rows(
            "SELECT count(*) FROM course.outbox WHERE type = 'course.enrolment.suspended'"
        ) == [(1,)]

    async def test_enrols_whoever_left_in_no_course_that_comes_later(self, publish, hear, rows):
        await publish()
        await publish("algebra")
        await hear(declared("statistics"))
        await hear(joined("statistics"))
        await hear(left("statistics"))
        await hear(declared("statistics", "algebra"))
        assert rows("SELECT count(*) FROM course.enrolment") == [(1,)]


class TestGroupJoined:
    async def test_enrols_in_every_course_of_the_cohort(self, publish, hear, rows):
        await publish()
        await publish("algebra")
        await hear(declared("statistics", "algebra"))
        await hear(joined("statistics", "algebra"))
        await hear(joined("statistics", "algebra"))
        assert (
            rows("SELECT run, cohort, status FROM course.enrolment")
            == [("lisbon", "lisbon", "active")] * 2
        )
        assert rows(
            "SELECT count(*) FROM course.outbox WHERE type = 'course.enrolment.created'"
        ) == [(2,)]

    async def test_lets_whoever_comes_back_study_on(self, house, publish, hear, rows):
        await publish()
        await hear(declared("statistics"))
        await hear(joined("statistics"))
        assert (await house.post(f"{COURSE}/lessons/tables/completion")).status == 200
        await hear(left("statistics"))
        assert (await house.get(f"{COURSE}/lessons/tables")).code == "enrolment-suspended"
        await hear(joined("statistics"))
        assert (await house.get(f"{COURSE}/progress")).body["completed"] == 1
        told = "SELECT type FROM course.outbox WHERE type LIKE 'course.enrolment.%%' ORDER BY id"
        assert [row[0].rpartition(".")[2] for row in rows(told)] == [
            "created",
            "suspended",
            "resumed",
        ]

    async def test_skips_a_course_that_is_gone(self, publish, hear, rows):
        await publish()
        await hear(joined("statistics", "deleted"))
        assert rows("SELECT count(*) FROM course.enrolment") == [(1,)]

    async def test_counts_what_the_learner_did_alone(self, publish, hear, house):
        await publish(enrolment="Open")
        await house.post(f"{COURSE}/enrolments", key=new_key())
        await house.post(f"{COURSE}/lessons/tables/completion")
        await hear(joined("statistics"))
        progress = (await house.get(f"{COURSE}/progress")).body
        assert (progress["cohort"], progress["completed"]) == ("lisbon", 1)


class TestCohortDeclared:
    async def test_enrols_members_in_a_course_that_is_added(self, publish, hear, rows):
        await publish()
        await publish("algebra")
        await hear(declared("statistics"))
        await hear(joined("statistics"))
        await hear(joined("statistics", learner=OTHER_LEARNER))
        await hear(declared("statistics", "algebra"))
        assert rows(
            "SELECT c.name, count(*) FROM course.enrolment e JOIN course.course c"
            " ON c.id = e.course_id GROUP BY c.name ORDER BY c.name"
        ) == [("algebra", 2), ("statistics", 2)]

    async def test_sets_the_dates_of_assignments(self, publish, hear, house):
        await publish()
        due_at = datetime.fromisoformat("2026-12-01T17:00:00+00:00")
        own = CohortDates(course="statistics", assignment="report", due_at=due_at)
        await hear(declared("statistics", dates=[own]))
        await hear(joined("statistics"))
        (work,) = (await house.get(f"{COURSE}/assignments")).body
        assert (work["dueAt"], work["sources"]) == ("2026-12-01T17:00:00Z", {"dueAt": "cohort"})

    async def test_counts_default_dates_from_the_start_of_the_run(self, publish, hear, house):
        await publish()
        await hear(declared("statistics"))
        await hear(joined("statistics"))
        (work,) = (await house.get(f"{COURSE}/assignments")).body
        assert work["dueAt"] == "2026-11-16T18:00:00Z"


class TestScoreReleased:
    async def test_counts_the_best_attempt_and_the_newest_run_of_each(self, publish, hear, rows):
        await publish()
        await hear(scored(40.0))
        await hear(scored(70.0, run=3))
        await hear(scored(90.0, run=2))
        await hear(scored(50.0, attempt=uuid4()))
        assert rows("SELECT percent FROM course.score ORDER BY percent") == [(50.0,), (70.0,)]

    async def test_completes_a_course_that_asks_for_an_exam(self, publish, hear, house, rows):
        await publish(completion={"lessonsPercent": 25, "exams": ["final"]})
        await house.post(f"{COURSE}/enrolments", key=new_key())
        done = await house.post(f"{COURSE}/lessons/tables/completion")
        assert done.body["courseCompleted"] is False
        await hear(scored(80.0))
        assert rows("SELECT completed_at IS NULL FROM course.enrolment") == [(False,)]
        told = "SELECT count(*) FROM course.outbox WHERE type = 'course.enrolment.completed'"
        assert rows(told) == [(1,)]

    async def test_names_the_exam_of_a_gate_by_its_title(self, publish, hear, house):
        await publish(gates=[{"chapter": "chance", "requires": [{"exam": "final"}]}])
        await house.post(f"{COURSE}/enrolments", key=new_key())
        await hear(
            ExamScheduled(
                exam_id=UUID(int=6),
                exam="final",
                course_id=UUID(int=1),
                course="statistics",
                title="The final",
                purpose="Exam",
                version=1,
            )
        )
        answer = await house.get(f"{COURSE}/lessons/coins")
        assert answer.body["missing"] == ["Score at least 80 % in “The final” (nothing yet)."]


@pytest_asyncio.fixture
async def stub(house):
    token = house.issuer.service_token("dashboard", "course")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{house.process.rpc_port}") as channel:
        yield course_pb2_grpc.CourseServiceStub(channel), (("authorization", f"Bearer {token}"),)


class TestRpc:
    async def test_gives_the_structure(self, publish, stub):
        await publish()
        course, metadata = stub
        request = course_pb2.GetStructureRequest(tenant="demo", course="statistics")
        found = await course.GetStructure(request, timeout=60, metadata=metadata)
        assert (found.title, found.version) == ("Statistics", 1)
        assert [len(chapter.lessons) for chapter in found.chapters] == [2, 2]
        assert found.chapters[0].lessons[0].key == "tables"

    async def test_lists_progress_in_every_course(self, publish, stub, house):
        await publish()
        await publish("algebra")
        for name in ("statistics", "algebra"):
            await house.post(f"/v1/courses/{name}/enrolments", key=new_key())
        await house.post(f"{COURSE}/lessons/tables/completion")
        course, metadata = stub
        request = course_pb2.ListProgressRequest(tenant="demo", learner_id=str(LEARNER))
        found = await course.ListProgress(request, timeout=60, metadata=metadata)
        (algebra, statistics) = found.progress
        assert (algebra.course, algebra.completed, algebra.last_activity_at) == ("algebra", 0, "")
        assert (statistics.completed, statistics.total) == (1, 4)
        assert (statistics.next_lesson, statistics.next_lesson_title) == ("means", "Lesson means")
        assert statistics.next_reason == "in-order"
        assert "Lesson tables" in statistics.next_because

    async def test_lists_progress_of_many_in_one_course(self, publish, stub, house):
        await publish()
        for who in (LEARNER, OTHER_LEARNER):
            await house.post(f"{COURSE}/enrolments", key=new_key(), who=who)
        await house.post(f"{COURSE}/lessons/tables/completion", who=OTHER_LEARNER)
        course, metadata = stub
        asked = [str(one) for one in (LEARNER, OTHER_LEARNER, UUID(int=404))]
        request = course_pb2.BatchListProgressRequest(
            tenant="demo", course="statistics", learner_ids=asked
        )
        found = await course.BatchListProgress(request, timeout=60, metadata=metadata)
        assert {one.learner_id: one.progress.completed for one in found.learners} == {
            str(LEARNER): 0,
            str(OTHER_LEARNER): 1,
        }

    async def test_lists_what_is_due_with_each_learners_own_dates(self, publish, stub, house):
        await publish(spec=hand_in_course(atRisk={"inactiveDays": 5}))
        for who in (LEARNER, OTHER_LEARNER):
            await house.post(f"{COURSE}/enrolments", key=new_key(), who=who)
        later = datetime.now(UTC) + timedelta(days=60)
        order = {"reason": "Ill.", "learner": str(LEARNER), "dueAt": later.isoformat()}
        given = await house.post(
            f"{COURSE}/assignments/report/extensions",
            order,
            key=new_key(),
            who=UUID(int=77),
            roles=["teacher"],
        )
        assert given.status == 201, given.body
        course, metadata = stub
        request = course_pb2.BatchListDueRequest(
            tenant="demo", course="statistics", learner_ids=[str(LEARNER), str(OTHER_LEARNER)]
        )
        found = await course.BatchListDue(request, timeout=60, metadata=metadata)
        own = course_pb2.ListDueRequest(tenant="demo", learner_id=str(LEARNER))
        mine = await course.ListDue(own, timeout=60, metadata=metadata)

        due = {
            one.learner_id: [
                (work.assignment, datetime.fromisoformat(work.due_at)) for work in one.due
            ]
            for one in found.learners
        }
        assert [work for work, _ in due[str(LEARNER)]] == ["study", "report"]
        assert due[str(LEARNER)][1] == ("report", later)
        assert due[str(OTHER_LEARNER)][0][1] < later
        assert (found.at_risk.inactive_days, found.at_risk.missed) == (5, 2)
        assert [work.assignment for work in mine.due] == ["study", "report"]

    async def test_lists_nothing_as_due_that_is_past(self, publish, stub, house, rows):
        await publish(spec=hand_in_course())
        await house.post(f"{COURSE}/enrolments", key=new_key())
        desk = Desk(house)
        desk.dates(rows, due=-timedelta(hours=1))
        course, metadata = stub
        request = course_pb2.ListDueRequest(tenant="demo", learner_id=str(LEARNER))
        found = await course.ListDue(request, timeout=60, metadata=metadata)

        assert "report" not in [work.assignment for work in found.due]

    async def test_says_what_a_learner_lacks_for_a_lesson(self, publish, stub, house):
        await publish(gates=[{"chapter": "chance", "requires": [{"lesson": "means"}]}])
        await house.post(f"{COURSE}/enrolments", key=new_key())
        course, metadata = stub

        async def lacks(learner, lesson):
            request = course_pb2.GetLessonAccessRequest(
                tenant="demo", learner_id=str(learner), course="statistics", lesson=lesson
            )
            answer = await course.GetLessonAccess(request, timeout=60, metadata=metadata)
            return list(answer.missing)

        assert await lacks(LEARNER, "tables") == []
        assert await lacks(LEARNER, "coins") == ["Complete the lesson “Lesson means”."]
        for who, lesson in ((OTHER_LEARNER, "tables"), (LEARNER, "nowhere")):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await lacks(who, lesson)
            assert refused.value.code() is grpc.StatusCode.NOT_FOUND
        await house.post(f"{COURSE}/lessons/means/completion")
        assert await lacks(LEARNER, "coins") == []

    async def test_refuses_a_batch_that_is_too_large_or_names_no_learner(self, publish, stub):
        course, metadata = stub
        for asked in ([str(UUID(int=n)) for n in range(201)], ["nobody"]):
            request = course_pb2.BatchListProgressRequest(
                tenant="demo", course="statistics", learner_ids=asked
            )
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await course.BatchListProgress(request, timeout=60, metadata=metadata)
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
