"""A learner's way through a course, over HTTP."""

import asyncio

import pytest

from support.courses import course_spec
from support.houses import LEARNER, OTHER_LEARNER, new_key

COURSE = "/v1/courses/statistics"


async def enrol(house, course="statistics", **how):
    return await house.post(f"/v1/courses/{course}/enrolments", key=new_key(), **how)


async def complete(house, lesson, **how):
    return await house.post(f"{COURSE}/lessons/{lesson}/completion", **how)


class TestListCourses:
    async def test_is_closed_to_strangers(self, house):
        assert (await house.get("/v1/courses", who=None)).status == 401

    async def test_shows_what_is_listed_and_live_by_pages(self, house, publish):
        for name in ("algebra", "biology", "chemistry"):
            await publish(name)
        await publish("hidden", visibility="Unlisted")
        await publish("unready", lifecycle="Draft")
        first = await house.get("/v1/courses?limit=2")
        assert [item["name"] for item in first.body["items"]] == ["algebra", "biology"]
        assert first.body["items"][0]["lessons"] == 4
        assert first.body["items"][0]["minutes"] == 80
        rest = await house.get(f"/v1/courses?limit=2&after={first.body['next']}")
        assert [item["name"] for item in rest.body["items"]] == ["chemistry"]
        assert rest.body["next"] is None

    async def test_shows_nothing_of_another_tenant(self, house, publish):
        await publish()
        assert (await house.get("/v1/courses", tenant="other")).body["items"] == []


class TestReadCourse:
    async def test_gives_the_outline(self, house, publish):
        await publish(visibility="Unlisted")
        answer = await house.get(COURSE)
        assert answer.status == 200
        assert [chapter["key"] for chapter in answer.body["chapters"]] == ["data", "chance"]
        assert answer.body["chapters"][0]["lessons"][1]["skills"] == ["summing"]
        assert answer.body["enrolled"] is False
        assert "text" not in answer.body["chapters"][0]["lessons"][0]

    async def test_knows_nothing_of_drafts(self, house, publish):
        await publish(lifecycle="Draft")
        answer = await house.get(COURSE)
        assert (answer.status, answer.code) == (404, "not-found")


class TestEnrol:
    async def test_needs_an_idempotency_key(self, house, publish):
        await publish()
        answer = await house.post(f"{COURSE}/enrolments")
        assert (answer.status, answer.code) == (400, "idempotency-key-missing")

    async def test_makes_an_enrolment_and_says_so(self, house, publish, rows):
        await publish()
        answer = await enrol(house)
        assert answer.status == 201
        assert answer.body["status"] == "active"
        ((payload,),) = rows(
            "SELECT payload FROM course.outbox WHERE type = 'course.enrolment.created'"
        )
        assert payload["enrolment_id"] == answer.body["id"]
        assert (payload["learner_id"], payload["cohort"]) == (str(LEARNER), None)

    async def test_gives_the_first_answer_again_for_the_same_key(self, house, publish, rows):
        await publish()
        key = new_key()
        first = await house.post(f"{COURSE}/enrolments", key=key)
        again = await house.post(f"{COURSE}/enrolments", key=key)
        assert (again.status, again.body) == (201, first.body)
        assert rows("SELECT count(*) FROM course.enrolment") == [(1,)]

    async def test_changes_nothing_for_somebody_who_is_in(self, house, publish, rows):
        await publish()
        first = await enrol(house)
        again = await enrol(house)
        assert (again.status, again.body["id"]) == (200, first.body["id"])
        assert rows(
            "SELECT count(*) FROM course.outbox WHERE type = 'course.enrolment.created'"
        ) == [(1,)]

    async def test_makes_one_enrolment_of_many_at_once(self, house, publish, rows):
        await publish()
        answers = await asyncio.gather(*(enrol(house) for _ in range(8)))
        assert {answer.status for answer in answers} <= {200, 201}
        assert len({answer.body["id"] for answer in answers}) == 1
        assert rows("SELECT count(*) FROM course.enrolment") == [(1,)]

    @pytest.mark.parametrize(("mode", "words"), [("Cohort", "join code"), ("Closed", "teacher")])
    async def test_is_refused_where_learners_do_not_enrol(self, house, publish, mode, words):
        await publish(enrolment=mode)
        answer = await enrol(house)
        assert (answer.status, answer.code) == (409, "enrolment-closed")
        assert words in answer.body["detail"]

    async def test_is_refused_in_an_archived_course(self, house, publish):
        await publish(lifecycle="Archived")
        assert (await enrol(house)).code == "course-read-only"

    async def test_asks_for_prerequisites_first(self, house, publish):
        await publish()
        await publish("advanced", prerequisites=[{"courseRef": "statistics", "minCompletion": 50}])
        refused = await enrol(house, "advanced")
        assert (refused.status, refused.code) == (409, "prerequisite-not-met")
        assert refused.body["missing"] == [
            {"course": "statistics", "minCompletion": 50, "completion": 0}
        ]
        await enrol(house)
        await complete(house, "tables")
        await complete(house, "coins")
        assert (await enrol(house, "advanced")).status == 201

    async def test_is_listed_afterwards(self, house, publish):
        await publish()
        await publish("algebra")
        await enrol(house)
        await enrol(house, "algebra")
        first = await house.get("/v1/enrolments?limit=1")
        assert [item["course"] for item in first.body["items"]] == ["algebra"]
        rest = await house.get(f"/v1/enrolments?limit=1&after={first.body['next']}")
        assert [item["course"] for item in rest.body["items"]] == ["statistics"]
        assert (await house.get("/v1/enrolments", who=OTHER_LEARNER)).body["items"] == []


