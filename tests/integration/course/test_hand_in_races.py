"""Hand-ins beside a close, a sweeper and a process that is lost: the database decides, once."""

import asyncio
import signal
from datetime import UTC, datetime, timedelta
from uuid import UUID

import aiohttp
import pytest
from sqlalchemy import text

from kourse.course.service import collecting, expiring
from support.course_process import CourseProcess
from support.handing_in import WORK
from support.houses import LEARNER, OTHER_LEARNER
from support.waiting import until

HOUR = timedelta(hours=1)
BOTH = (LEARNER, OTHER_LEARNER)
EXPIRED = (
    "SELECT payload ->> 'learner_id' FROM course.outbox WHERE type = 'course.assignment.expired'"
)


def waits(rows):
    return lambda: rows("SELECT 1 FROM pg_locks WHERE NOT granted")


class TestClose:
    async def test_that_comes_while_a_hand_in_waits_for_its_turn_is_kept(self, desk, rows, scratch):
        """The hand-in began in time and is refused: its time is told when it has the enrolment."""
        desk.dates(rows, closes=HOUR)
        file = await desk.bring(b"x")
        with scratch.admin() as other, other.transaction():
            other.execute("SELECT 1 FROM course.enrolment FOR UPDATE")
            handing_in = asyncio.create_task(desk.hand_in([file["id"]]))
            await until(waits(rows))
            desk.dates(lambda sql, *values: other.execute(sql, values).fetchall(), closes=-HOUR)
        assert (await handing_in).code == "assignment-closed"
        assert rows("SELECT count(*) FROM course.hand_in") == [(0,)]

    async def test_that_is_being_told_is_not_overtaken(self, desk, house, rows):
        """A sweeper that tells of the close has the enrolment; the hand-in that waits is refused."""
        desk.dates(rows, closes=-HOUR, joined=-30 * 24 * HOUR)
        async with house.runtime.database.transaction("demo") as tx:
            ((course_id,),) = rows("SELECT id FROM course.course")
            await tx.execute(text("SELECT 1 FROM course.enrolment ORDER BY id FOR UPDATE"))
            await expiring.look(tx, course_id)
            handing_in = asyncio.create_task(desk.hand_in([], assignment="report"))
            await until(waits(rows))
        assert (await handing_in).code == "assignment-closed"
        assert sorted(rows(EXPIRED)) == sorted((str(one),) for one in BOTH)
        assert rows("SELECT count(*) FROM course.hand_in") == [(0,)]

    async def test_that_comes_amid_hand_ins_and_sweeps_parts_them_exactly(self, desk, house, rows):
        files = {who: (await desk.bring(b"x", who=who))["id"] for who in BOTH}
        closes = timedelta(seconds=1)
        desk.dates(rows, closes=closes, joined=-30 * 24 * HOUR)
        shown = (await desk.read()).body["assignment"]["closesAt"]
        closes_at = datetime.fromisoformat(shown)

        async def insist(who):
            while (answer := await desk.hand_in([files[who]], who=who)).status == 201:
                pass
            return answer.code

        async def sweep():
            while datetime.now(UTC) < closes_at + closes:
                await expiring.sweep(house.runtime)
                await asyncio.sleep(0)

        *ends, _ = await asyncio.gather(*map(insist, BOTH), sweep())

        assert set(ends) <= {"assignment-closed", "hand-ins-used-up"}
        made = rows("SELECT learner_id, handed_in_at FROM course.hand_in")
        assert all(at < closes_at for _, at in made)
        assert {UUID(one) for (one,) in rows(EXPIRED)} == set(BOTH) - {who for who, _ in made}


class TestLostProcess:
    async def test_between_store_and_database_leaves_nothing_half_done(
        self, desk, house, rows, bucket
    ):
        """The file was taken over and nobody noted it: another replica takes it over once more."""
        offer = (await desk.announce(b"my report")).body
        await desk.send(offer, b"my report")
        path = f"{WORK}/report/files/{offer['id']}/stored"
        async with CourseProcess(house, faults="hand-in.taken-over=kill") as process:
            with pytest.raises(aiohttp.ClientError):
                await process.post(path, LEARNER)
            assert await process.ended() == -signal.SIGKILL
        assert len(await house.runtime.store.list(bucket, "submissions/")) == 1
        assert (await desk.hand_in([offer["id"]])).code == "file-missing"

        assert (await desk.confirm(offer["id"])).status == 200
        receipt = (await desk.hand_in([offer["id"]])).body

        (kept,) = receipt["files"]
        assert await desk.download(kept["url"]) == b"my report"
        ((key,),) = rows("SELECT key FROM course.draft_file")
        await collecting.collect(house.runtime, "demo", "statistics", -HOUR)
        assert [one.key for one in await house.runtime.store.list(bucket)] == [key]
