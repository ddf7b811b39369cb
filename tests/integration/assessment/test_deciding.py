"""More time, windows of one's own, and attempts that count no more."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from kourse.assessment.service import attempts, replicas
from kourse.contracts.events import EnrolmentChanged
from kourse.kit.ids import new_id
from support.exams import right_answer, wrong_answer
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


def at(hours):
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def accommodate(house, learner, where="exams/quiz", **granted):
    body = {"reason": "By certificate.", **granted}
    return await house.teach("PUT", f"/v1/{where}/accommodations/{learner}", json=body)


async def extend(house, minutes=30, **body):
    return await house.teach("POST", "/v1/exams/quiz/extensions", json={"minutes": minutes, **body})


async def void(house, attempt, **kwargs):
    body = {"reason": "Sat in the wrong room."}
    return await house.teach("POST", f"/v1/attempts/{attempt}/voiding", json=body, **kwargs)


def minutes_of(attempt):
    begun, ends = (datetime.fromisoformat(attempt[name]) for name in ("startedAt", "deadlineAt"))
    return (ends - begun).total_seconds() / 60


class TestAccommodation:
    async def test_gives_time(self, house):
        learner = await house.quiz(timeLimitMinutes=60)
        await accommodate(house, learner, timeFactor="1.25")
        assert minutes_of(await house.started(learner)) == 75
        assert (await house.get("/v1/exams/quiz", by=learner)).body["timeLimitMinutes"] == 75

    async def test_gives_a_running_attempt_time(self, house):
        learner = await house.quiz(timeLimitMinutes=60)
        attempt = await house.started(learner)
        await accommodate(house, learner, timeFactor="1.5")
        await house.sweep()
        found = (await house.get(f"/v1/attempts/{attempt['id']}", by=learner)).body
        assert minutes_of(found) == 90

    async def test_of_the_course_holds_in_every_exam_and_gives_way_to_the_exams_own(self, house):
        learner = await house.quiz(timeLimitMinutes=60)
        await accommodate(house, learner, "courses/statistics", timeFactor="2", extraAttempts=1)
        shown = (await house.get("/v1/exams/quiz", by=learner)).body
        assert (shown["timeLimitMinutes"], shown["attempts"]["maximum"]) == (120, 3)
        await accommodate(house, learner, timeFactor="1.5")
        shown = (await house.get("/v1/exams/quiz", by=learner)).body
        assert (shown["timeLimitMinutes"], shown["attempts"]["maximum"]) == (90, 3)

    async def test_of_the_course_lengthens_assignments_of_which_course_is_told(self, house):
        learner = await house.quiz()
        where = "courses/statistics"
        granted = await accommodate(house, learner, where, extraHours=48)
        assert (granted.status, granted.body["extraHours"]) == (200, 48)
        await house.teach("DELETE", f"/v1/{where}/accommodations/{learner}")
        told = house.events("assessment.accommodation.changed")
        theirs = [one["extra_hours"] for one in told if one["learner_id"] == str(learner)]
        assert theirs == [48, 0]

    async def test_is_told_to_its_learner_once_for_each_change(self, house):
        learner = await house.quiz(timeLimitMinutes=60)
        for factor in ("1.25", "1.25", "1.5"):
            await accommodate(house, learner, timeFactor=factor)
        await accommodate(house, learner, "courses/statistics", extraAttempts=1, extraHours=24)
        told = house.events("assessment.accommodation.granted")
        assert {one["learner_id"] for one in told} == {str(learner)}
        assert [(one["exam"], one["title"], one["longer_by"]) for one in told] == [
            ("quiz", "A quiz", 25.0),
            ("quiz", "A quiz", 50.0),
            (None, "", None),
        ]
        assert (told[2]["extra_attempts"], told[2]["extra_hours"]) == (1, 24)

    async def test_of_one_exam_lengthens_no_assignment(self, house):
        learner = await house.quiz()
        assert (await accommodate(house, learner, extraHours=48)).status == 422

    async def test_of_a_label_holds_for_a_learner_who_gets_it_later(self, house):
        late = {"label": "late", "dates": {"closes": {"at": at(1)}}}
        learner = await house.quiz(dates={"closes": {"at": at(-1)}}, overrides=[late])
        assert (await house.start(learner)).code == "exam-closed"
        ((enrolment_id, course_id),) = house.rows(
            "SELECT e.enrolment_id, c.course_id FROM assessment.enrolment_replica AS e"
            " JOIN assessment.course_replica AS c USING (course) WHERE e.learner_id = %s",
            learner,
        )
        event = EnrolmentChanged(
            enrolment_id=enrolment_id,
            learner_id=learner,
            course_id=course_id,
            course="statistics",
            labels=["late"],
        )
        async with house.database.transaction("demo") as tx:
            await replicas.relabel(tx, event)
        assert (await house.start(learner)).status == 201

    async def test_opens_a_closed_exam_for_one_learner(self, house):
        learner = await house.quiz(dates={"closes": {"at": at(-1)}})
        assert (await house.start(learner)).code == "exam-closed"
        await accommodate(house, learner, closesAt=at(1))
        assert (await house.start(learner)).status == 201
        assert (await house.start(await house.enrol())).code == "exam-closed"

    async def test_ends_when_it_is_taken_back(self, house):
        learner = await house.quiz(timeLimitMinutes=60)
        await accommodate(house, learner, timeFactor="2")
        path = f"/v1/exams/quiz/accommodations/{learner}"
        assert (await house.teach("GET", path)).body["timeFactor"] == "2"
        assert (await house.teach("DELETE", path)).status == 204
        assert (await house.teach("GET", path)).status == 404
        assert minutes_of(await house.started(learner)) == 60

    async def test_is_listed_by_exam(self, house):
        learner = await house.quiz()
        await accommodate(house, learner, extraAttempts=2)
        page = (await house.teach("GET", "/v1/exams/quiz/accommodations")).body
        assert [one["learnerId"] for one in page["items"]] == [str(learner)]

    async def test_is_for_learners_in_the_teachers_scope(self, house):
        learner = await house.quiz()
        scoped = {"roles": ["learner"], "claims": {"scopes": ["teacher@cohort:autumn"]}}
        body = {"reason": "Why not.", "timeFactor": "2"}
        for where in ("exams/quiz", "courses/statistics"):
            path = f"/v1/{where}/accommodations/{learner}"
            for method, json in (("PUT", body), ("GET", None), ("DELETE", None)):
                answer = await house.teach(method, path, json=json, **scoped)
                assert answer.status == 404
        assert (await accommodate(house, new_id(), timeFactor="2")).status == 404


class TestExtension:
    async def test_gives_everybody_more_time(self, house):
        first = await house.quiz(timeLimitMinutes=60)
        second = await house.enrol()
        attempts = [await house.started(learner) for learner in (first, second)]
        extended = (await extend(house)).body["attempts"]
        assert {one["attempt"] for one in extended} == {one["id"] for one in attempts}
        for learner, attempt in zip((first, second), attempts, strict=True):
            found = (await house.get(f"/v1/attempts/{attempt['id']}", by=learner)).body
            assert minutes_of(found) == 90
        told = house.events("assessment.attempt.extended")
        assert {one["learner_id"] for one in told} == {str(first), str(second)}
        assert {one["title"] for one in told} == {"A quiz"}

    async def test_gives_one_learner_more_time(self, house):
        first = await house.quiz(timeLimitMinutes=60)
        await house.started(first)
        second = await house.enrol()
        await house.started(second)
        extended = (await extend(house, learner=str(second))).body["attempts"]
        assert [one["learnerId"] for one in extended] == [str(second)]

    async def test_reopens_what_has_just_run_out(self, house):
        learner = await house.quiz(
            timeLimitMinutes=60, release={"scores": "AtGrading", "answers": "Manual"}
        )
        attempt = await house.started(learner)
        first, second = attempt["questions"][:2]
        await house.save(learner, attempt["id"], first["slot"], right_answer(first))
        house.overrun(attempt["id"], 63)
        await house.sweep()
        await house.grade(attempt["id"])
        assert (await house.result(learner, attempt["id"])).body["state"] == "GRADED"
        await extend(house)
        saved = await house.save(learner, attempt["id"], second["slot"], right_answer(second))
        assert saved.status == 200
        told = house.events("assessment.attempt.extended")
        assert [one["reopened"] for one in told] == [True]
        await house.submit(learner, attempt["id"])
        await house.grade(attempt["id"])
        assert (await house.result(learner, attempt["id"])).body["score"]["points"] == "4"
        answered = house.rows("SELECT count(*) FROM assessment.answer_log")
        assert answered == [(2,)]

    async def test_leaves_what_ran_out_when_the_learner_is_just_beginning_another(self, house):
        learner = await house.quiz(
            timeLimitMinutes=60, release={"scores": "AtGrading", "answers": "Manual"}
        )
        first = await house.started(learner)
        house.overrun(first["id"], 63)
        await house.sweep()
        async with house.database.transaction("demo") as tx:
            second, _ = await attempts.start(tx, learner, "quiz")
            extending = asyncio.create_task(extend(house))
            await until(lambda: house.rows("SELECT 1 FROM pg_locks WHERE NOT granted"))
        extended = (await extending).body["attempts"]
        assert [one["attempt"] for one in extended] == [str(second.attempt.id)]

    async def test_leaves_what_the_learner_handed_in(self, house):
        learner = await house.quiz(timeLimitMinutes=60)
        attempt = await house.started(learner)
        await house.submit(learner, attempt["id"])
        assert (await extend(house)).code == "nothing-to-extend"

    async def test_leaves_attempts_closed_whose_answers_were_shown(self, house):
        learner = await house.quiz(timeLimitMinutes=60)
        attempt = await house.started(learner)
        house.overrun(attempt["id"], 63)
        await house.sweep()
        await house.grade(attempt["id"])
        assert (await house.result(learner, attempt["id"])).body["review"]
        assert (await extend(house)).code == "nothing-to-extend"

    async def test_leaves_attempts_alone_that_have_no_end(self, house):
        await house.started(await house.quiz())
        assert (await extend(house)).code == "nothing-to-extend"

    async def test_reaches_the_teachers_cohorts(self, house):
        await house.quiz(timeLimitMinutes=60)
        mine, other = await house.enrol(cohort="autumn"), await house.enrol()
        for learner in (mine, other):
            await house.started(learner)
        scoped = {"roles": ["learner"], "claims": {"scopes": ["teacher@cohort:autumn"]}}
        path, body = "/v1/exams/quiz/extensions", {"minutes": 5}
        extended = (await house.teach("POST", path, json=body, **scoped)).body["attempts"]
        assert [one["learnerId"] for one in extended] == [str(mine)]


class TestVoid:
    async def test_takes_score_and_mastery_away_and_lets_the_learner_try_again(self, house):
        learner = await house.quiz(attempts={"maximum": 1})
        attempt = await house.sit(learner, wrong_answer)
        assert (await house.start(learner)).code == "attempts-used-up"
        assert (await void(house, attempt)).body["state"] == "VOIDED"
        result = (await house.result(learner, attempt)).body
        assert (result["state"], result["score"], result["review"]) == ("VOIDED", None, None)
        items = (await house.get("/v1/courses/statistics/mastery", by=learner)).body["items"]
        assert {one["answers"] for one in items} == {0}
        assert (await house.start(learner)).status == 201

    async def test_ends_a_running_attempt(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        await void(house, attempt["id"])
        saved = await house.save(learner, attempt["id"], 1, None)
        assert saved.code == "attempt-closed"
        assert (await house.start(learner)).status == 201

    async def test_happens_once_and_is_audited(self, house):
        learner = await house.quiz()
        attempt = await house.sit(learner, right_answer)
        for _ in range(2):
            assert (await void(house, attempt)).status == 200
        assert house.events().count("assessment.attempt.voided") == 1
        assert house.rows("SELECT action FROM assessment.audit_entry") == [("attempt.void",)]

    async def test_is_for_graders_of_the_learner(self, house):
        learner = await house.quiz()
        attempt = await house.sit(learner, right_answer)
        scoped = {"roles": ["learner"], "claims": {"scopes": ["grader@cohort:autumn"]}}
        assert (await void(house, attempt, **scoped)).status == 404
        assert (await void(house, attempt, by=learner, roles=["learner"])).status == 403
