"""Lessons that adapt to what a learner knows, over HTTP."""

import asyncio
from uuid import UUID

import pytest

from kourse.contracts.events import ScoreReleased
from kourse.contracts.resources import CourseSpec
from support.courses import course_document, lesson
from support.houses import LEARNER, OTHER_LEARNER, new_key

COURSE = "/v1/courses/statistics"


def adaptive(**changes):
    """The small course with remediation and a challenge after its first lesson."""
    document = course_document(**changes)
    document["skills"][0]["adaptivity"] = {"remediationBelow": 60, "challengeFrom": 90}
    document["chapters"][0]["lessons"][1:1] = [
        lesson("tables-again", path="Remediation", skills=["reading"]),
        lesson("tables-more", path="Challenge", skills=["reading"]),
    ]
    return CourseSpec.model_validate(document)


def scored(percent, run=1):
    """The quiz was scored so."""
    return ScoreReleased(
        attempt_id=UUID(int=5),
        learner_id=LEARNER,
        exam_id=UUID(int=6),
        exam="quiz",
        course_id=UUID(int=1),
        course="statistics",
        title="Quiz",
        run=run,
        points=str(percent),
        max_points="100",
        percent=percent,
        passed=percent >= 50,
    )


@pytest.fixture
def enrol(house, publish):
    async def act(**changes):
        await publish(spec=adaptive(**changes))
        for who in (LEARNER, OTHER_LEARNER):
            await house.post(f"{COURSE}/enrolments", key=new_key(), who=who)

    return act


async def progress(house, **how):
    return (await house.get(f"{COURSE}/progress", **how)).body


async def open_lessons(house, **how):
    found = await progress(house, **how)
    return [one["key"] for part in found["chapters"] for one in part["lessons"] if one["open"]]


class TestBands:
    async def test_leave_the_main_path_to_somebody_new(self, house, enrol):
        await enrol()
        assert await open_lessons(house) == ["tables", "means", "coins", "dice"]
        for key in ("tables-again", "tables-more"):
            answer = await house.get(f"{COURSE}/lessons/{key}")
            assert (answer.status, answer.code) == (409, "lesson-locked")
            done = await house.post(f"{COURSE}/lessons/{key}/completion")
            assert (done.status, done.code) == (409, "lesson-locked")

    async def test_open_remediation_then_a_challenge(self, house, enrol, master):
        await enrol()
        await master("reading", 0.4, "remediation")
        found = (await progress(house))["next"]
        assert (found["key"], found["reason"]) == ("tables-again", "remediation")
        assert found["because"] == "Your mastery of “Read a table” is 40 %: go over it once more."
        assert (await house.get(f"{COURSE}/lessons/tables-again")).status == 200
        await master("reading", 0.95, "challenge")
        assert (await house.get(f"{COURSE}/lessons/tables-more")).status == 200
        assert await open_lessons(house, who=OTHER_LEARNER) == ["tables", "means", "coins", "dice"]

    async def test_never_close_what_was_begun(self, house, enrol, master):
        await enrol()
        await master("reading", 0.95, "challenge")
        assert (await house.get(f"{COURSE}/lessons/tables-more")).status == 200
        await master("reading", 0.2, "remediation")
        assert (await house.post(f"{COURSE}/lessons/tables-more/completion")).status == 200
        assert "tables-more" in await open_lessons(house)

    async def test_say_what_opens_a_lesson_by_the_skills_own_limits(self, house, enrol, master):
        await enrol()
        await master("reading", 0.62, "main")
        lessons = (await progress(house))["chapters"][0]["lessons"]
        assert {one["key"]: one["missing"] for one in lessons if one["missing"]} == {
            "tables-again": [
                "Opens when your mastery of “Read a table” falls below 60 % (you have 62 %)."
            ],
            "tables-more": ["Reach at least 90 % mastery of “Read a table” (you have 62 of 90 %)."],
        }

    async def test_do_not_count_in_progress(self, house, enrol, master, rows):
        await enrol()
        await master("reading", 0.95, "challenge")
        done = (await house.post(f"{COURSE}/lessons/tables-more/completion")).body
        assert (done["completed"], done["total"]) == (0, 4)
        await house.post(f"{COURSE}/lessons/tables/completion")
        counts = rows(
            "SELECT payload->>'lesson', payload->>'completed', payload->>'total' FROM course.outbox"
            " WHERE type = 'course.lesson.completed' ORDER BY seq"
        )
        assert counts == [("tables-more", "0", "4"), ("tables", "1", "4")]

    async def test_leave_neighbours_that_can_be_read(self, house, enrol):
        await enrol()
        found = (await house.get(f"{COURSE}/lessons/tables")).body
        assert (found["path"], found["next"]) == ("Main", "means")


