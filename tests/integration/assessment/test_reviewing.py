"""Answers that people judge: queue, claims, decisions, overrides, and what learners see of them."""

import asyncio

import pytest

from kourse.kit.ids import new_id
from support.exams import essay, exam_spec, pool_spec, right_answer, single

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEST = {"argument": "clear", "figure": "named"}
HALF = {"argument": "clear", "figure": "none"}
NOTHING = {"argument": "missing", "figure": "none"}


async def handed_in(house, *questions, answer=right_answer, **changes):
    """An ended attempt at an exam of these questions; a choice and an essay by default."""
    await house.publish_course()
    await house.pool(spec=pool_spec(*(questions or (single("choice"), essay("essay")))))
    count = len(questions) or 2
    await house.exam(spec=exam_spec(count=count, points=4, shuffle="Nothing", **changes))
    learner = await house.enrol()
    return learner, await house.sit(learner, answer)


def state(house):
    ((found,),) = house.rows("SELECT state FROM assessment.attempt")
    return found


async def queue(house, **kwargs):
    answer = await house.teach("GET", "/v1/exams/quiz/reviews", **kwargs)
    return [(one["attempt"], one["slot"]) for one in answer.body["items"]]


class TestEssay:
    async def test_waits_for_a_person(self, house):
        learner, attempt = await handed_in(house)
        assert state(house) == "UNDER_REVIEW"
        assert (await house.result(learner, attempt)).body["score"] is None
        assert await queue(house) == [(attempt, 2)]
        assert house.events("assessment.review.requested")[0]["attempt_id"] == attempt
        assert "assessment.exam.graded" not in house.events()

    async def test_earns_nothing_and_waits_for_nobody_when_it_is_not_answered(self, house):
        learner, attempt = await handed_in(
            house, answer=lambda q: right_answer(q) if q["type"] != "Essay" else None
        )
        assert state(house) == "GRADED"
        assert (await house.result(learner, attempt)).body["score"]["points"] == "4"

    async def test_counts_with_partial_credit_once_it_is_decided(self, house):
        learner, attempt = await handed_in(house)
        await house.claim(attempt, 2)
        sheet = await house.decide(attempt, 2, HALF, comment="Name a figure.")
        assert (sheet.status, sheet.body["earned"], sheet.body["waiting"]) == (200, "3", False)
        result = (await house.result(learner, attempt)).body
        assert (result["state"], result["score"]["points"]) == ("GRADED", "7")
        assert result["review"][1]["basis"] == "rubric"
        assert result["review"][1]["comment"] == "Name a figure."
        assert result["review"][1]["marks"]["argument"]["level"] == "clear"
        assert await queue(house, params={"waiting": "true"}) == []

    async def test_takes_points_between_the_levels(self, house):
        _, attempt = await handed_in(house)
        await house.claim(attempt, 2)
        body = {"seen": 0, "marks": {"argument": {"points": "4"}, "figure": {"points": "0"}}}
        path = f"/v1/attempts/{attempt}/reviews/2/grade"
        assert (await house.teach("PUT", path, json=body)).body["earned"] == "2"

    async def test_is_graded_when_the_last_of_several_is_decided(self, house):
        _, attempt = await handed_in(house, essay("one"), essay("two"))
        for slot, expected in ((1, "UNDER_REVIEW"), (2, "GRADED")):
            await house.claim(attempt, slot)
            assert (await house.decide(attempt, slot, BEST)).status == 200
            assert state(house) == expected
        assert house.events().count("assessment.exam.graded") == 1

    async def test_shows_no_rubric_before_the_release(self, house):
        learner, attempt = await handed_in(house, release={"scores": "Manual", "answers": "Manual"})
        await house.claim(attempt, 2)
        await house.decide(attempt, 2, HALF, comment="CANARY comment")
        for path in (f"/v1/attempts/{attempt}", f"/v1/attempts/{attempt}/result"):
            assert "canary" not in str((await house.get(path, by=learner)).body).lower()


class TestClaim:
    async def test_keeps_others_out(self, house):
        _, attempt = await handed_in(house)
        assert (await house.claim(attempt, 2)).status == 200
        other = new_id()
        assert (await house.claim(attempt, 2, by=other)).code == "review-taken"
        assert (await house.decide(attempt, 2, BEST, by=other)).code == "review-not-claimed"

    async def test_is_won_by_one_of_many(self, house):
        _, attempt = await handed_in(house)
        graders = [new_id() for _ in range(6)]
        answers = await asyncio.gather(*(house.claim(attempt, 2, by=one) for one in graders))
        assert sorted(answer.status for answer in answers) == [200] + [409] * 5

    async def test_runs_out(self, house):
        _, attempt = await handed_in(house)
        await house.claim(attempt, 2)
        house.run("UPDATE assessment.review SET claimed_until = now() - interval '1 second'")
        assert (await house.decide(attempt, 2, BEST)).code == "review-not-claimed"
        assert (await house.claim(attempt, 2, by=new_id())).status == 200

    async def test_can_be_given_back(self, house):
        _, attempt = await handed_in(house)
        await house.claim(attempt, 2)
        path = f"/v1/attempts/{attempt}/reviews/2/claim"
        assert (await house.teach("DELETE", path)).status == 204
        assert (await house.claim(attempt, 2, by=new_id())).status == 200