class TestReadLesson:
    async def test_is_for_those_enrolled(self, house, publish):
        await publish()
        answer = await house.get(f"{COURSE}/lessons/tables")
        assert (answer.status, answer.code) == (403, "not-enrolled")

    async def test_is_not_for_those_suspended(self, house, publish, scratch):
        await publish()
        await enrol(house)
        with scratch.admin() as connection:
            connection.execute("UPDATE course.enrolment SET status = 'suspended'")
        answer = await house.get(f"{COURSE}/lessons/tables")
        assert (answer.status, answer.code) == (403, "enrolment-suspended")

    async def test_gives_text_html_and_neighbours(self, house, publish):
        await publish()
        await enrol(house)
        answer = await house.get(f"{COURSE}/lessons/means")
        assert answer.status == 200
        assert answer.body["markdown"] == "# means\n\nSome **text**."
        assert "<strong>text</strong>" in answer.body["html"]
        assert (answer.body["previous"], answer.body["next"]) == ("tables", "coins")
        assert answer.body["completedAt"] is None

    async def test_refuses_an_address_with_a_nul(self, house, publish):
        await publish()
        for path in ("/v1/courses/a%00b", "/v1/courses?after=a%00"):
            assert (await house.get(path)).code == "malformed"

    async def test_refuses_a_cursor_of_another_list(self, house):
        for cursor in ("WyJhIl0", "WyJhXHUwMDAwIl0", "x"):
            assert (await house.get(f"/v1/enrolments?after={cursor}")).code == "malformed"
        assert (await house.get("/v1/courses?after=WyJhXHUwMDAwIl0")).code == "malformed"

    async def test_knows_no_lesson_of_that_key(self, house, publish):
        await publish()
        await enrol(house)
        assert (await house.get(f"{COURSE}/lessons/nothing")).code == "not-found"


class TestCompleteLesson:
    async def test_counts_once_and_says_so_once(self, house, publish, rows):
        await publish()
        await enrol(house)
        first = await complete(house, "tables")
        again = await complete(house, "tables")
        assert first.status == again.status == 200
        assert (first.body["completed"], first.body["total"]) == (1, 4)
        assert again.body == first.body
        ((payload,),) = rows(
            "SELECT payload FROM course.outbox WHERE type = 'course.lesson.completed'"
        )
        assert (payload["lesson"], payload["completed"], payload["total"]) == ("tables", 1, 4)

    async def test_counts_each_of_many_at_once(self, house, publish, rows):
        await publish()
        await enrol(house)
        lessons = ["tables", "means", "coins", "dice"]
        await asyncio.gather(*(complete(house, lesson) for lesson in lessons * 3))
        counts = rows(
            "SELECT (payload->>'completed')::int FROM course.outbox"
            " WHERE type = 'course.lesson.completed' ORDER BY seq"
        )
        assert counts == [(1,), (2,), (3,), (4,)]

    async def test_completes_the_course_with_the_last(self, house, publish):
        await publish(completion={"lessonsPercent": 50})
        await enrol(house)
        assert (await complete(house, "tables")).body["courseCompleted"] is False
        assert (await complete(house, "means")).body["courseCompleted"] is True
        (item,) = (await house.get("/v1/enrolments")).body["items"]
        assert item["completedAt"] is not None

    async def test_is_refused_in_an_archived_course_that_can_still_be_read(self, house, publish):
        await publish()
        await enrol(house)
        await publish(lifecycle="Archived")
        assert (await complete(house, "tables")).code == "course-read-only"
        assert (await house.get(f"{COURSE}/lessons/tables")).status == 200


