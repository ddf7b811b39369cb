"""Who is at risk: judged when events tell of something, and by the clock."""

from datetime import UTC, datetime, timedelta

import pytest

from kourse.contracts import events
from kourse.contracts.errors import Unavailable
from kourse_rpc.course.v1 import course_pb2 as course
from support.boards import (
    COURSE_ID,
    completed,
    enrolled,
    expired,
    mastered,
    published,
    scored,
    whose,
)
from support.houses import LEARNER

COURSE = "/v1/dashboard/courses/statistics"
LONG_AGO = datetime.now(UTC) - timedelta(days=8)


@pytest.fixture
def told(scratch):
    """What was told of risks: type and reasons."""

    def found():
        with scratch.admin() as connection:
            rows = connection.execute(
                "SELECT type, payload -> 'reasons', payload ->> 'cohort' FROM dashboard.outbox"
                " WHERE stream = 'risk' ORDER BY id"
            ).fetchall()
        return [tuple(row) for row in rows]

    return found


async def risks(board):
    row = (await board.teach(COURSE))["items"][0]
    return [one["reason"] for one in row["risks"]]


class TestInactive:
    async def test_is_told_with_the_cohort_and_shown_with_a_reason(self, board, told):
        await board.tell(published(), enrolled(cohort="lisbon"), at=LONG_AGO)
        await board.judge()

        assert told() == [("dashboard.risk.raised", ["inactive"], "lisbon")]
        row = (await board.teach(COURSE))["items"][0]
        assert row["risks"][0]["because"] == f"Nothing done since {LONG_AGO:%Y-%m-%d}."
        assert row["atRiskSince"] is not None

    async def test_is_cleared_by_a_lesson(self, board, told):
        await board.tell(published(), enrolled(), at=LONG_AGO)
        await board.judge()
        await board.tell(completed())
        await board.judge()

        assert [type_ for type_, *_ in told()] == [
            "dashboard.risk.raised",
            "dashboard.risk.cleared",
        ]
        assert await risks(board) == []

    async def test_is_not_told_twice(self, board, told):
        await board.tell(published(), enrolled(), at=LONG_AGO)
        await board.judge()
        await board.tell(published())
        assert await board.judge() == 1

        assert len(told()) == 1

    async def test_is_nobody_who_left(self, board, told):
        await board.tell(published(), enrolled(), at=LONG_AGO)
        await board.judge()
        await board.tell(events.EnrolmentSuspended(**whose(LEARNER)))
        await board.judge()

        assert told()[-1][0] == "dashboard.risk.cleared"

    async def test_is_nobody_who_completed_the_course(self, board, told):
        await board.tell(published(), enrolled(), at=LONG_AGO)
        await board.tell(events.EnrolmentCompleted(**whose(LEARNER)))
        await board.judge()

        assert told() == []


class TestMasteryBeforeDue:
    async def test_follows_from_mastery_and_what_course_says_is_due(self, board, facts):
        at = datetime.now(UTC) + timedelta(days=3)
        facts.due[LEARNER] = [course.Due(title="Report", due_at=at.isoformat())]
        await board.tell(published(), enrolled(), mastered(centre=0.5, spread=0.6))
        await board.judge()

        assert await risks(board) == ["mastery-before-due"]

    async def test_follows_the_policy_of_the_course(self, board, facts):
        at = datetime.now(UTC) + timedelta(days=3)
        facts.due[LEARNER] = [course.Due(title="Report", due_at=at.isoformat())]
        facts.at_risk.mastery_below = 50
        await board.tell(published(), enrolled(), mastered(centre=0.5, spread=0.6))
        await board.judge()

        assert await risks(board) == []


class TestScoresFall:
    async def test_compares_the_last_three_with_the_three_before(self, board):
        await board.tell(published(), enrolled())
        start = datetime.now(UTC) - timedelta(days=1)
        for number, percent in enumerate([80, 80, 80, 60, 60, 60]):
            await board.tell(scored(percent), at=start + timedelta(minutes=number))
        await board.judge()

        assert await risks(board) == ["scores-fall"]


class TestMissed:
    async def test_applies_to_two(self, board):
        await board.tell(published(), enrolled(), expired(assignment=1), expired(assignment=2))
        await board.judge()

        assert await risks(board) == ["missed"]

    async def test_does_not_count_what_was_reopened(self, board):
        await board.tell(published(), enrolled(), expired(assignment=1), expired(assignment=2))
        await board.judge()
        reopened = expired(assignment=2)
        await board.tell(
            events.AssignmentExtended(
                **whose(LEARNER),
                assignment_id=reopened.assignment_id,
                assignment="report",
                due_at=datetime.now(UTC),
                actor_id=LEARNER,
            )
        )
        await board.judge()

        assert await risks(board) == []


class TestSweep:
    async def test_is_only_postponed_while_course_does_not_answer(self, board, facts, told):
        await board.tell(published(), enrolled(), at=LONG_AGO)
        facts.silent = {"due"}
        with pytest.raises(Unavailable):
            await board.judge()
        facts.silent = set()
        await board.judge()

        assert len(told()) == 1

    async def test_looks_again_within_a_day(self, board, scratch):
        await board.tell(published(), enrolled())
        await board.judge()

        with scratch.admin() as connection:
            row = connection.execute(
                "SELECT look_at <= now() + interval '1 day' AND look_at > now() FROM dashboard.study"
            ).fetchone()
        assert row[0]

    async def test_leaves_a_course_alone_that_is_not_there(self, board):
        gone = enrolled().model_copy(update={"course": "nowhere", "course_id": COURSE_ID})
        await board.tell(gone)

        assert await board.judge() == 1
        assert await board.judge() == 0
