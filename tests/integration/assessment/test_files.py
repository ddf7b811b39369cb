"""Files as answers: announced, sent, confirmed, named, graded, and gone when nothing needs them."""

import asyncio
import dataclasses
import hashlib
from datetime import timedelta

import aiohttp
import pytest
import pytest_asyncio

from kourse.assessment.service import collecting
from kourse.assessment.tables import ERASURE, metadata
from kourse.contracts import names
from kourse.kit import faults
from kourse.kit.erasure import erase
from kourse.kit.ids import new_id
from support.exams import exam_spec, pool_spec, right_answer, single, upload

pytestmark = pytest.mark.asyncio(loop_scope="module")

REPORT = b"%PDF a report of the delays"
BEST = {"argument": "clear", "figure": "named"}
AT_ONCE = timedelta(seconds=-60)
"""A grace that has passed for everything that is there."""


@dataclasses.dataclass
class Sitting:
    """A learner before a choice and a question for files."""

    house: object
    learner: object
    attempt: str
    slot: int = 2

    @property
    def path(self):
        return f"/v1/attempts/{self.attempt}/answers/{self.slot}/files"

    async def announce(self, data=REPORT, *, name="report.pdf", by=None, **changes):
        body = {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        by = by or self.learner
        return await self.house.call("POST", self.path, by=by, json={**body, **changes})

    async def confirm(self, file_id, by=None):
        path = f"{self.path}/{file_id}/stored"
        return await self.house.call("POST", path, by=by or self.learner)

    async def withdraw(self, file_id):
        return await self.house.call("DELETE", f"{self.path}/{file_id}", by=self.learner)

    async def bring(self, data=REPORT, **how):
        """The id of a file that is announced, sent and confirmed."""
        offer = await self.announce(data, **how)
        assert offer.status == 201, offer.body
        assert await send(offer.body, data) == 200
        confirmed = await self.confirm(offer.body["id"])
        assert confirmed.status == 200, confirmed.body
        return offer.body["id"]

    async def name(self, *ids, seq=1, **more):
        answer = {"files": [{"id": id_, **more} for id_ in ids]}
        return await self.house.save(self.learner, self.attempt, self.slot, answer, seq)

    async def end(self):
        assert (await self.house.submit(self.learner, self.attempt)).status == 200
        await self.house.grade(self.attempt)

    async def listed(self, by=None):
        return await self.house.get(self.path, by=by or self.learner)

    async def for_grader(self, **how):
        return await self.house.teach(
            "GET", f"/v1/attempts/{self.attempt}/reviews/{self.slot}/files", **how
        )


async def send(offer, data):
    """The store's status."""
    async with (
        aiohttp.ClientSession() as session,
        session.put(offer["url"], data=data, headers=offer["headers"]) as answer,
    ):
        return answer.status


async def download(url):
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.read()


@pytest_asyncio.fixture(loop_scope="module")
async def bucket(house):
    runtime = house.process.runtime
    name = names.bucket(runtime.settings.bucket_prefix, "demo", "statistics")
    yield name
    await runtime.buckets.delete_bucket(name)


@pytest_asyncio.fixture(loop_scope="module")
async def sitting(house, bucket):
    await house.publish_course()
    await house.pool(spec=pool_spec(single("choice"), upload("file")))
    await house.exam(spec=exam_spec(count=2, points=4, shuffle="Nothing"))
    learner = await house.enrol()
    return Sitting(house, learner, (await house.started(learner))["id"])


async def keys(house, bucket):
    return {one.key for one in await house.process.runtime.store.list(bucket)}


class TestQuestion:
    async def test_says_which_files_it_takes_and_nothing_of_its_rubric(self, house, sitting):
        shown = (await house.get(f"/v1/attempts/{sitting.attempt}", by=sitting.learner)).body
        assert shown["questions"][1]["file"] == {
            "extensions": ["pdf", "csv"],
            "maxSizeMib": 1,
            "maxFiles": 2,
        }
        assert "canary" not in str(shown["questions"][1]).lower()


class TestAnswer:
    async def test_names_exactly_the_version_that_was_confirmed(self, house, sitting):
        file_id = await sitting.bring()
        assert (await sitting.name(file_id)).status == 200
        ((body,),) = house.rows("SELECT body FROM assessment.answer WHERE slot = 2")
        ((version,),) = house.rows("SELECT version_id FROM assessment.answer_file")
        digest = hashlib.sha256(REPORT).hexdigest()
        assert version
        assert body == {"files": [{"id": file_id, "sha256": digest, "version": version}]}
        assert (await sitting.name(file_id)).status == 200, "the same again is fine"
        assert (await sitting.name(file_id, seq=2, sha256=digest)).status == 200

    async def test_is_reviewed_by_its_rubric_and_counts(self, house, sitting):
        file_id = await sitting.bring()
        await sitting.name(file_id)
        shown = (await house.get(f"/v1/attempts/{sitting.attempt}", by=sitting.learner)).body
        choice = right_answer(shown["questions"][0])
        assert (await house.save(sitting.learner, sitting.attempt, 1, choice)).status == 200
        await sitting.end()
        assert house.rows("SELECT state FROM assessment.attempt") == [("UNDER_REVIEW",)]
        await house.claim(sitting.attempt, 2)
        sheet = await house.decide(sitting.attempt, 2, BEST)
        assert (sheet.status, sheet.body["earned"]) == (200, "4")
        result = (await house.result(sitting.learner, sitting.attempt)).body
        assert (result["state"], result["score"]["points"]) == ("GRADED", "8")
        assert result["review"][1]["answer"]["files"][0]["id"] == file_id

    async def test_earns_nothing_and_waits_for_nobody_without_a_file(self, house, sitting):
        await sitting.bring()
        await sitting.end()
        assert house.rows("SELECT state FROM assessment.attempt") == [("GRADED",)]

    @pytest.mark.parametrize(
        "answer",
        [
            {"files": []},
            {"files": [{"id": "0192f1c4-5b1a-7c3e-9d52-3f1f6a0c4e11"}]},
            {"files": [{"id": "no id"}]},
            {"files": [{}]},
            {"files": "report.pdf"},
            {"text": "report.pdf"},
            {"files": [{"id": "0192f1c4-5b1a-7c3e-9d52-3f1f6a0c4e11", "key": "drafts/other"}]},
        ],
    )
    async def test_is_refused_where_it_names_no_file_of_the_question(self, house, sitting, answer):
        refused = await house.save(sitting.learner, sitting.attempt, 2, answer)
        assert (refused.status, refused.code) == (422, "invalid-answer")

    async def test_is_refused_where_it_names_one_twice_or_not_yet_confirmed(self, sitting):
        offer = (await sitting.announce(name="late.pdf")).body
        assert (await sitting.name(offer["id"])).code == "invalid-answer"
        file_id = await sitting.bring()
        assert (await sitting.name(file_id, file_id)).code == "invalid-answer"
        assert (await sitting.name(file_id, version="another")).code == "invalid-answer"

    async def test_of_another_learner_cannot_name_the_file(self, house, sitting):
        file_id = await sitting.bring()
        stranger = await house.enrol()
        other = Sitting(house, stranger, (await house.started(stranger))["id"])
        assert (await other.name(file_id)).code == "invalid-answer"
        for asked in (
            sitting.listed(by=stranger),
            sitting.announce(by=stranger),
            sitting.confirm(file_id, by=stranger),
        ):
            assert (await asked).status == 404


class TestAnnounce:
    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"name": "program.exe"}, "answer-file-refused"),
            ({"size": 1024 * 1024 + 1}, "answer-file-refused"),
            ({"name": "../report.pdf"}, "invalid"),
            ({"name": ""}, "invalid"),
            ({"size": 0}, "invalid"),
            ({"sha256": "abc"}, "invalid"),
        ],
    )
    async def test_is_refused_where_the_question_takes_no_such_file(self, sitting, changes, code):
        refused = await sitting.announce(**changes)
        assert (refused.status, refused.code) == (422, code)

    async def test_takes_no_more_files_than_the_question_does_until_one_is_withdrawn(self, sitting):
        first, _ = await sitting.bring(name="a.pdf"), await sitting.bring(name="b.pdf")
        assert (await sitting.announce(name="c.pdf")).code == "answer-file-refused"
        await sitting.name(first)
        assert (await sitting.withdraw(first)).code == "answer-file-named"
        await sitting.house.save(sitting.learner, sitting.attempt, 2, None, seq=2)
        assert (await sitting.withdraw(first)).status == 204
        assert (await sitting.announce(name="c.pdf")).status == 201

    async def test_lets_one_of_many_at_a_time_have_the_last_place(self, sitting):
        await sitting.bring()
        answers = await asyncio.gather(*(sitting.announce(name=f"{n}.pdf") for n in range(5)))
        assert sorted(answer.status for answer in answers) == [201, 422, 422, 422, 422]

    async def test_is_for_questions_that_take_files(self, house, sitting):
        for slot in (1, 3):
            other = dataclasses.replace(sitting, slot=slot)
            assert (await other.announce()).status == 404


