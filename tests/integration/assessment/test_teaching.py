"""What teachers see and release of learners' attempts, on real servers."""

import pytest

from kourse.kit.ids import new_id
from support.exams import right_answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

MANUAL = {"scores": "Manual", "answers": "Manual"}
EVENING = {"roles": ["learner"], "scopes": ["teacher@cohort:evening"]}


async def teacher(house, method, path, *, roles=("teacher",), scopes=(), **kwargs):
    claims = {"scopes": list(scopes)} if scopes else {}
    return await house.call(method, path, by=new_id(), roles=roles, claims=claims, **kwargs)


async def attempts(house, query="", **who):
    return await teacher(house, "GET", f"/v1/exams/quiz/attempts{query}", **who)


async def release(house, body, **who):
    return await teacher(house, "POST", "/v1/exams/quiz/releases", json=body, **who)


class TestListAttempts:
    async def test_is_for_teachers(self, house):
        learner = await house.quiz()
        answer = await house.get("/v1/exams/quiz/attempts", by=learner)
        assert (answer.status, answer.code) == (403, "forbidden")

    async def test_shows_states_and_withheld_scores(self, house):
        learner = await house.quiz(release=MANUAL)
        graded = await house.sit(learner, right_answer)
        running = await house.started(await house.enrol())
        items = (await attempts(house)).body["items"]
        assert [(one["id"], one["state"]) for one in items] == [
            (graded, "GRADED"),
            (running["id"], "IN_PROGRESS"),
        ]
        assert (items[0]["score"]["percent"], items[0]["score"]["releasedAt"]) == ("100", None)
        assert items[1]["score"] is None
        assert "canary" not in str(items).lower()

    async def test_keeps_to_the_cohorts_of_the_teacher(self, house):
        await house.quiz()
        mine = await house.started(await house.enrol(cohort="evening"))
        await house.started(await house.enrol(cohort="morning"))
        items = (await attempts(house, **EVENING)).body["items"]
        assert [one["id"] for one in items] == [mine["id"]]
        assert (await attempts(house, "?cohort=morning", **EVENING)).status == 404

    async def test_pages_in_the_order_of_the_start(self, house):
        await house.quiz()
        started = [(await house.started(await house.enrol()))["id"] for _ in range(5)]
        first = (await attempts(house, "?limit=3")).body
        second = (await attempts(house, f"?limit=3&after={first['next']}")).body
        assert [one["id"] for one in first["items"] + second["items"]] == started
        assert second["next"] is None


class TestRelease:
    async def test_by_hand_shows_scores_then_answers(self, house):
        learner = await house.quiz(release=MANUAL)
        attempt = await house.sit(learner, right_answer)
        answer = await release(house, {})
        assert (answer.status, answer.body) == (202, {"scores": 1, "answers": 0})
        await house.sweep()
        result = (await house.result(learner, attempt)).body
        assert (result["score"]["percent"], result["review"]) == ("100", None)
        assert house.events().count("assessment.score.released") == 1
        await release(house, {"scores": False, "answers": True})
        assert len((await house.result(learner, attempt)).body["review"]) == 6

    async def test_never_shows_answers_before_the_score(self, house):
        learner = await house.quiz(release=MANUAL)
        attempt = await house.sit(learner, right_answer)
        await release(house, {"scores": False, "answers": True})
        result = (await house.result(learner, attempt)).body
        assert (result["score"], result["review"]) == (None, None)

    async def test_outlasts_a_change_of_dates(self, house):
        learner = await house.quiz(release=MANUAL)
        attempt = await house.sit(learner, right_answer)
        await release(house, {})
        await house.declare_cohort("evening")
        await house.sweep()
        assert (await house.result(learner, attempt)).body["score"] is not None

    async def test_keeps_to_the_cohorts_of_the_teacher(self, house):
        other = await house.quiz(release=MANUAL)
        mine = await house.enrol(cohort="evening")
        foreign, own = [await house.sit(one, right_answer) for one in (other, mine)]
        assert (await release(house, {}, **EVENING)).body["scores"] == 1
        await house.sweep()
        assert (await house.result(mine, own)).body["score"] is not None
        assert (await house.result(other, foreign)).body["score"] is None
        assert (await release(house, {"cohort": "morning"}, **EVENING)).status == 404

    async def test_is_refused_where_the_policy_decides(self, house):
        await house.quiz()
        answer = await release(house, {})
        assert (answer.status, answer.code) == (409, "not-manual")

    async def test_of_an_unknown_exam_is_404(self, house):
        answer = await teacher(house, "POST", "/v1/exams/nothing/releases", json={})
        assert (answer.status, answer.code) == (404, "not-found")
