"""A process that is lost while it ends or grades an attempt: all of it happened once, or nothing did."""

import asyncio
import signal

import pytest

from support.examining_process import examine
from support.exams import right_answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

KILLED = -signal.SIGKILL
KEPT = {
    "runs": "SELECT count(*) FROM assessment.grading_run",
    "marks": "SELECT count(*) FROM assessment.grading_item",
    "scores": "SELECT count(*) FROM assessment.score WHERE released_at IS NOT NULL",
    "log": "SELECT count(*) FROM assessment.answer_log",
}


@pytest.fixture
def elsewhere(house, scratch):
    """Does something to an attempt in another process, which may be killed at a point."""

    async def act(deed, learner, attempt, point=None):
        arguments = (deed, scratch.url("kourse_assessment"), "demo", learner, attempt)
        faults = f"{point}=kill" if point else ""
        return await asyncio.to_thread(examine, *arguments, faults=faults)

    return act


async def answered(house):
    """A learner and an attempt with an answer to each of its questions."""
    learner = await house.quiz()
    attempt = await house.started(learner)
    for question in attempt["questions"]:
        await house.save(learner, attempt["id"], question["slot"], right_answer(question))
    return learner, attempt["id"]


def state(house, attempt):
    ((found,),) = house.rows("SELECT state FROM assessment.attempt WHERE id = %s", attempt)
    return found


def kept(house):
    return {name: house.rows(query)[0][0] for name, query in KEPT.items()}


class TestSubmission:
    @pytest.mark.parametrize("point", ["attempt.ended", "attempt.sealed"])
    async def test_that_was_killed_never_happened_and_happens_once_when_repeated(
        self, house, elsewhere, point
    ):
        learner, attempt = await answered(house)
        assert await elsewhere("submit", learner, attempt, point) == KILLED
        assert state(house, attempt) == "IN_PROGRESS"
        assert "assessment.attempt.submitted" not in house.events()
        for _ in range(2):  # the second is a client that did not hear the answer to the first
            assert await elsewhere("submit", learner, attempt) == 0
        assert state(house, attempt) == "SUBMITTED"
        assert house.events().count("assessment.attempt.submitted") == 1


class TestGrading:
    @pytest.mark.parametrize("point", ["attempt.judged", "attempt.scored", "attempt.released"])
    async def test_that_was_killed_never_happened_and_happens_once_when_repeated(
        self, house, elsewhere, point
    ):
        learner, attempt = await answered(house)
        await house.submit(learner, attempt)
        assert await elsewhere("grade", learner, attempt, point) == KILLED
        assert state(house, attempt) == "SUBMITTED"
        assert set(kept(house).values()) == {0}
        assert "assessment.exam.graded" not in house.events()
        for _ in range(2):  # the second is a message that was delivered again
            assert await elsewhere("grade", learner, attempt) == 0
        assert kept(house) == {"runs": 1, "marks": 6, "scores": 1, "log": 6}
        told = house.events()
        assert told.count("assessment.exam.graded") == 1
        assert told.count("assessment.score.released") == 1
        score = (await house.result(learner, attempt)).body["score"]
        assert score["points"] == score["maxPoints"]
