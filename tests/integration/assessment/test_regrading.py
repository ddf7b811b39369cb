"""Keys that are corrected and questions that are voided: looked at first, then applied."""

from fractions import Fraction

import pytest

from kourse.assessment.service import regrading
from support.exams import essay, exam_spec, ordering, pool_spec, right_answer, single, wrong_answer
from support.replaying import replayed

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST = {"pool": "basics", "question": "first"}
VOID = FIRST | {"void": True}


def corrected(key, right, **changes):
    return single(key, correct=[f"canary-{right}"], **changes)


def choose(letter):
    def answer(question):
        texts = {entry["text"]: entry["id"] for entry in question["options"]}
        return {"option": texts[f"Choice {letter}"]}

    return answer


async def two_questions(house, **changes):
    await house.publish_course()
    await house.pool(spec=pool_spec(single("first"), single("second")))
    await house.exam(spec=exam_spec(count=2, points=3, **changes))


async def sat(house, letter):
    learner = await house.enrol()
    return learner, await house.sit(learner, choose(letter))


async def points_of(house, learner, attempt):
    return (await house.result(learner, attempt)).body["score"]["points"]


async def correct_first(house, right="a"):
    spec = pool_spec(corrected("first", right), single("second"))
    await house.pool(spec=spec, generation=2)


async def changes(house, regrade, **params):
    path = f"/v1/regrades/{regrade}/changes"
    return (await house.teach("GET", path, params=params)).body


class TestPlan:
    async def test_shows_what_would_change_and_changes_nothing(self, house):
        await two_questions(house)
        learner, attempt = await sat(house, "a")
        await correct_first(house)
        regrade = await house.regrade([FIRST])
        (change,) = (await changes(house, regrade))["items"]
        assert (change["before"], change["after"], change["counts"]) == ("0", "3", True)
        assert len(change["slots"]) == 1
        assert await points_of(house, learner, attempt) == "0"
        assert house.rows("SELECT count(*) FROM assessment.correction") == [(0,)]

    async def test_is_applied_as_it_was_shown_though_the_pool_changed_again(self, house):
        await two_questions(house)
        learner, attempt = await sat(house, "a")
        await correct_first(house)
        regrade = await house.regrade([FIRST])
        await house.pool(spec=pool_spec(single("first"), single("second")), generation=3)
        await house.apply_regrade(regrade)
        assert await points_of(house, learner, attempt) == "3"

    async def test_comes_page_by_page(self, house):
        await two_questions(house)
        for _ in range(3):
            await sat(house, "a")
        regrade = await house.regrade([VOID])
        first = await changes(house, regrade, limit=2)
        second = await changes(house, regrade, limit=2, after=first["next"])
        seen = [one["attempt"] for one in first["items"] + second["items"]]
        assert len(set(seen)) == 3
        assert second["next"] is None

    async def test_is_refused_for_a_question_that_the_course_does_not_have(self, house):
        await two_questions(house)
        body = {"corrections": [FIRST | {"question": "nothing"}], "reason": "Why not."}
        answer = await house.teach("POST", "/v1/exams/quiz/regrades", json=body)
        assert answer.code == "unknown-question"

    async def test_is_for_those_who_grade_everybody(self, house):
        await two_questions(house)
        regrade = await house.regrade([VOID])
        scoped = {"roles": ["learner"], "claims": {"scopes": ["teacher@cohort:autumn"]}}
        body = {"corrections": [VOID], "reason": "Why not."}
        answers = [
            await house.teach("POST", "/v1/exams/quiz/regrades", json=body, **scoped),
            await house.teach("GET", f"/v1/regrades/{regrade}", **scoped),
            await house.teach("GET", f"/v1/regrades/{regrade}/changes", **scoped),
            await house.teach("POST", f"/v1/regrades/{regrade}/application", **scoped),
        ]
        assert [answer.status for answer in answers] == [404] * 4


