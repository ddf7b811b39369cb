"""Practice in lessons and the mastery that follows, on real servers."""

import asyncio
from uuid import uuid4

import grpc.aio
import pytest

from kourse.kit.ids import new_id
from kourse.rules.mastery import SkillParameters, Thresholds, folded_mastery
from kourse_rpc.assessment.v1 import assessment_pb2, assessment_pb2_grpc
from support.exams import exam_spec, pool_spec, right_answer, single, wrong_answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRACTICE = "/v1/courses/statistics/lessons/tables/practice"
SKILL = SkillParameters(0.3, 0.15, 0.2, 0.1)


async def offered(house, learner):
    return (await house.get(PRACTICE, by=learner)).body["items"]


async def check(house, learner, question, answer, **headers):
    path = f"/v1/practice/{question['pool']}/{question['question']}/answers"
    body = {"seed": question["seed"], "answer": answer}
    return await house.call("POST", path, by=learner, json=body, headers=headers)


async def lessons(house, practice):
    """The lesson ``tables`` embeds these questions."""
    lesson = {
        "id": uuid4(),
        "key": "tables",
        "title": "Tables",
        "chapter": "data",
        "practice": practice,
    }
    await house.publish_course(lessons=[lesson])


@pytest.fixture
def ask(house):
    """Asks over gRPC, as a sibling with the token of the client given."""

    async def asked(method, request, client="dashboard", audience="assessment"):
        token = house.issuer.service_token(client, audience)
        metadata = [("authorization", f"Bearer {token}")]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{house.process.rpc_port}") as channel:
            stub = assessment_pb2_grpc.AssessmentServiceStub(channel)
            return await getattr(stub, method)(request, timeout=60, metadata=metadata)

    return asked


class TestListPractice:
    async def test_offers_what_the_lesson_embeds_without_any_key(self, house):
        learner = await house.quiz()
        questions = await offered(house, learner)
        assert [one["question"] for one in questions] == [
            "single",
            "multiple",
            "numeric",
            "short",
            "matching",
            "ordering",
        ]
        assert "canary" not in str(questions).lower()

    async def test_waits_until_the_lesson_opens(self, house):
        learner = await house.quiz()
        house.course.missing[str(learner)] = ["Complete the lesson “Averages”."]
        refused = await house.get(PRACTICE, by=learner)
        assert (refused.status, refused.code) == (409, "practice-locked")
        assert refused.body["missing"] == ["Complete the lesson “Averages”."]
        del house.course.missing[str(learner)]
        assert (await house.get(PRACTICE, by=learner)).status == 200

    async def test_offers_only_the_questions_named(self, house):
        await lessons(house, {"basics": ["numeric"]})
        await house.pool()
        learner = await house.enrol()
        assert [one["question"] for one in await offered(house, learner)] == ["numeric"]

    async def test_comes_under_other_ids_at_each_visit_and_for_each_learner(self, house):
        learner = await house.quiz()
        visits = [await offered(house, who) for who in (learner, learner, await house.enrol())]
        ids = [option["id"] for visit in visits for option in visit[0]["options"]]
        assert len(set(ids)) == len(ids)

    async def test_is_404_for_strangers_and_unknown_lessons(self, house):
        learner = await house.quiz()
        assert (await house.get(PRACTICE, by=new_id())).status == 404
        path = "/v1/courses/statistics/lessons/nowhere/practice"
        assert (await house.get(path, by=learner)).status == 404