GATES = [
    {
        "chapter": "chance",
        "requires": [
            {"chapter": "data", "minPercent": 50},
            {"anyOf": [{"exam": "quiz", "minPercent": 80}, {"skill": "reading", "minPercent": 90}]},
        ],
    }
]


class TestGates:
    async def test_say_how_far_the_learner_is(self, house, enrol, hear):
        await enrol(gates=GATES)
        await hear(scored(62.0))
        answer = await house.get(f"{COURSE}/lessons/coins")
        completion, either = answer.body["missing"]
        assert completion == "Complete at least 50 % of the chapter “Data” (nothing yet)."
        assert either == (
            "Do one of these: score at least 80 % in “quiz” (you have 62 of 80 %), "
            "or reach at least 90 % mastery of “Read a table” (nothing yet)."
        )

    async def test_follow_a_grade_up_and_down_and_keep_what_was_begun(self, house, enrol, hear):
        await enrol(gates=GATES)
        await house.post(f"{COURSE}/lessons/tables/completion")
        await hear(scored(85.0))
        assert "coins" in await open_lessons(house)
        await hear(scored(70.0, run=2))
        assert "coins" not in await open_lessons(house)
        await hear(scored(90.0, run=3))
        assert (await house.get(f"{COURSE}/lessons/coins")).status == 200
        await hear(scored(10.0, run=4))
        assert {"coins", "dice"} <= set(await open_lessons(house))

    async def test_open_to_mastery_instead_of_the_score(self, house, enrol, hear, master):
        await enrol(gates=GATES)
        await house.post(f"{COURSE}/lessons/tables/completion")
        await master("reading", 0.9, "challenge")
        assert (await house.get(f"{COURSE}/lessons/coins")).status == 200


class TestCompletion:
    async def test_loses_nothing_of_two_tabs_and_many_learners_at_once(self, house, enrol, rows):
        await enrol()
        keys = ["tables", "means", "coins", "dice"] * 2
        answers = await asyncio.gather(
            *(
                house.post(f"{COURSE}/lessons/{key}/completion", who=who)
                for key in keys
                for who in (LEARNER, OTHER_LEARNER)
            )
        )
        assert {answer.status for answer in answers} == {200}
        assert rows("SELECT count(*) FROM course.lesson_completion") == [(8,)]
        assert rows(
            "SELECT type, count(*)::int FROM course.outbox"
            " WHERE type IN ('course.lesson.completed', 'course.enrolment.completed')"
            " GROUP BY type ORDER BY type"
        ) == [("course.enrolment.completed", 2), ("course.lesson.completed", 8)]


class TestDocument:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"path": "Challenge", "skills": []}, "must name the skills"),
            ({"path": "Elsewhere"}, "path"),
        ],
    )
    async def test_is_refused_when_nothing_can_decide_on_a_lesson(self, house, change, words):
        document = course_document()
        document["chapters"][0]["lessons"][0] |= change
        answer = await house.put("/v1/authoring/courses/other", document, roles=["author"])
        assert answer.status == 422
        assert words in str(answer.body)