class TestApply:
    async def test_takes_no_points_away_by_default(self, house):
        await two_questions(house)
        winner, won = await sat(house, "a")
        loser, lost = await sat(house, "c")
        await correct_first(house)
        found = await house.apply_regrade(await house.regrade([FIRST]))
        assert (found["examined"], found["changed"]) == (2, 1)
        assert await points_of(house, winner, won) == "3"
        assert await points_of(house, loser, lost) == "6"

    async def test_takes_points_away_when_everybody_is_to_be_graded_alike(self, house):
        await two_questions(house)
        loser, lost = await sat(house, "c")
        await correct_first(house)
        await house.apply_regrade(await house.regrade([FIRST], "Replace"))
        assert await points_of(house, loser, lost) == "3"

    async def test_gives_everybody_full_points_for_a_voided_question(self, house):
        await two_questions(house)
        learner, attempt = await sat(house, "b")
        await house.apply_regrade(await house.regrade([VOID]))
        assert await points_of(house, learner, attempt) == "3"
        review = (await house.result(learner, attempt)).body["review"]
        assert sorted(one["basis"] for one in review) == ["key", "voided"]

    async def test_tells_of_each_attempt_that_changed_and_of_the_exam(self, house):
        await two_questions(house)
        _, attempt = await sat(house, "a")
        await sat(house, "c")
        await correct_first(house)
        await house.apply_regrade(await house.regrade([FIRST]))
        again = [one for one in house.events("assessment.exam.graded") if one["run"] > 1]
        assert [one["attempt_id"] for one in again] == [attempt]
        assert [one["changed"] for one in house.events("assessment.exam.regraded")] == [1]

    async def test_folds_mastery_again(self, house):
        await two_questions(house)
        learner, _ = await sat(house, "a")
        path = "/v1/courses/statistics/mastery"
        before = (await house.get(path, by=learner)).body["items"][0]
        await correct_first(house)
        await house.apply_regrade(await house.regrade([FIRST]))
        after = (await house.get(path, by=learner)).body["items"][0]
        assert after["answers"] == before["answers"]
        assert after["probability"] > before["probability"]

    async def test_leaves_attempts_alone_that_had_other_options(self, house):
        await two_questions(house)
        learner, attempt = await sat(house, "a")
        options = [{"key": f"other-{n}", "text": f"Choice {n}"} for n in range(3)]
        other = single("first", options=options, correct=["other-1"])
        await house.pool(spec=pool_spec(other, single("second")), generation=2)
        regrade = await house.regrade([FIRST], "Replace")
        (change,) = (await changes(house, regrade))["items"]
        assert (len(change["unmatched"]), change["counts"]) == (1, False)
        await house.apply_regrade(regrade)
        assert await points_of(house, learner, attempt) == "0"

    async def test_counts_for_attempts_that_are_graded_later(self, house):
        await two_questions(house)
        learner = await house.enrol()
        running = await house.started(learner)
        await correct_first(house)
        await house.apply_regrade(await house.regrade([FIRST]))
        for question in running["questions"]:
            await house.save(learner, running["id"], question["slot"], choose("a")(question))
        await house.submit(learner, running["id"])
        await house.grade(running["id"])
        assert await points_of(house, learner, running["id"]) == "3"

    async def test_keeps_what_people_decided(self, house):
        await two_questions(house)
        learner, attempt = await sat(house, "a")
        await house.override(attempt, 1, "2")
        await house.override(attempt, 2, "2")
        await correct_first(house)
        await house.apply_regrade(await house.regrade([FIRST], "Replace"))
        assert await points_of(house, learner, attempt) == "4"

    async def test_stays_as_it_was_judged_when_a_later_decision_grades_it_again(self, house):
        """Who kept points under the old key keeps them when another answer is set by hand."""
        await two_questions(house, shuffle="Nothing")
        learner, attempt = await sat(house, "c")
        await correct_first(house)
        await house.apply_regrade(await house.regrade([FIRST]))
        await house.override(attempt, 2, "1")
        assert await points_of(house, learner, attempt) == "4"

    async def test_happens_once(self, house):
        await two_questions(house)
        await sat(house, "a")
        await correct_first(house)
        regrade = await house.regrade([FIRST])
        await house.apply_regrade(regrade)
        await house.apply_regrade(regrade)
        assert house.events().count("assessment.exam.regraded") == 1

    async def test_goes_through_many_attempts_in_batches(self, house, monkeypatch):
        monkeypatch.setattr(regrading, "BATCH", 2)
        await two_questions(house)
        for _ in range(5):
            await sat(house, "a")
        await correct_first(house)
        found = await house.apply_regrade(await house.regrade([FIRST]))
        assert (found["examined"], found["changed"]) == (5, 5)


class TestEveryStoredRun:
    async def test_comes_to_the_same_again(self, house):
        """Whatever happened to an attempt, what is stored of each run gives the run's shares."""
        await house.publish_course()
        await house.pool(spec=pool_spec(single("first"), ordering("second"), essay("third")))
        await house.exam(spec=exam_spec(count=3, points=3))
        for answer in (right_answer, wrong_answer):
            # the right choice is wrong once the key is corrected, which makes a third run
            attempt = await house.sit(await house.enrol(), answer)
            ((slot,),) = house.rows(
                "SELECT slot FROM assessment.review WHERE attempt_id = %s", attempt
            )
            await house.claim(attempt, slot)
            await house.decide(attempt, slot, {"argument": "clear", "figure": "none"})
            await house.override(attempt, slot, "1", seen=1)
        spec = pool_spec(corrected("first", "a"), ordering("second"), essay("third"))
        await house.pool(spec=spec, generation=2)
        await house.apply_regrade(await house.regrade([FIRST], "Replace"))
        runs = house.rows(
            "SELECT attempt_id, run, points FROM assessment.grading_run ORDER BY 1, 2"
        )
        assert len(runs) >= 5
        async with house.database.transaction("demo") as tx:
            for attempt_id, run, points in runs:
                again = await replayed(tx, attempt_id, run)
                assert again.points == Fraction(points)
                stored = house.rows(
                    "SELECT slot, share FROM assessment.grading_item"
                    " WHERE attempt_id = %s AND run = %s",
                    attempt_id,
                    run,
                )
                assert {slot: one.share for slot, one in again.marks.items()} == {
                    slot: Fraction(share) for slot, share in stored
                }
