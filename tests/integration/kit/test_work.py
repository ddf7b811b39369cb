"""Plain work queues: at least once, in parallel, with dead letters for what never succeeds."""

import asyncio
import json
from uuid import uuid4

import pytest

from kourse.contracts import names
from kourse.contracts.errors import Unavailable
from kourse.kit.bus import Binding, Broker, Exchange, Queue, declare_topology
from kourse.kit.delivery import PREFIX
from kourse.kit.work import Work, WorkQueue
from support.events import running
from support.waiting import until

QUEUE = names.GRADING_QUEUES[0]


@pytest.fixture
async def broker(broker_url):
    broker = Broker(broker_url)
    await declare_topology(broker)
    yield broker
    await broker.close()


@pytest.fixture
async def exam(broker):
    """The id of an exam whose attempts go to the graders' queue, as the operator binds it."""
    exam_id = str(uuid4())
    match = {"x-match": "all", "exam": exam_id}
    binding = Binding(names.GRADING_EXCHANGE, QUEUE, exam_id, arguments=match)
    await broker.declare([binding])
    yield exam_id
    await broker.remove([binding])


async def submit(broker, exam_id):
    """Publishes a submitted attempt as the relay does; the attempt's id."""
    attempt = str(uuid4())
    attributes = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "type": "assessment.attempt.submitted",
        "source": "/kourse/assessment",
        "subject": attempt,
        "time": "2026-01-01T00:00:00Z",
        "tenant": "demo",
        "stream": "attempt",
        "sequence": 1,
        "sequencestart": "2026-01-01T00:00:00Z",
        "dataschema": "https://kourse.dev/schemas/assessment.attempt.submitted/1",
    }
    headers = {PREFIX + name: value for name, value in attributes.items()} | {"exam": exam_id}
    payload = {
        "attempt_id": attempt,
        "exam_id": exam_id,
        "exam": "final",
        "course_id": str(uuid4()),
        "course": "statistics",
        "learner_id": str(uuid4()),
    }
    key = "assessment.attempt.submitted.demo.statistics.-.p00"
    body = json.dumps(payload).encode()
    await broker.publish(names.EVENTS_EXCHANGE, key, body, headers=headers)
    return attempt


class Grader:
    """Remembers the attempts it got; ``failing`` may raise."""

    def __init__(self):
        self.graded = []
        self.failing = lambda: None

    async def __call__(self, runtime, event, delivery):
        assert runtime == "the runtime"
        assert delivery.entity == str(event.attempt_id)
        self.failing()
        self.graded.append(str(event.attempt_id))


@pytest.fixture
def grader():
    return Grader()


@pytest.fixture
def queue(broker, grader):
    return WorkQueue(broker, Work(QUEUE, grader), "the runtime")


class TestWorkQueue:
    async def test_gets_the_attempts_of_a_bound_exam_only(self, broker, exam, queue, grader):
        async with running(queue):
            await submit(broker, str(uuid4()))
            bound = [await submit(broker, exam) for _ in range(20)]
            await until(lambda: sorted(grader.graded) == sorted(bound))

    async def test_tries_again_while_a_back_end_is_down(self, broker, exam, queue, grader):
        failures = []

        def fail():
            if len(failures) < 3:
                failures.append(1)
                raise Unavailable

        grader.failing = fail
        async with running(queue):
            attempt = await submit(broker, exam)
            await until(lambda: grader.graded == [attempt])

    async def test_sends_what_never_succeeds_to_the_dead_letters(self, broker, exam, queue, grader):
        def fail():
            raise ZeroDivisionError

        grader.failing = fail
        dead = names.dead_letter_queue(QUEUE)
        async with running(queue):
            await submit(broker, exam)
            await until(lambda: purged(broker, dead))

    async def test_gives_back_what_it_could_not_finish_before_a_stop(
        self, broker, exam, queue, grader
    ):
        tried = asyncio.Event()

        def fail():
            tried.set()
            raise Unavailable

        grader.failing = fail
        async with running(queue):
            attempt = await submit(broker, exam)
            await tried.wait()
        grader.failing = lambda: None
        async with running(WorkQueue(broker, Work(QUEUE, grader), "the runtime")):
            await until(lambda: grader.graded == [attempt])

    async def test_hands_a_message_out_again_when_it_fails_after_the_work(
        self, broker, exam, grader, queue, no_faults
    ):
        failed = []

        async def fail():
            no_faults.disarm()
            failed.append("work.handled")
            raise Unavailable("killed by a test")

        no_faults.arm("work.handled", fail)
        async with running(queue):
            attempt = await submit(broker, exam)
            await until(lambda: len(grader.graded) == 2)
        assert failed == ["work.handled"]
        assert grader.graded == [attempt, attempt]


async def purged(broker, queue):
    async with broker.open() as wire:
        return (await wire.queue_purge(queue)).message_count == 1


class TestBroker:
    async def test_leaves_a_queue_with_other_arguments_as_it_is_and_says_so(self, broker):
        odd = Queue(f"odd-{uuid4().hex}", {"x-queue-type": "quorum"})
        other = Queue(odd.name, {"x-queue-type": "quorum", "x-max-length": 5})
        after = Exchange(f"after-{uuid4().hex}", "topic")
        assert await broker.declare([odd]) == []
        (mismatch,) = await broker.declare([other, after])
        assert odd.name in mismatch
        assert await broker.declare([odd, after]) == []
        await broker.remove([odd, after])

    async def test_removes_what_is_not_there(self, broker):
        name = uuid4().hex
        await broker.remove(
            [Binding(name, name, "key"), Binding(name, name, "key", to="exchange"), Queue(name)]
        )

    async def test_is_unavailable_where_nobody_listens(self):
        broker = Broker("amqp://nobody@127.0.0.1:1/")
        with pytest.raises(Unavailable):
            await broker.ping()
        await broker.close()
