"""Programs that learners hand in: run by a real runner, graded by tests, whoever is lost on the way."""

import asyncio
import json
import signal
from contextlib import asynccontextmanager, suppress
from itertools import cycle
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from kourse.assessment.repository import judging as orders
from kourse.assessment.service.judge import Judge
from kourse.assessment.service.judging import MOST_FAILURES, Judging
from kourse.kit import faults
from support.exams import doubling, essay, exam_spec, pool_spec, right_answer, single
from support.replaying import replayed
from support.runner import begin, end, running_runner
from support.serving import serving
from support.waiting import LONG_S, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEGATED = "print(abs(int(input())) * 2)"
"""Passes the tests of weight 1 and 2, not that of weight 3."""
NOWHERE = "http://127.0.0.1:9"
POSTPONED = (
    "SELECT due_at > queued_at + interval '1 second' AND due_at < clock_timestamp() + interval '3 seconds'"
    " FROM assessment.judging"
)
WAITING = "SELECT count(*) FROM assessment.judging WHERE judged_at IS NULL"


@pytest.fixture(scope="module")
def judge_url():
    with running_runner() as address:
        yield address


@asynccontextmanager
async def judging(house, url):
    """Programs are brought before the judge at this address, for as long as the block runs."""
    judge = Judge(url)
    runtime = house.process.runtime
    task = asyncio.create_task(Judging(house.database, runtime.worker_database, judge).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def balancing(urls):
    """An address behind which connections go to these in turn, as those of a Service do."""
    ends = cycle(urlsplit(url).port for url in urls)

    async def take(reader, writer):
        there = await asyncio.open_connection("127.0.0.1", next(ends))
        await asyncio.gather(pour(reader, there[1]), pour(there[0], writer))

    async def pour(reader, writer):
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def judged(house, url):
    """Returns when no program waits any more."""
    async with judging(house, url):
        await until(lambda: house.rows(WAITING) == [(0,)])


async def asked(house, *questions, points=6, **changes):
    """A learner before an exam of these questions."""
    await house.publish_course()
    await house.pool(spec=pool_spec(*questions))
    await house.exam(spec=exam_spec(count=len(questions), points=points, **changes))
    return await house.enrol()


def program(source):
    def answer(question):
        return {"source": source} if question["type"] == "Code" else right_answer(question)

    return answer


def state(house, attempt):
    ((found,),) = house.rows("SELECT state FROM assessment.attempt WHERE id = %s", attempt)
    return found


async def review(house, learner, attempt, slot=0):
    return (await house.result(learner, attempt)).body["review"][slot]


class TestQuestion:
    async def test_shows_what_is_asked_and_of_hidden_tests_only_their_number(self, house):
        learner = await asked(house, doubling("double"))
        attempt = await house.started(learner)
        (question,) = attempt["questions"]
        code = question["code"]
        assert (code["language"], code["hiddenTests"]) == ("Python", 2)
        assert [one["stdin"] for one in code["tests"]] == ["2"]
        assert "canary" not in json.dumps(attempt)
        assert "31337" not in json.dumps(attempt)

    @pytest.mark.parametrize("source", ["", "x" * 65_537])
    async def test_takes_only_what_can_be_a_program(self, house, source):
        learner = await asked(house, doubling("double"))
        attempt = await house.started(learner)
        answer = await house.save(learner, attempt["id"], 1, {"source": source})
        assert answer.code == "invalid-answer"


class TestGrading:
    @pytest.mark.parametrize("language", ["Python", "JavaScript", "Java"])
    async def test_gives_full_points_for_a_program_that_passes_every_test(
        self, house, judge_url, language
    ):
        learner = await asked(house, doubling("double", language))
        attempt = await house.sit(learner, right_answer)
        assert state(house, attempt) == "SUBMITTED"
        await judged(house, judge_url)
        shown = await review(house, learner, attempt)
        assert (shown["earned"], shown["correct"]) == ("6", True)
        assert {one["outcome"] for one in shown["tests"]} == {"passed"}

    async def test_gives_the_weights_of_the_tests_passed(self, house, judge_url):
        learner = await asked(house, doubling("double"))
        attempt = await house.sit(learner, program(NEGATED))
        await judged(house, judge_url)
        shown = await review(house, learner, attempt)
        assert (shown["earned"], shown["correct"]) == ("3", False)
        outcomes = [one["outcome"] for one in shown["tests"]]
        assert outcomes == ["passed", "passed", "wrong-output"]

    async def test_gives_all_or_nothing_without_partial_credit(self, house, judge_url):
        learner = await asked(house, doubling("double", partialCredit="None"))
        attempt = await house.sit(learner, program(NEGATED))
        await judged(house, judge_url)
        assert (await review(house, learner, attempt))["earned"] == "0"

    @pytest.mark.parametrize(
        ("source", "outcome"),
        [
            ("while True: pass", "too-slow"),
            ("print(", "not-compiled"),
            ("raise SystemExit(3)", "crashed"),
        ],
    )
    async def test_tells_how_a_program_failed(self, house, judge_url, source, outcome):
        learner = await asked(house, doubling("double"))
        attempt = await house.sit(learner, program(source))
        await judged(house, judge_url)
        shown = await review(house, learner, attempt)
        assert {one["outcome"] for one in shown["tests"]} == {outcome}

    async def test_never_tells_what_a_hidden_test_reads_even_to_a_program_that_prints_it(
        self, house, judge_url
    ):
        learner = await asked(house, doubling("double"))
        betray = "import sys\ntext = input()\nprint(text)\nprint(text, file=sys.stderr)\nraise SystemExit(1)"
        attempt = await house.sit(learner, program(betray))
        await judged(house, judge_url)
        shown = await review(house, learner, attempt)
        assert shown["tests"][0]["output"] == "2\n"
        assert "31337" not in json.dumps(shown)

    async def test_comes_before_people_are_asked(self, house, judge_url):
        learner = await asked(house, doubling("double"), essay("why"))
        attempt = await house.sit(learner, right_answer)
        queue = "SELECT count(*) FROM assessment.review"
        assert (state(house, attempt), house.rows(queue)) == ("SUBMITTED", [(0,)])
        await judged(house, judge_url)
        assert (state(house, attempt), house.rows(queue)) == ("UNDER_REVIEW", [(1,)])

    async def test_needs_no_judge_without_an_answer(self, house):
        learner = await asked(house, doubling("double"))
        attempt = await house.sit(learner, lambda _: None)
        assert state(house, attempt) == "GRADED"

    async def test_comes_to_the_same_when_it_is_done_again(self, house, judge_url):
        learner = await asked(house, doubling("double"), single("first"))
        attempt = await house.sit(learner, program(NEGATED))
        await judged(house, judge_url)
        async with house.database.transaction("demo") as tx:
            again = await replayed(tx, UUID(attempt), 1)
        assert str(again.points) == (await house.result(learner, attempt)).body["score"]["points"]


class TestJudge:
    async def test_that_is_away_is_waited_for(self, house, judge_url):
        learner = await asked(house, doubling("double"))
        attempt = await house.sit(learner, right_answer)
        async with judging(house, NOWHERE):
            await until(lambda: house.rows(POSTPONED) == [(True,)])
        house.run("UPDATE assessment.judging SET due_at = clock_timestamp()")
        assert state(house, attempt) == "SUBMITTED"
        await judged(house, judge_url)
        assert (await review(house, learner, attempt))["earned"] == "6"

    async def test_may_be_several_behind_one_address(self, house):
        learner = await asked(house, doubling("double"))
        attempt = await house.sit(learner, right_answer)
        with running_runner() as one, running_runner() as other:
            async with balancing([one, other]) as url:
                await judged(house, url)
        assert (await review(house, learner, attempt))["earned"] == "6"

    async def test_that_was_killed_with_programs_in_hand_gets_them_again(self, house, judge_url):
        learner = await asked(house, doubling("double"))
        slow = "import time\nn = int(input())\nend = time.time() + 1\nwhile time.time() < end: pass\nprint(n * 2)"
        attempt = await house.sit(learner, program(slow))
        process, address = await asyncio.to_thread(begin)
        async with judging(house, address):
            taken = (
                "SELECT due_at > clock_timestamp() + interval '30 seconds' FROM assessment.judging"
            )
            await until(lambda: house.rows(taken) == [(True,)])
            await asyncio.to_thread(end, process, signal.SIGKILL)
            await until(lambda: house.rows(taken) == [(False,)])
        await judged(house, judge_url)
        assert (await review(house, learner, attempt))["earned"] == "6"

    async def test_that_fails_again_and_again_leaves_the_program_to_people(self, house):
        async def app(scope, _receive, send):
            tokens = [{"token": "a"}] * 3
            status = {"status": {"id": 13, "description": "Internal Error"}}
            is_post = scope["method"] == "POST"
            body = json.dumps(tokens if is_post else {"submissions": [status] * 3}).encode()
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

        learner = await asked(house, doubling("double"))
        attempt = await house.sit(learner, right_answer)
        async with serving(app) as url, judging(house, url):
            for failures in range(1, MOST_FAILURES):
                found = f"SELECT failures >= {failures} FROM assessment.judging"
                await until(lambda found=found: house.rows(found) == [(True,)])
                house.run("UPDATE assessment.judging SET due_at = clock_timestamp()")
            await until(lambda: state(house, attempt) == "UNDER_REVIEW")
        sheet = (await house.teach("GET", f"/v1/attempts/{attempt}/reviews/1")).body
        assert "failed" in sheet["problem"]
        assert (await house.override(attempt, 1, "4")).status == 200
        assert (await review(house, learner, attempt))["earned"] == "4"

    @pytest.mark.parametrize("point", ["judging.claimed", "judging.judged"])
    async def test_is_asked_again_for_what_a_lost_process_had_in_hand(
        self, house, judge_url, point
    ):
        learner = await asked(house, doubling("double"))
        attempt = await house.sit(learner, right_answer)
        lost = asyncio.Event()

        async def hang():
            lost.set()
            await asyncio.Event().wait()

        async with judging(house, judge_url):
            faults.arm(point, hang)
            try:
                await asyncio.wait_for(lost.wait(), LONG_S)
            finally:
                faults.disarm()
        assert state(house, attempt) == "SUBMITTED"
        house.run("UPDATE assessment.judging SET due_at = clock_timestamp()")  # its lease is over
        await judged(house, judge_url)
        assert house.events().count("assessment.exam.graded") == 1
        assert (await review(house, learner, attempt))["earned"] == "6"

    async def test_of_two_processes_takes_each_program_once(self, house, judge_url):
        learner = await asked(house, *(doubling(f"double-{n}") for n in range(6)))
        attempt = await house.sit(learner, right_answer)
        async with judging(house, judge_url), judging(house, judge_url):
            await until(lambda: state(house, attempt) == "GRADED")
        assert house.events().count("assessment.exam.graded") == 1

    async def test_says_nothing_twice(self, house, judge_url):
        learner = await asked(house, doubling("double"))
        attempt = await house.sit(learner, right_answer)
        async with house.process.runtime.worker_database.transaction(None) as tx:
            count, _ = await orders.backlog(tx)
        await house.sweep()
        await house.grade(attempt)
        assert (count, house.rows(WAITING)) == (1, [(1,)])
        await judged(house, judge_url)


class TestRegrading:
    async def test_has_programs_judged_by_the_corrected_tests_first(self, house, judge_url):
        learner = await asked(house, doubling("double"))
        attempt = await house.sit(learner, program(NEGATED))
        await judged(house, judge_url)
        mended = doubling("double")
        mended["code"]["tests"][2] |= {"stdin": "7", "expected": "14"}
        await house.pool(spec=pool_spec(mended), generation=2)
        regrade = await house.regrade([{"pool": "basics", "question": "double"}])
        path = f"/v1/regrades/{regrade}/changes"
        (change,) = (await house.teach("GET", path)).body["items"]
        assert (change["judging"], change["after"]) == ([1], "3")
        await judged(house, judge_url)
        (change,) = (await house.teach("GET", path)).body["items"]
        assert (change["judging"], change["before"], change["after"]) == ([], "3", "6")
        await house.apply_regrade(regrade)
        assert (await review(house, learner, attempt))["earned"] == "6"

    async def test_waits_for_the_judge_when_it_is_applied(self, house, judge_url):
        learner = await asked(house, doubling("double"))
        attempt = await house.sit(learner, program(NEGATED))
        await judged(house, judge_url)
        mended = doubling("double")
        mended["code"]["tests"][2] |= {"stdin": "7", "expected": "14"}
        await house.pool(spec=pool_spec(mended), generation=2)
        regrade = await house.regrade([{"pool": "basics", "question": "double"}])
        await house.teach("POST", f"/v1/regrades/{regrade}/application")
        await house.sweep()
        found = (await house.teach("GET", f"/v1/regrades/{regrade}")).body
        assert (found["state"], found["examined"]) == ("APPLYING", 0)
        await judged(house, judge_url)
        await house.sweep()
        assert (await review(house, learner, attempt))["earned"] == "6"


class TestPractice:
    async def check(self, house, learner, source):
        path = "/v1/courses/statistics/lessons/tables/practice"
        (question,) = (await house.get(path, by=learner)).body["items"]
        assert "31337" not in json.dumps(question)
        body = {"seed": question["seed"], "answer": {"source": source}}
        path = "/v1/practice/basics/double/answers"
        return await house.call("POST", path, by=learner, json=body)

    async def test_runs_the_program_at_once_and_moves_mastery(self, house):
        learner = await asked(house, doubling("double"))
        checked = (await self.check(house, learner, NEGATED)).body
        assert "tests" in checked, checked
        assert (checked["correct"], checked["share"]) == (False, "0.5")
        assert [one["outcome"] for one in checked["tests"]] == ["passed", "passed", "wrong-output"]
        assert checked["mastery"][0]["answers"] == 1

    async def test_calls_a_program_that_does_not_end_too_slow(self, house):
        learner = await asked(house, doubling("double"))
        checked = (await self.check(house, learner, "while True: pass")).body
        assert "tests" in checked, checked
        assert {one["outcome"] for one in checked["tests"]} == {"too-slow"}

    async def test_is_refused_while_the_judge_is_away(self, house):
        learner = await asked(house, doubling("double"))
        extras = house.process.runtime.extras
        there, extras["judge"] = extras["judge"], Judge(NOWHERE)
        try:
            answer = await self.check(house, learner, NEGATED)
        finally:
            extras["judge"] = there
        assert (answer.status, answer.code) == (503, "unavailable")
        assert house.rows("SELECT count(*) FROM assessment.answer_log") == [(0,)]
