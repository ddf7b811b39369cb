"""What the management API is asked of bindings that many objects share."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from kourse.contracts import names
from kourse_operator.actuators.management import Management
from kourse_operator.plans.steps import Binding

(QUEUE,) = names.GRADING_QUEUES


def to_graders(exam):
    return Binding(names.GRADING_EXCHANGE, QUEUE, arguments={"x-match": "all", "exam": exam})


class Api:
    """Lists what it is told to, as RabbitMQ does.

    Attributes:
        asked: How often it was asked.
        listed: The bindings that are there, or None while it does not answer well.
    """

    def __init__(self):
        self.asked = 0
        self.listed = []

    async def answer(self, _):
        self.asked += 1
        if self.listed is None:
            return web.json_response({"error": "down"}, status=503)
        found = [
            {"source": one.source, "routing_key": one.key, "arguments": one.arguments}
            for one in self.listed
        ]
        return web.json_response(found)


@pytest.fixture
def api():
    return Api()


@pytest.fixture
async def management(api):
    app = web.Application()
    app.router.add_get("/{path:.*}", api.answer)
    async with TestServer(app) as server:
        made = Management(f"http://guest:guest@127.0.0.1:{server.port}", vhost="/")
        yield made
        await made.close()


class TestGraders:
    async def test_bindings_of_all_exams_are_listed_once(self, api, management):
        exams = [to_graders(str(number)) for number in range(40)]
        api.listed = exams
        found = await asyncio.gather(*(management.lacks([exam]) for exam in exams))
        assert found == [[]] * 40
        assert api.asked == 1

    async def test_binding_that_a_former_list_lacks_is_asked_for(self, api, management):
        assert await management.lacks([to_graders("a")]) == [to_graders("a")]
        api.listed = [to_graders("a")]
        assert await management.lacks([to_graders("a")]) == []
        assert api.asked == 2

    async def test_silence_is_not_waited_for_by_one_after_the_other(self, api, management):
        api.listed = None
        found = await asyncio.gather(*(management.lacks([to_graders(str(n))]) for n in range(40)))
        assert found == [[]] * 40
        assert api.asked == 2, "the one under way, and one for all who came meanwhile"


class TestFeeds:
    async def test_bindings_are_asked_for_each_time(self, api, management):
        feed = Binding(names.EVENTS_EXCHANGE, "kourse.course.demo.a", "exchange", "a.#")
        api.listed = [feed]
        assert await management.lacks([feed]) == []
        api.listed = []
        assert await management.lacks([feed]) == [feed]