class TestConfirm:
    async def test_says_that_nothing_was_sent(self, sitting):
        offer = (await sitting.announce()).body
        refused = await sitting.confirm(offer["id"])
        assert (refused.status, refused.code) == (409, "file-missing")

    async def test_is_for_the_announced_content_alone(self, sitting):
        offer = (await sitting.announce()).body
        assert await send(offer, bytes(len(REPORT))) in {400, 403}
        assert (await sitting.confirm(offer["id"])).code == "file-missing"

    async def test_may_be_repeated_and_raced(self, house, sitting):
        offer = (await sitting.announce()).body
        await send(offer, REPORT)
        answers = await asyncio.gather(*(sitting.confirm(offer["id"]) for _ in range(4)))
        assert {answer.status for answer in answers} <= {200, 409}
        again = await sitting.confirm(offer["id"])
        assert (again.status, again.body["storedAt"]) == (200, again.body["storedAt"])
        assert house.rows("SELECT count(*) FROM assessment.answer_file") == [(1,)]

    async def test_cut_short_after_the_store_is_done_again(self, house, sitting, bucket):
        offer = (await sitting.announce()).body
        await send(offer, REPORT)

        async def cut():
            raise RuntimeError

        faults.arm("answer-file.taken-over", cut)
        try:
            assert (await sitting.confirm(offer["id"])).status == 500
        finally:
            faults.disarm()
        assert (await sitting.name(offer["id"])).code == "invalid-answer"
        assert (await sitting.confirm(offer["id"])).status == 200
        assert (await sitting.name(offer["id"])).status == 200
        assert (
            await collecting.collect(house.process.runtime, "demo", "statistics", grace=AT_ONCE)
            == 1
        ), "the copy of the first time"

    async def test_fixes_the_version_so_that_sending_again_changes_nothing(self, sitting):
        offer = (await sitting.announce()).body
        await send(offer, REPORT)
        await sitting.confirm(offer["id"])
        await send(offer, REPORT)
        ((url),) = (one["url"] for one in (await sitting.listed()).body["items"])
        assert await download(url) == REPORT