class TestCheckPractice:
    async def test_says_at_once_what_was_right_and_why(self, house):
        learner = await house.quiz()
        for question in await offered(house, learner):
            wrong = await check(house, learner, question, wrong_answer(question))
            assert wrong.status == 200
            assert (wrong.body["correct"], wrong.body["share"]) == (False, "0")
            assert wrong.body["explanation"] == f"CANARY explains {question['question']}"
            right = await check(house, learner, question, right_answer(question))
            assert (right.body["correct"], right.body["share"]) == (True, "1")

    async def test_moves_mastery_as_the_fold_says(self, house):
        learner = await house.quiz()
        question = (await offered(house, learner))[0]
        answers = [True, False, True, True, True]
        for correct in answers:
            answer = (right_answer if correct else wrong_answer)(question)
            last = await check(house, learner, question, answer)
        expected = folded_mastery(answers, SKILL, Thresholds())
        (moved,) = last.body["mastery"]
        assert moved["skill"] == "reading"
        assert moved["probability"] == pytest.approx(expected.probability)
        assert (moved["answers"], moved["band"]) == (5, expected.band.value)

    async def test_counts_every_answer_of_many_at_once(self, house):
        learner = await house.quiz()
        question = (await offered(house, learner))[0]
        answers = await asyncio.gather(
            *(check(house, learner, question, right_answer(question)) for _ in range(8))
        )
        assert {answer.status for answer in answers} == {200}
        mastery = (await house.get("/v1/courses/statistics/mastery", by=learner)).body["items"]
        reading = next(one for one in mastery if one["skill"] == "reading")
        expected = folded_mastery([True] * 8, SKILL, Thresholds())
        assert (reading["answers"], reading["band"]) == (8, "challenge")
        assert reading["probability"] == pytest.approx(expected.probability)

    async def test_counts_once_when_repeated_with_its_key(self, house):
        learner = await house.quiz()
        question = (await offered(house, learner))[0]
        key = {"Idempotency-Key": str(uuid4())}
        first = await check(house, learner, question, right_answer(question), **key)
        again = await check(house, learner, question, right_answer(question), **key)
        assert first.body == again.body
        assert house.rows("SELECT count(*) FROM assessment.answer_log") == [(1,)]

    async def test_uses_the_courses_own_bands(self, house):
        await house.quiz()
        await house.publish_course(remediation_below=0.1, challenge_from=0.2)
        learner = await house.enrol()
        question = (await offered(house, learner))[0]
        for _ in range(3):
            last = await check(house, learner, question, right_answer(question))
        assert last.body["mastery"][0]["band"] == "challenge"

    async def test_tells_of_every_move_in_order(self, house):
        learner = await house.quiz()
        question = (await offered(house, learner))[0]
        await asyncio.gather(
            *(check(house, learner, question, right_answer(question)) for _ in range(4))
        )
        told = house.events("assessment.mastery.changed")
        assert {one["learner_id"] for one in told} == {str(learner)}
        (last,) = told[-1]["skills"]
        expected = folded_mastery([True] * 4, SKILL, Thresholds())
        assert (last["skill"], last["answers"], last["band"]) == ("reading", 4, "challenge")
        assert last["probability"] == pytest.approx(expected.probability)

    async def test_takes_an_answer_to_any_visit(self, house):
        learner = await house.quiz()
        visits = [(await offered(house, learner))[0] for _ in range(2)]
        for question in visits:
            answer = await check(house, learner, question, right_answer(question))
            assert answer.body["correct"] is True
        mixed = {**visits[0], "seed": visits[1]["seed"]}
        assert (await check(house, learner, mixed, right_answer(mixed))).code == "invalid-answer"

    async def test_never_enters_the_grade_book(self, house):
        learner = await house.quiz()
        question = (await offered(house, learner))[0]
        await check(house, learner, question, right_answer(question))
        gradebook = (await house.get("/v1/courses/statistics/gradebook", by=learner)).body
        assert gradebook["percent"] is None

    async def test_refuses_questions_that_no_lesson_of_theirs_embeds(self, house):
        await lessons(house, {"basics": ["numeric"]})
        await house.pool()
        await house.pool("secret", pool_spec(single("exam-only")))
        learner = await house.enrol()
        for pool, question in (("basics", "single"), ("secret", "exam-only"), ("none", "none")):
            asked = {"pool": pool, "question": question, "seed": "any"}
            answer = await check(house, learner, asked, {"option": "x"})
            assert (answer.status, answer.code) == (404, "not-found")

    async def test_refuses_what_was_not_shown_to_this_very_learner(self, house):
        """Only what was shown while its lesson was open can be answered."""
        learner = await house.quiz()
        shown = {one["question"]: one for one in await offered(house, learner)}
        theirs = {one["question"]: one for one in await offered(house, await house.enrol())}
        numeric = shown["numeric"]
        for seed in ("any", "nX5cEo0bQy2_", theirs["numeric"]["seed"], shown["short"]["seed"]):
            forged = {**numeric, "seed": seed}
            answer = await check(house, learner, forged, right_answer(numeric))
            assert (answer.status, answer.code) == (422, "invalid-answer")
        answer = await check(house, learner, numeric, right_answer(numeric))
        assert answer.body["correct"] is True

    async def test_refuses_what_does_not_fit(self, house):
        learner = await house.quiz()
        question = (await offered(house, learner))[0]
        for wrong in ({}, {"option": "canary-c"}, {"options": []}):
            answer = await check(house, learner, question, wrong)
            assert (answer.status, answer.code) == (422, "invalid-answer")
            assert "canary" not in str(answer.body).lower()


