"""Explanations of exams: what is said is what a start is answered."""

from uuid import uuid4

import pytest

from support.exams import pool_spec, right_answer, single

pytestmark = pytest.mark.asyncio(loop_scope="module")
PAST = {"closes": {"at": "2025-02-01T00:00"}}
LATER = {"opens": {"at": "2099-02-01T00:00"}}


@pytest.fixture
def explain(house):
    async def ask(learner, exam="quiz", roles=("teacher",), claims=None):
        path = f"/v1/exams/{exam}/access?learner={learner}"
        return await house.call("GET", path, by=uuid4(), roles=roles, claims=claims or {})

    return ask


def rules(answer):
    return {one["rule"]: one["holds"] for one in answer.body["rules"]}


async def may_start(house):
    return await house.quiz()


async def is_a_stranger(house):
    await house.quiz()
    return uuid4()


async def comes_too_early(house):
    return await house.quiz(dates=LATER)


async def comes_too_late(house):
    return await house.quiz(dates=PAST)


async def has_used_all_attempts(house):
    learner = await house.quiz(attempts={"maximum": 1})
    await house.sit(learner, right_answer)
    return learner


async def is_in_the_middle(house):
    learner = await house.quiz(attempts={"maximum": 1})
    await house.started(learner)
    return learner


async def has_overrun(house):
    learner = await house.quiz(attempts={"maximum": 1}, timeLimitMinutes=30)
    attempt = await house.started(learner)
    house.overrun(attempt["id"], 600)
    return learner


async def finds_the_pools_emptied(house):
    learner = await house.quiz()
    await house.pool(spec=pool_spec(single("one")), generation=2)
    return learner


async def finds_no_exam(house):
    learner = await house.quiz()
    house.run("UPDATE assessment.exam SET retired_at = now()")
    return learner


SITUATIONS = [
    may_start,
    is_a_stranger,
    comes_too_early,
    comes_too_late,
    has_used_all_attempts,
    is_in_the_middle,
    has_overrun,
    finds_the_pools_emptied,
    finds_no_exam,
]


class TestExplanation:
    @pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.__name__)
    async def test_says_what_the_start_then_says(self, house, explain, situation):
        learner = await situation(house)
        said = (await explain(learner)).body
        attempts = "SELECT count(*) FROM assessment.attempt"
        before = house.rows(attempts)
        assert said["allowed"] == all(rule["holds"] for rule in said["rules"]), said
        assert house.rows(attempts) == before
        answer = await house.start(learner)
        assert said["allowed"] == (answer.status in {200, 201})
        if not said["allowed"]:
            assert (said["code"], said["detail"]) == (answer.code, answer.body["detail"])

    async def test_names_each_rule(self, house, explain):
        learner = await comes_too_late(house)
        assert rules(await explain(learner)) == {
            "declared": True,
            "enrolled": True,
            "opened": True,
            "not-closed": False,
            "attempts-left": True,
        }


class TestPermission:
    async def test_is_needed(self, house, explain):
        learner = await house.quiz()
        for roles in (["learner"], ["author"]):
            assert (await explain(learner, roles=roles)).status == 403

    async def test_of_a_teacher_ends_at_their_cohort(self, house, explain):
        await house.quiz()
        await house.declare_cohort("evening")
        theirs, another = await house.enrol(cohort="evening"), await house.enrol()
        scoped = {"roles": ["learner"], "claims": {"scopes": ["teacher@cohort:evening"]}}
        assert (await explain(theirs, **scoped)).status == 200
        assert (await explain(another, **scoped)).status == 404

    async def test_ends_at_the_tenant(self, house, explain):
        learner = await house.quiz()
        assert (await explain(learner, claims={"tenant": "other"})).status == 404
