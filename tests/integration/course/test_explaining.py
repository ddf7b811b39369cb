"""Explanations of lessons: what is said is what reading is answered."""

import pytest

from kourse.contracts.resources import CourseSpec
from support.courses import course_document
from support.houses import LEARNER, OTHER_LEARNER, new_key

LESSON = "/v1/courses/statistics/lessons/coins"
TEACHER = {"roles": ["teacher"]}
BY_LESSON = [{"chapter": "chance", "requires": [{"lesson": "means"}]}]
BY_SKILL = [{"chapter": "chance", "requires": [{"skill": "reading", "minPercent": 80}]}]


async def enrol(house, course="statistics"):
    answer = await house.post(f"/v1/courses/{course}/enrolments", key=new_key())
    assert answer.status == 201


def challenging():
    """The small course, with its lesson on coins as a challenge."""
    document = course_document()
    document["chapters"][1]["lessons"][0] |= {"path": "Challenge", "skills": ["reading"]}
    return CourseSpec.model_validate(document)


class Situations:
    """How learners come to a lesson."""

    async def of_nobody(self, house, publish, rows, master):
        await publish()

    async def of_somebody_enrolled(self, house, publish, rows, master):
        await publish()
        await enrol(house)

    async def of_somebody_suspended(self, house, publish, rows, master):
        await self.of_somebody_enrolled(house, publish, rows, master)
        rows("UPDATE course.enrolment SET status = 'suspended' RETURNING id")

    async def behind_a_gate(self, house, publish, rows, master):
        await publish(gates=BY_LESSON)
        await enrol(house)

    async def behind_an_opened_gate(self, house, publish, rows, master):
        await self.behind_a_gate(house, publish, rows, master)
        path = "/v1/courses/statistics/lessons/means/completion"
        assert (await house.post(path, key=new_key())).status == 200

    async def behind_a_gate_after_they_began(self, house, publish, rows, master):
        await self.of_somebody_enrolled(house, publish, rows, master)
        assert (await house.get(LESSON)).status == 200
        await publish(gates=BY_LESSON)

    async def without_mastery(self, house, publish, rows, master):
        await master("reading", 0.5, "remediation")
        await publish(gates=BY_SKILL)
        await enrol(house)

    async def with_mastery(self, house, publish, rows, master):
        await master("reading", 0.9, "main")
        await publish(gates=BY_SKILL)
        await enrol(house)

    async def of_a_challenge(self, house, publish, rows, master):
        await publish(spec=challenging())
        await enrol(house)

    async def of_a_challenge_when_ready(self, house, publish, rows, master):
        await self.of_a_challenge(house, publish, rows, master)
        await master("reading", 0.99, "challenge")

    async def of_a_challenge_begun(self, house, publish, rows, master):
        await self.of_a_challenge_when_ready(house, publish, rows, master)
        assert (await house.get(LESSON)).status == 200
        await master("reading", 0.1, "remediation")

    async def of_no_course(self, house, publish, rows, master):
        pass


NAMES = [name for name in vars(Situations) if not name.startswith("_")]


class TestExplanation:
    @pytest.mark.parametrize("name", NAMES)
    async def test_says_what_reading_then_says(self, house, publish, rows, master, name):
        await getattr(Situations(), name)(house, publish, rows, master)
        said = await house.get(f"{LESSON}/access?learner={LEARNER}", **TEACHER)
        assert said.status == 200
        assert said.body["allowed"] == all(rule["holds"] for rule in said.body["rules"])
        answer = await house.get(LESSON)
        assert said.body["allowed"] == (answer.status == 200)
        if answer.status != 200:
            told = (said.body["code"], said.body["detail"])
            assert told == (answer.code, answer.body["detail"])

    async def test_names_what_a_gate_asks_for(self, house, publish):
        await publish(gates=BY_LESSON)
        await enrol(house)
        said = await house.get(f"{LESSON}/access?learner={LEARNER}", **TEACHER)
        assert [(one["rule"], one["holds"]) for one in said.body["rules"]] == [
            ("live", True),
            ("enrolled", True),
            ("in-version", True),
            ("gate", False),
        ]
        assert "Lesson means" in said.body["rules"][-1]["sentence"]


class TestPermission:
    async def test_is_needed(self, house, publish):
        await publish()
        path = f"{LESSON}/access?learner={OTHER_LEARNER}"
        assert (await house.get(path)).code == "forbidden"
        assert (await house.get(path, roles=["author"])).code == "forbidden"

    async def test_of_a_teacher_ends_at_their_cohort(self, house, publish, rows):
        await publish()
        await enrol(house)
        path = f"{LESSON}/access?learner={LEARNER}"
        scoped = {"roles": ["learner"], "scopes": ["teacher@cohort:evening"]}
        assert (await house.get(path, **scoped)).status == 404
        rows("UPDATE course.enrolment SET cohort = 'evening' RETURNING id")
        assert (await house.get(path, **scoped)).status == 200

    async def test_ends_at_the_tenant(self, house, publish):
        await publish()
        await enrol(house)
        said = await house.get(f"{LESSON}/access?learner={LEARNER}", tenant="other", **TEACHER)
        assert said.body["allowed"] is False
        assert said.body["rules"][0] == {
            "rule": "live",
            "holds": False,
            "sentence": "There is no course 'statistics' here.",
        }
