"""Item statistics of an exam, against the textbook formula taken literally."""

import random
from fractions import Fraction
from statistics import correlation, mean
from uuid import UUID

import pytest

from kourse.kit.ids import new_id
from support.exams import right_answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/v1/exams/quiz/statistics"
EVENING = {"roles": ["learner"], "scopes": ["teacher@cohort:evening"]}
SLOTS = range(1, 7)
COPIES = {
    "attempt": "id learner_id number cohort",
    "attempt_item": "attempt_id",
    "grading_run": "attempt_id",
    "grading_item": "attempt_id",
    "score": "attempt_id learner_id",
}


async def read(house, query="", roles=("teacher",), scopes=()):
    claims = {"scopes": list(scopes)} if scopes else {}
    return await house.get(f"{PATH}{query}", by=new_id(), roles=roles, claims=claims)


def columns(house, table):
    found = house.rows(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = 'assessment' AND table_name = %s ORDER BY ordinal_position",
        table,
    )
    return [name for (name,) in found]


def copy(house, attempt, shares, *, number=1, learner=None, cohort=None):
    """One more graded attempt like that one, in which the slots earned these shares."""
    new = {
        "id": new_id(),
        "learner_id": learner or new_id(),
        "number": number,
        "cohort": cohort,
    }
    new["attempt_id"] = new["id"]
    for table, changed in COPIES.items():
        named = columns(house, table)
        values = ["%s" if name in changed.split() else f'"{name}"' for name in named]
        key = "id" if table == "attempt" else "attempt_id"
        house.run(
            f"INSERT INTO assessment.{table} ({', '.join(named)})"
            f" SELECT {', '.join(values)} FROM assessment.{table} WHERE {key} = %s",
            *(new[name] for name in named if name in changed.split()),
            UUID(attempt),
        )
    for slot, share in zip(SLOTS, shares, strict=True):
        house.run(
            "UPDATE assessment.grading_item SET share = %s WHERE attempt_id = %s AND slot = %s",
            f"{share.numerator}/{share.denominator}",
            new["id"],
            slot,
        )
    return new["learner_id"]


async def sat(house, learners, **changes):
    """A template attempt, and this many others; the shares that each slot earned in all of them."""
    attempt = await house.sit(await house.quiz(**changes), right_answer)
    table = [[Fraction(1)] * len(SLOTS)]
    draw = random.Random(7)
    for _ in range(learners):
        skill = draw.random()
        shares = [Fraction(int(skill * 4 + draw.random() * 2), 5) for _ in SLOTS]
        copy(house, attempt, shares)
        table.append(shares)
    keys = house.rows(
        "SELECT i.slot, q.key FROM assessment.attempt_item i"
        " JOIN assessment.question q ON q.id = i.question_id WHERE i.attempt_id = %s",
        UUID(attempt),
    )
    return attempt, {key: [row[slot - 1] for row in table] for slot, key in keys}


class TestStatistics:
    async def test_are_facility_and_corrected_item_rest_correlation(self, house):
        _, earned = await sat(house, 34)
        found = (await read(house)).body
        assert found["attempts"] == 35
        assert [one["question"] for one in found["items"]] == sorted(earned)
        for one in found["items"]:
            mine = list(map(float, earned[one["question"]]))
            others = [key for key in earned if key != one["question"]]
            rest = [
                float(mean(shares)) for shares in zip(*(earned[key] for key in others), strict=True)
            ]
            assert one["facility"] == pytest.approx(mean(mine))
            assert one["discrimination"] == pytest.approx(correlation(mine, rest))
            assert one["verdict"] != "too few"

    async def test_say_too_few_below_thirty_attempts(self, house):
        await sat(house, 28)
        found = (await read(house)).body
        assert found["attempts"] == 29
        assert {one["verdict"] for one in found["items"]} == {"too few"}
        assert {one["facility"] for one in found["items"]} == {None}

    async def test_count_the_first_attempt_of_each_learner(self, house):
        attempt, _ = await sat(house, 30)
        before = (await read(house)).body
        ((learner,),) = house.rows(
            "SELECT learner_id FROM assessment.attempt WHERE id = %s", UUID(attempt)
        )
        copy(house, attempt, [Fraction(0)] * len(SLOTS), number=2, learner=learner)
        assert (await read(house)).body == before

    async def test_come_by_pages(self, house):
        await sat(house, 0)
        first = (await read(house, "?limit=4")).body
        rest = (await read(house, f"?limit=4&after={first['next']}")).body
        assert (len(first["items"]), len(rest["items"]), rest["next"]) == (4, 2, None)

    async def test_are_for_teachers_of_those_learners(self, house):
        attempt, _ = await sat(house, 0)
        copy(house, attempt, [Fraction(0)] * len(SLOTS), cohort="evening")
        assert (await read(house, roles=["learner"])).code == "forbidden"
        assert (await read(house, **EVENING)).body["attempts"] == 1
        assert (await read(house, "?cohort=evening")).body["attempts"] == 1
        assert (await read(house, "?cohort=morning", **EVENING)).status == 404
        missing = await house.get("/v1/exams/none/statistics", by=new_id(), roles=["teacher"])
        assert missing.status == 404
