"""Live updates: which views a stream says are to be read again, and to whom."""

from contextlib import asynccontextmanager
from uuid import UUID

from support.boards import completed, enrolled, mastered, published
from support.event_stream import event_stream
from support.houses import LEARNER

OTHER = UUID(int=8)


@asynccontextmanager
async def listening(board, query="", who=LEARNER, **claims):
    """An open stream from which nothing is missed any more."""
    token = board.house.issuer.token(sub=str(who), **claims)
    url = f"http://127.0.0.1:{board.house.process.http_port}"
    async with event_stream(url, token, path=f"/v1/dashboard/stream{query}") as stream:
        await stream.beat()
        yield stream


class TestStream:
    async def test_tells_a_learner_of_their_own_overview(self, board):
        await board.tell(enrolled())
        async with listening(board) as stream:
            await board.tell(completed())
            event = await stream.next()

        assert (event.type, event.data) == ("changed", {"views": ["overview"]})

    async def test_tells_nothing_of_others(self, board):
        async with listening(board) as stream:
            await board.tell(completed(OTHER))
            await board.tell(completed(LEARNER))
            await stream.next()
            board.runtime.health.draining.set()
            rest = await stream.rest()

        assert [event.data for event in rest] == [{"reason": "stopping"}]

    async def test_tells_a_teacher_of_course_and_cohort(self, board):
        await board.tell(published(), enrolled(OTHER, "lisbon"))
        query = "?course=statistics&cohort=lisbon"
        async with listening(board, query, roles=["teacher"]) as stream:
            await board.tell(mastered(OTHER, centre=0.5))
            event = await stream.next()

        assert set(event.data["views"]) == {"course", "cohort"}

    async def test_is_refused_for_a_cohort_of_another_teacher(self, board):
        answer = await board.house.get(
            "/v1/dashboard/stream?cohort=porto", scopes=["teacher@cohort:lisbon"]
        )

        assert answer.status == 404
