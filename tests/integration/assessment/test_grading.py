"""Grading, release and what learners see before and after, on real servers."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from kourse.contracts import names
from kourse.kit.bus import Broker
from kourse.kit.topology import Binding
from support.exams import exam_spec, ordering, pool_spec, right_answer, single, wrong_answer
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = ("canary", "31337")
"""In every key, right answer and explanation of the pool, and in no text that is shown."""


def when(hours):
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def release(scores, answers):
    return {"scores": scores, "answers": answers}


async def routes(house, learner, attempt):
    """The text of every answer that a learner can get about an attempt or what follows from it."""
    paths = [
        "/v1/courses/statistics/exams",
        "/v1/exams/quiz",
        f"/v1/attempts/{attempt}",
        f"/v1/attempts/{attempt}/result",
        f"/v1/attempts/{attempt}/answers/1",
        "/v1/courses/statistics/gradebook",
        "/v1/courses/statistics/gradebook/learners",
        "/v1/courses/statistics/mastery",
        "/v1/courses/statistics/lessons/tables/practice",
        "/v1/authoring/pools/basics",
        "/v1/authoring/exams/quiz",
        "/openapi.json",
    ]
    answers = {path: await house.get(path, by=learner) for path in paths}
    for body in ({"option": "x"}, {"value": "1"}, {}, {"text": 5}):
        for slot in range(1, 8):
            answers[f"save {slot} {body}"] = await house.save(learner, attempt, slot, body, slot)
    answers["start"] = await house.start(learner)
    return {path: str(answer.body).lower() for path, answer in answers.items()}


class TestGrade:
    async def test_gives_full_marks_for_right_answers(self, house):
        learner = await house.quiz()
        attempt = await house.sit(learner, right_answer)
        result = (await house.result(learner, attempt)).body
        assert result["state"] == "GRADED"
        assert result["score"] | {"gradedAt": "", "releasedAt": ""} == {
            "points": "12",
            "maxPoints": "12",
            "percent": "100",
            "passed": True,
            "gradedAt": "",
            "releasedAt": "",
        }
        assert all(one["correct"] and one["earned"] == "2" for one in result["review"])

    async def test_gives_nothing_for_wrong_answers(self, house):
        learner = await house.quiz()
        result = (await house.result(learner, await house.sit(learner, wrong_answer))).body
        assert (result["score"]["points"], result["score"]["passed"]) == ("0", False)

    async def test_gives_nothing_for_no_answers(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        await house.submit(learner, attempt["id"])
        await house.grade(attempt["id"])
        assert (await house.result(learner, attempt["id"])).body["score"]["points"] == "0"

    async def test_keeps_thirds_exact_so_that_they_add_up(self, house):
        """Three questions each a third right are one point of two, which passes at 50 percent."""
        await house.publish_course()
        await house.pool(spec=pool_spec(*(ordering(f"o{n}") for n in range(6))))
        await house.exam(spec=exam_spec(count=6, points=1, passMark=33))
        learner = await house.enrol()

        def a_third(question):
            first, second, third, fourth = right_answer(question)["order"]
            return {"order": [fourth, third, first, second]}

        result = (await house.result(learner, await house.sit(learner, a_third))).body
        assert (result["score"]["points"], result["score"]["percent"]) == ("2", "33.333333")
        assert result["score"]["passed"]
        assert {one["earned"] for one in result["review"]} == {"0.333333"}

    async def test_happens_once_however_often_it_is_asked_for(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        await house.submit(learner, attempt["id"])
        done = await asyncio.gather(*(house.grade(attempt["id"]) for _ in range(10)))
        assert sorted(done) == [False] * 9 + [True]
        assert house.events().count("assessment.exam.graded") == 1
        assert house.events().count("assessment.score.released") == 1
        assert house.rows("SELECT count(*) FROM assessment.grading_run") == [(1,)]

    async def test_leaves_running_attempts_alone(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        assert not await house.grade(attempt["id"])

    async def test_uses_the_questions_as_they_were_when_the_attempt_began(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        for question in attempt["questions"]:
            await house.save(learner, attempt["id"], question["slot"], right_answer(question))
        changed = [single(key, correct=["canary-a"]) for key in ("single", "multiple", "numeric")]
        await house.pool(spec=pool_spec(*changed), generation=2)
        await house.submit(learner, attempt["id"])
        await house.grade(attempt["id"])
        assert (await house.result(learner, attempt["id"])).body["score"]["percent"] == "100"

    async def test_is_made_up_for_when_the_work_queue_forgot_an_attempt(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        await house.submit(learner, attempt["id"])
        await house.sweep()
        assert house.rows("SELECT state FROM assessment.attempt") == [("SUBMITTED",)]
        house.run("UPDATE assessment.attempt SET submitted_at = submitted_at - interval '31 s'")
        await house.sweep()
        assert house.rows("SELECT state FROM assessment.attempt") == [("GRADED",)]

    async def test_comes_through_the_broker_where_the_exam_is_bound(self, house, broker_url):
        learner = await house.quiz()
        exam_id = names.declared_id("demo", "ExamConfig", "quiz")
        broker = Broker(broker_url, name="test")
        arguments = {"x-match": "all", "exam": str(exam_id)}
        queue = names.GRADING_QUEUES[0]
        await broker.declare([Binding(names.GRADING_EXCHANGE, queue, arguments=arguments)])
        await broker.close()
        attempt = await house.started(learner)
        await house.submit(learner, attempt["id"])

        async def graded():
            return (await house.result(learner, attempt["id"])).body["state"] == "GRADED"

        await until(graded)


class TestRelease:
    async def test_at_grading_tells_the_score_and_the_event(self, house):
        learner = await house.quiz()
        attempt = await house.sit(learner, right_answer)
        (payload,) = house.events("assessment.score.released")
        assert payload["attempt_id"] == attempt
        assert (payload["points"], payload["max_points"]) == ("12", "12")
        assert (payload["percent"], payload["passed"], payload["run"]) == (100.0, True, 1)

    @pytest.mark.parametrize("policy", ["AfterClose", "Manual", "Never"])
    async def test_withholds_the_score_until_the_policy_says_so(self, house, policy):
        learner = await house.quiz(
            release=release(policy, "AtGrading"), dates={"closes": {"at": when(2)}}
        )
        attempt = await house.sit(learner, right_answer)
        await house.sweep()
        result = (await house.result(learner, attempt)).body
        assert (result["state"], result["score"], result["review"]) == ("GRADED", None, None)
        assert "assessment.score.released" not in house.events()
        gradebook = (await house.get("/v1/courses/statistics/gradebook", by=learner)).body
        assert gradebook["percent"] is None
        mastery = (await house.get("/v1/courses/statistics/mastery", by=learner)).body
        assert {one["answers"] for one in mastery["items"]} == {0}
        assert "assessment.mastery.changed" not in house.events()

    async def test_after_close_comes_by_itself(self, house):
        both = release("AfterClose", "AfterClose")
        learner = await house.quiz(release=both, dates={"closes": {"at": when(2)}})
        attempt = await house.sit(learner, right_answer)
        closed = exam_spec(release=both, dates={"closes": {"at": when(-0.1)}})
        await house.exam(spec=closed, generation=2)
        await house.sweep()
        result = (await house.result(learner, attempt)).body
        assert result["score"]["percent"] == "100"
        assert len(result["review"]) == 6
        assert house.events().count("assessment.score.released") == 1
        mastery = (await house.get("/v1/courses/statistics/mastery", by=learner)).body
        assert {one["answers"] for one in mastery["items"]} == {2, 4}

    async def test_of_answers_is_a_matter_of_its_own(self, house):
        learner = await house.quiz(release=release("AtGrading", "Never"))
        result = (await house.result(learner, await house.sit(learner, right_answer))).body
        assert result["score"]["percent"] == "100"
        assert result["review"] is None

    async def test_shows_solution_and_explanation_with_the_answers(self, house):
        learner = await house.quiz()
        attempt = await house.sit(learner, wrong_answer)
        for one in (await house.result(learner, attempt)).body["review"]:
            assert one["explanation"].startswith("CANARY explains")
            match one["type"]:
                case "Numeric":
                    assert one["solution"]["value"] == "31337"
                case "ShortText":
                    assert one["solution"] == {"accepted": ["canary-word"]}
                case _:
                    assert one["solution"] == right_answer(one)

    async def test_a_change_of_policy_releases_what_was_withheld(self, house):
        learner = await house.quiz(release=release("Never", "Never"))
        attempt = await house.sit(learner, right_answer)
        await house.exam(generation=2)
        await house.sweep()
        assert (await house.result(learner, attempt)).body["score"]["percent"] == "100"


class TestNothingLeaks:
    """Canaries stand in every key, right answer and explanation; no learner's answer holds one."""

    async def test_while_the_attempt_runs(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        assert not any(secret in str(attempt).lower() for secret in SECRET)
        for path, seen in (await routes(house, learner, attempt["id"])).items():
            assert not any(secret in seen for secret in SECRET), path

    @pytest.mark.parametrize("policy", ["AfterClose", "Manual", "Never"])
    async def test_after_grading_and_before_release(self, house, policy):
        learner = await house.quiz(
            attempts={"maximum": 1},
            release=release(policy, policy),
            dates={"closes": {"at": when(2)}},
        )
        attempt = await house.started(learner)
        await house.submit(learner, attempt["id"])
        await house.grade(attempt["id"])
        await house.sweep()
        for path, seen in (await routes(house, learner, attempt["id"])).items():
            assert not any(secret in seen for secret in SECRET), path

    async def test_with_the_score_released_but_not_the_answers(self, house):
        learner = await house.quiz(attempts={"maximum": 1}, release=release("AtGrading", "Never"))
        attempt = await house.started(learner)
        await house.submit(learner, attempt["id"])
        await house.grade(attempt["id"])
        for path, seen in (await routes(house, learner, attempt["id"])).items():
            assert not any(secret in seen for secret in SECRET), path

    async def test_through_option_ids_that_two_attempts_share(self, house):
        learner = await house.quiz()
        one = await house.started(learner)
        other = await house.started(await house.enrol())

        def ids(attempt):
            return {
                entry["id"]
                for question in attempt["questions"]
                for side in ("options", "lefts", "rights")
                for entry in question[side]
            }

        assert len(ids(one)) == len(ids(other)) == 18
        assert not ids(one) & ids(other)

    async def test_to_a_learner_who_did_not_sit_it(self, house):
        learner = await house.quiz()
        attempt = await house.sit(learner, right_answer)
        other = await house.enrol()
        assert (await house.result(other, attempt)).status == 404

    async def test_in_an_event_before_the_release(self, house):
        learner = await house.quiz(release=release("Never", "Never"))
        await house.sit(learner, right_answer)
        payloads = str([house.rows("SELECT payload FROM assessment.outbox")]).lower()
        assert not any(secret in payloads for secret in (*SECRET, "points", "percent"))


class TestRows:
    async def test_of_another_tenant_stay_unseen(self, house):
        learner = await house.quiz()
        attempt = await house.sit(learner, right_answer)
        async with house.database.transaction("elsewhere") as tx:
            from kourse.assessment.repository import attempts, content, scores

            assert await attempts.find_attempt(tx, UUID(attempt)) is None
            assert await scores.find_score(tx, UUID(attempt)) is None
            assert await content.list_exams(tx) == []
