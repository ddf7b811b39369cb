"""Plans of cohorts: what an apply would do to them and to their members."""

import pytest

from kourse.contracts import names
from support.courses import cohort_document
from support.houses import LEARNER, OTHER_LEARNER

PLANS = "/v1/authoring/plans/cohorts"


@pytest.fixture
def plan(house):
    """Plans the cohort ``lisbon``; what is said of it."""

    async def ask(facts=(), roles=("planner",), name="lisbon", claims=None, **changes):
        spec = cohort_document(**changes)
        body = {
            "documents": [{"kind": "Cohort", "name": name, "spec": spec}],
            "facts": list(facts),
        }
        answer = await house.post(PLANS, body, roles=list(roles), **(claims or {}))
        assert answer.status == 200, answer.body
        return answer.body["objects"][0]

    return ask


def course_fact(name):
    payload = {
        "course_id": str(names.declared_id("demo", "Course", name)),
        "course": name,
        "title": name,
        "version": 1,
        "digest": "d",
        "time_zone": "UTC",
        "lessons": [],
        "skills": [],
    }
    return {"type": "course.content.published", "payload": payload}


async def join(house):
    code = (await house.get("/v1/cohorts/lisbon/code", roles=["teacher"])).body["code"]
    for who in (LEARNER, OTHER_LEARNER):
        assert (await house.post("/v1/cohorts/join", {"code": code}, who=who)).status == 200


class TestPlan:
    async def test_needs_the_permission(self, house):
        for roles in (["learner"], ["author"]):
            answer = await house.post(PLANS, {}, roles=roles)
            assert (answer.status, answer.code) == (403, "forbidden")

    async def test_of_a_teacher_ends_at_their_cohort(self, plan):
        claims = {"scopes": ["teacher@cohort:porto"]}
        refused = await plan(roles=["learner"], claims=claims)
        assert (refused["action"], refused["problems"][0]["code"]) == ("refused", "forbidden")
        allowed = await plan(roles=["learner"], claims=claims, name="porto")
        assert allowed["action"] == "create"

    async def test_shows_nothing_of_another_tenant(self, plan, declare):
        await declare()
        facts = [course_fact("statistics")]
        assert (await plan(facts, claims={"tenant": "other"}))["action"] == "create"

    async def test_takes_courses_that_would_be_live_for_known(self, plan):
        waiting = await plan(courses=["algebra"])
        assert (waiting["action"], waiting["problems"][0]["code"]) == ("wait", "course-unknown")
        planned = await plan([course_fact("algebra")], courses=["algebra"])
        assert planned["action"] == "create"

    async def test_names_dates_and_rules_that_are_impossible(self, plan):
        run = {"starts": "2026-02-30", "ends": "2027-06-30", "timeZone": "Europe/Lisbon"}
        planned = await plan(run=run)
        assert (planned["action"], planned["problems"][0]["code"]) == ("refused", "invalid-dates")

    async def test_tells_of_members_who_keep_their_place(self, house, plan, declare):
        await declare()
        await join(house)
        planned = await plan([course_fact("algebra")], courses=["algebra"], seats=1)
        assert [one["sentence"] for one in planned["people"]] == [
            "2 members keep their place in statistics",
            "2 members keep their place although only 1 would be given",
        ]

    async def test_says_what_the_apply_does(self, plan, declare, rows):
        await declare()
        changed = cohort_document(seats=9, schedule=[])
        planned = await plan(seats=9, schedule=[])
        tables = ("cohort", "cohort_date", "meeting")
        before = {one: rows(f"SELECT count(*) FROM profile.{one}")[0][0] for one in tables}
        applied = await declare(**{key: changed[key] for key in ("seats", "schedule")})
        assert applied.changed
        assert planned["action"] == "update"
        told = {one["table"]: one["inserted"] - one["deleted"] for one in planned["rows"]}
        assert {
            one: rows(f"SELECT count(*) FROM profile.{one}")[0][0] - before[one] for one in tables
        } == {one: told.get(one, 0) for one in tables}