class TestListMastery:
    async def test_follows_new_parameters_and_new_skills_at_once(self, house):
        learner = await house.quiz()
        question = (await offered(house, learner))[0]
        for _ in range(3):
            await check(house, learner, question, right_answer(question))
        sharper = [
            {"key": "reading", "title": "R", "prior": 0.1, "learn": 0.1, "guess": 0.1, "slip": 0.1}
        ]
        await house.publish_course(version=2, skills=sharper)
        (item,) = (await house.get("/v1/courses/statistics/mastery", by=learner)).body["items"]
        assert item["probability"] == pytest.approx(0.99196, abs=1e-5)
        assert (item["answers"], item["band"]) == (3, "challenge")

    async def test_is_folded_again_for_everybody_when_the_bands_change(self, house):
        learners = [await house.quiz(), await house.enrol(), await house.enrol()]
        for learner in learners[:2]:
            question = (await offered(house, learner))[0]
            for _ in range(3):
                await check(house, learner, question, wrong_answer(question))
        before = len(house.events("assessment.mastery.changed"))
        skills = [
            {
                "key": "reading",
                "title": "R",
                "prior": 0.3,
                "learn": 0.15,
                "guess": 0.2,
                "slip": 0.1,
                "remediation_below": 0.0,
                "challenge_from": 0.0,
            }
        ]
        await house.publish_course(version=2, skills=skills)
        while await house.sweep():
            pass
        told = house.events("assessment.mastery.changed")[before:]
        assert {one["learner_id"] for one in told} == set(map(str, learners[:2]))
        assert {one["skills"][0]["band"] for one in told} == {"challenge"}

    async def test_begins_at_the_prior_on_the_main_path(self, house):
        learner = await house.quiz()
        items = (await house.get("/v1/courses/statistics/mastery", by=learner)).body["items"]
        assert [(one["skill"], one["probability"], one["band"]) for one in items] == [
            ("reading", 0.3, "main"),
            ("summing", 0.3, "main"),
        ]

    async def test_is_told_to_siblings(self, house, ask):
        learner = await house.quiz()
        request = assessment_pb2.ListMasteryRequest(tenant="demo", learner_id=str(learner))
        found = (await ask("ListMastery", request)).mastery
        assert [(one.course, one.skill, one.band) for one in found] == [
            ("statistics", "reading", "main"),
            ("statistics", "summing", "main"),
        ]

    async def test_of_strangers_is_empty_for_siblings(self, house, ask):
        await house.quiz()
        request = assessment_pb2.ListMasteryRequest(tenant="demo", learner_id=str(new_id()))
        assert not (await ask("ListMastery", request)).mastery


class TestBatches:
    async def test_tell_of_those_who_study_the_course(self, house, ask):
        learner, other = await house.quiz(), await house.enrol()
        question = (await offered(house, learner))[0]
        await check(house, learner, question, right_answer(question))
        asked = {
            "tenant": "demo",
            "course": "statistics",
            "learner_ids": [str(learner), str(other), str(new_id())],
        }
        found = await ask("BatchListMastery", assessment_pb2.BatchListMasteryRequest(**asked))
        answers = {one.learner_id: one.mastery[0].answers for one in found.learners}
        assert answers == {str(learner): 1, str(other): 0}
        attempt = await house.sit(other, right_answer)
        found = await ask("BatchListScores", assessment_pb2.BatchListScoresRequest(**asked))
        (scored,) = found.learners
        assert (scored.learner_id, scored.scores[0].attempt_id) == (str(other), attempt)

    async def test_refuse_more_learners_than_they_take(self, house, ask):
        many = [str(new_id()) for _ in range(201)]
        asked = {"tenant": "demo", "course": "statistics", "learner_ids": many}
        for name in ("BatchListMastery", "BatchListScores"):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await ask(name, getattr(assessment_pb2, f"{name}Request")(**asked))
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


class TestListScores:
    async def test_tells_siblings_released_scores_only_newest_first(self, house, ask):
        learner = await house.quiz()
        withheld = exam_spec(title="Withheld", release={"scores": "Never", "answers": "Never"})
        await house.exam("hidden", withheld)
        await house.sit(learner, wrong_answer, "hidden")
        first = await house.sit(learner, wrong_answer)
        second = await house.sit(learner, right_answer)
        request = assessment_pb2.ListScoresRequest(tenant="demo", learner_id=str(learner))
        found = (await ask("ListScores", request)).scores
        assert [(one.attempt_id, one.points, one.passed) for one in found] == [
            (second, "12", True),
            (first, "0", False),
        ]
        assert (found[0].title, found[0].max_points) == ("A quiz", "12")

    async def test_refuses_tokens_for_others_and_broken_ids(self, house, ask):
        request = assessment_pb2.ListScoresRequest(tenant="demo", learner_id="nobody")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask("ListScores", request, audience="course")
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask("ListScores", request)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