class TestEndOfTheAttempt:
    async def test_closes_every_way_to_change_the_files(self, sitting):
        file_id = await sitting.bring()
        waiting = (await sitting.announce(name="late.pdf")).body
        await send(waiting, REPORT)
        await sitting.name(file_id)
        await sitting.end()
        for asked in (
            sitting.announce(name="later.pdf"),
            sitting.confirm(waiting["id"]),
            sitting.withdraw(file_id),
            sitting.name(file_id, seq=9),
        ):
            assert (await asked).code == "attempt-closed"
        assert await download((await sitting.listed()).body["items"][0]["url"]) == REPORT

    async def test_comes_with_the_deadline_and_its_grace(self, house, sitting):
        waiting = (await sitting.announce()).body
        await send(waiting, REPORT)
        house.overrun(sitting.attempt, 61)
        assert (await sitting.announce(name="b.pdf")).code == "attempt-closed"
        assert (await sitting.confirm(waiting["id"])).code == "attempt-closed"


class TestGrader:
    async def test_reads_the_named_files_and_leaves_a_trace(self, house, sitting):
        file_id, _ = await sitting.bring(), await sitting.bring(b"notes", name="notes.csv")
        await sitting.name(file_id)
        assert (await sitting.for_grader()).status == 404, "the learner is still at it"
        await sitting.end()
        found = await sitting.for_grader()
        assert [one["name"] for one in found.body["items"]] == ["report.pdf"]
        assert await download(found.body["items"][0]["url"]) == REPORT
        trail = house.rows("SELECT actor, target, detail FROM assessment.audit_entry")
        assert trail == [
            (str(house.teacher), sitting.attempt, {"slot": 2, "files": [file_id]}),
        ]

    async def test_of_another_cohort_finds_nothing(self, house, sitting):
        await sitting.name(await sitting.bring())
        await sitting.end()
        scope = {"scopes": ["grader@cohort:other"]}
        refused = await sitting.for_grader(by=new_id(), roles=("learner",), claims=scope)
        assert refused.status == 404
        assert (await sitting.for_grader(by=sitting.learner, roles=("learner",))).status == 403


class TestCollecting:
    async def collect(self, house):
        return await collecting.collect(house.process.runtime, "demo", "statistics", grace=AT_ONCE)

    async def test_leaves_what_runs_and_what_is_named(self, house, sitting, bucket):
        file_id = await sitting.bring()
        before = await keys(house, bucket)
        assert await self.collect(house) == 0
        await sitting.name(file_id)
        await sitting.end()
        assert await self.collect(house) == 0
        assert await keys(house, bucket) == before

    async def test_takes_what_no_answer_named(self, house, sitting, bucket):
        named, _ = await sitting.bring(), await sitting.bring(b"notes", name="notes.csv")
        await sitting.name(named)
        await sitting.end()
        assert await self.collect(house) == 1
        assert [one["id"] for one in (await sitting.listed()).body["items"]] == [named]
        assert len(await keys(house, bucket)) == 1

    async def test_takes_what_a_lost_confirmation_left(self, house, sitting, bucket):
        await sitting.bring()
        key = names.answer_file_key(new_id(), new_id())
        await house.process.runtime.store.put(bucket, key, b"nobody's")
        assert await self.collect(house) == 1
        assert key not in await keys(house, bucket)

    async def test_goes_through_every_course_with_exams(self, house, sitting):
        await sitting.bring()
        assert await collecting.sweep(house.process.runtime) == 0

    async def test_takes_the_files_of_who_was_forgotten(self, house, sitting, bucket):
        await sitting.name(await sitting.bring())
        await sitting.end()
        async with house.database.transaction("demo") as tx:
            await erase(tx, metadata, ERASURE, sitting.learner)
        assert house.rows("SELECT count(*) FROM assessment.answer_file") == [(0,)]
        assert await self.collect(house) == 1
        assert await keys(house, bucket) == set()
        assert (await sitting.for_grader()).body["items"] == []