class TestProgress:
    async def test_is_nobody_elses(self, house, publish):
        await publish()
        await enrol(house)
        answer = await house.get(f"{COURSE}/progress", who=OTHER_LEARNER)
        assert (answer.status, answer.code) == (404, "not-found")

    async def test_survives_a_new_version(self, house, publish):
        await publish()
        await enrol(house)
        await complete(house, "tables")
        changed = course_spec(title="New").model_dump(mode="json", by_alias=True)
        changed["chapters"][1]["lessons"].insert(0, changed["chapters"][0]["lessons"].pop(0))
        changed["chapters"][0]["lessons"].append({"key": "new", "title": "New", "text": "New."})
        await publish(spec=type(course_spec()).model_validate(changed))
        answer = await house.get(f"{COURSE}/progress")
        assert (answer.body["version"], answer.body["completed"], answer.body["total"]) == (2, 1, 5)
        assert answer.body["next"]["key"] == "means"
        (done,) = [
            lesson
            for chapter in answer.body["chapters"]
            for lesson in chapter["lessons"]
            if lesson["completedAt"]
        ]
        assert done["key"] == "tables"


GATES = [
    {
        "chapter": "chance",
        "requires": [{"lesson": "tables"}, {"skill": "summing", "minPercent": 80}],
    }
]


class TestGates:
    async def test_lock_a_chapter_and_say_why(self, house, publish):
        await publish(gates=GATES)
        await enrol(house)
        for answer in (
            await house.get(f"{COURSE}/lessons/coins"),
            await complete(house, "coins"),
        ):
            assert (answer.status, answer.code) == (409, "chapter-locked")
            assert answer.body["missing"] == [
                "Complete the lesson “Lesson tables”.",
                "Reach at least 80 % mastery of “Sum up” (nothing yet).",
            ]
        progress = (await house.get(f"{COURSE}/progress")).body
        assert [chapter["locked"] for chapter in progress["chapters"]] == [False, True]

    async def test_open_when_all_is_reached_and_never_close_again(self, house, publish, master):
        await publish(gates=GATES)
        await enrol(house)
        await complete(house, "tables")
        await master("summing", 0.8, "main")
        assert (await house.get(f"{COURSE}/lessons/coins")).status == 200
        await master("summing", 0.1, "remediation")
        assert (await house.get(f"{COURSE}/lessons/dice")).status == 200
        progress = (await house.get(f"{COURSE}/progress")).body
        assert [chapter["locked"] for chapter in progress["chapters"]] == [False, False]

    async def test_count_released_scores(self, house, publish, scratch):
        await publish(gates=[{"chapter": "chance", "requires": [{"exam": "quiz"}]}])
        await enrol(house)
        assert (await house.get(f"{COURSE}/lessons/coins")).code == "chapter-locked"
        with scratch.admin() as connection:
            connection.execute(
                "INSERT INTO course.score"
                " (attempt_id, tenant, learner_id, course, exam, run, percent, passed)"
                " VALUES (gen_random_uuid(), 'demo', %s, 'statistics', 'quiz', 1, 80, true)",
                (LEARNER,),
            )
        assert (await house.get(f"{COURSE}/lessons/coins")).status == 200


class TestAssignments:
    async def test_have_the_dates_of_a_run_that_starts_with_the_enrolment(self, house, publish):
        await publish()
        await enrol(house)
        (work,) = (await house.get(f"{COURSE}/assignments")).body
        assert work["key"] == "report"
        assert work["sources"] == {"dueAt": "default"}
        assert work["dueAt"].endswith(("T18:00:00Z", "T17:00:00Z"))
        assert work["latePolicy"]["percentPerDay"] == 10

    async def test_are_hidden_until_they_open(self, house, publish):
        document = course_spec().model_dump(mode="json", by_alias=True)
        document["assignments"][0]["dates"] = {"opens": {"at": "2099-01-01T00:00"}}
        await publish(spec=type(course_spec()).model_validate(document))
        await enrol(house)
        assert (await house.get(f"{COURSE}/assignments")).body == []

    async def test_are_for_those_enrolled(self, house, publish):
        await publish()
        assert (await house.get(f"{COURSE}/assignments")).code == "not-enrolled"
