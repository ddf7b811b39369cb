"""The learner's overview, gathered from siblings over real gRPC and kept in a real Redis."""

import asyncio
from uuid import UUID

import pytest

from kourse_rpc.course.v1 import course_pb2 as course
from support.boards import completed, opened, published
from support.houses import LEARNER
from support.waiting import until

OTHER = UUID(int=8)
PATH = "/v1/dashboard"


class TestReadDashboard:
    async def test_is_refused_without_a_token(self, board):
        assert (await board.house.get(PATH, who=None)).status == 401

    async def test_joins_what_the_siblings_tell(self, board, facts):
        due = course.Due(
            course="statistics", assignment="a", title="Report", due_at="2026-12-01T10:00:00+00:00"
        )
        facts.due[LEARNER] = [due]
        shown = await board.see(PATH)

        card = shown["courses"][0]
        assert (card["course"], card["completed"], card["total"]) == ("statistics", 1, 16)
        assert card["nextBecause"] == "It is the next one."
        assert card["mastery"][0]["probability"] == 0.75
        assert shown["due"][0]["title"] == "Report"
        assert shown["points"] == {"points": 60, "level": 2, "unread": 3}
        assert shown["partial"] == []

    async def test_asks_nobody_again_while_nothing_changes(self, board, facts):
        await board.see(PATH)
        asked = facts.asked
        await board.see(PATH)

        assert facts.asked == asked

    async def test_shows_a_completed_lesson_after_its_event(self, board, facts):
        await board.see(PATH)
        facts.completed = 2
        await board.tell(completed())

        assert (await board.see(PATH))["courses"][0]["completed"] == 2

    async def test_keeps_the_view_when_somebody_else_completes_a_lesson(self, board, facts):
        await board.see(PATH)
        asked = facts.asked
        await board.tell(completed(OTHER))
        await board.see(PATH)

        assert facts.asked == asked

    async def test_is_gathered_anew_for_everybody_when_content_is_published(self, board, facts):
        await board.see(PATH)
        asked = facts.asked
        await board.tell(published())
        await board.see(PATH)

        assert facts.asked > asked

    @pytest.mark.parametrize("part", ["progress", "due", "mastery", "scores", "goals", "points"])
    async def test_names_the_part_that_does_not_answer_and_keeps_no_partial_view(
        self, board, facts, part
    ):
        facts.silent = {part}
        partial = await board.see(PATH)
        facts.silent = set()
        whole = await board.see(PATH)

        assert partial["partial"] == [part]
        assert whole["partial"] == []

    async def test_is_gathered_once_for_all_who_ask_at_a_time(self, board, facts):
        facts.hold = asyncio.Event()
        first = asyncio.create_task(board.see(PATH))
        await until(lambda: facts.asked == 6)
        others = [asyncio.create_task(board.see(PATH)) for _ in range(5)]
        making = board.runtime.extras["views"]._making
        await until(lambda: len(making) == 1)
        facts.hold.set()
        shown = await asyncio.gather(first, *others)

        assert facts.asked == 6
        assert all(one == shown[0] for one in shown)

    async def test_never_shows_one_learners_view_to_another(self, board):
        await board.see(PATH)

        assert (await board.see(PATH, who=OTHER))["courses"] == []

    async def test_never_crosses_tenants(self, board):
        await board.see(PATH)

        assert (await board.see(PATH, tenant="other"))["courses"] == []

    async def test_goes_on_without_a_cache(self, facts, scratch, servers):
        async with opened(facts, scratch, servers, cache_url="redis://127.0.0.1:1") as board:
            shown = await board.see(PATH)

        assert shown["courses"][0]["completed"] == 1