class TestDecide:
    async def test_changes_nothing_when_it_is_sent_again(self, house):
        _, attempt = await handed_in(house)
        await house.claim(attempt, 2)
        first = await house.decide(attempt, 2, BEST)
        again = await house.decide(attempt, 2, BEST)
        assert (again.status, again.body["seen"]) == (200, first.body["seen"])
        assert house.rows("SELECT count(*) FROM assessment.grading_run") == [(1,)]

    async def test_is_refused_when_somebody_decided_in_between(self, house):
        _, attempt = await handed_in(house)
        await house.claim(attempt, 2)
        await house.decide(attempt, 2, BEST)
        stale = await house.decide(attempt, 2, HALF, by=new_id())
        assert (stale.status, stale.code, stale.body["seen"]) == (409, "review-stale", 1)

    async def test_judges_a_graded_answer_anew_in_another_run(self, house):
        learner, attempt = await handed_in(house)
        await house.claim(attempt, 2)
        await house.decide(attempt, 2, BEST)
        assert (await house.decide(attempt, 2, NOTHING, seen=1)).status == 200
        assert (await house.result(learner, attempt)).body["score"]["points"] == "4"
        runs = [event["run"] for event in house.events("assessment.score.released")]
        assert runs == [1, 2]

    @pytest.mark.parametrize(
        "marks", [{}, {"argument": "clear"}, BEST | {"style": "fine"}, BEST | {"figure": "vague"}]
    )
    async def test_is_refused_when_marks_do_not_fit_the_rubric(self, house, marks):
        _, attempt = await handed_in(house)
        await house.claim(attempt, 2)
        assert (await house.decide(attempt, 2, marks)).code == "review-mismatch"

    async def test_loses_nothing_when_two_grade_different_answers_at_a_time(self, house):
        _, attempt = await handed_in(house, essay("one"), essay("two"))
        graders = [new_id(), new_id()]
        for slot, grader in enumerate(graders, start=1):
            await house.claim(attempt, slot, by=grader)
        answers = await asyncio.gather(
            *(house.decide(attempt, slot, BEST, by=one) for slot, one in enumerate(graders, 1))
        )
        assert [answer.status for answer in answers] == [200, 200]
        assert state(house) == "GRADED"


class TestOverride:
    async def test_counts_instead_of_the_key_and_is_audited(self, house):
        learner, attempt = await handed_in(house, single("choice"))
        answer = await house.override(attempt, 1, "2.5")
        assert (answer.status, answer.body["earned"]) == (200, "2.5")
        assert (await house.result(learner, attempt)).body["score"]["points"] == "2.5"
        acts = house.rows("SELECT action, target FROM assessment.audit_entry")
        assert acts == [("grade.override", attempt)]

    async def test_moves_mastery(self, house):
        learner, attempt = await handed_in(house, single("choice"))
        before = (await house.get("/v1/courses/statistics/mastery", by=learner)).body
        await house.override(attempt, 1, "0")
        after = (await house.get("/v1/courses/statistics/mastery", by=learner)).body
        assert after["items"][0]["probability"] < before["items"][0]["probability"]

    async def test_is_refused_beyond_the_points_of_the_question(self, house):
        _, attempt = await handed_in(house, single("choice"))
        assert (await house.override(attempt, 1, "4.5")).code == "review-mismatch"

    async def test_is_refused_when_somebody_decided_in_between(self, house):
        _, attempt = await handed_in(house, single("choice"))
        await house.override(attempt, 1, "1")
        assert (await house.override(attempt, 1, "2")).code == "review-stale"


class TestScope:
    async def test_ends_at_the_graders_cohort(self, house):
        await house.publish_course()
        await house.declare_cohort("autumn")
        await house.pool(spec=pool_spec(essay("essay")))
        await house.exam(spec=exam_spec(count=1))
        mine, other = [
            await house.sit(await house.enrol(cohort=cohort), right_answer)
            for cohort in ("autumn", None)
        ]
        scoped = {"roles": ["learner"], "claims": {"scopes": ["grader@cohort:autumn"]}}
        assert await queue(house, **scoped) == [(mine, 1)]
        assert (await house.claim(mine, 1, **scoped)).status == 200
        for method, rest in (
            ("GET", "reviews/1"),
            ("PUT", "reviews/1/claim"),
            ("DELETE", "reviews/1/claim"),
        ):
            answer = await house.teach(method, f"/v1/attempts/{other}/{rest}", **scoped)
            assert answer.status == 404
        assert (await house.decide(other, 1, BEST, **scoped)).status == 404
        assert (await house.override(other, 1, "1", **scoped)).status == 404

    async def test_shuts_learners_out(self, house):
        learner, attempt = await handed_in(house)
        for method, rest in (("GET", "reviews/2"), ("PUT", "reviews/2/claim")):
            answer = await house.call(method, f"/v1/attempts/{attempt}/{rest}", by=learner)
            assert answer.status == 403
