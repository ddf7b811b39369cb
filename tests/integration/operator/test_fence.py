"""A leader whose clock tells it nothing is shut out by the database itself."""

import asyncio
import math

import pytest

from kourse.contracts.resources import CourseSpec
from kourse.kit.documents import Applied, Doc
from kourse_operator.actuators.rows import ServiceRows
from kourse_operator.engine.leadership import Leadership, Term
from kourse_operator.errors import NotLeading
from support.operator_fakes import SPECS

TENANT = "demo"
SPEC = CourseSpec.model_validate(SPECS["Course"])


@pytest.fixture
async def leader(scratch):
    """Rows as a leader of that term would write them; it never doubts its term."""
    made = []

    def lead(lease, number):
        leadership = Leadership()
        leadership.extend(Term(lease, number), math.inf)
        made.append(
            ServiceRows(scratch.url("kourse_operator"), leadership, pool_size=2, batch_size=10)
        )
        return made[-1]

    yield lead
    for each in made:
        await each.close()


async def apply(rows, name, generation=1, uid="uid"):
    return await rows.apply("Course", TENANT, Doc(name, SPEC, "resource", uid, generation))


class TestOlderLeader:
    async def test_is_shut_out_once_a_newer_one_has_written(self, leader):
        old, new = leader("one", 1), leader("one", 2)
        assert isinstance(await apply(old, "a"), Applied)
        assert isinstance(await apply(new, "b"), Applied)
        with pytest.raises(NotLeading):
            await apply(old, "a", generation=2)

    async def test_brings_nothing_back_that_is_retired(self, leader):
        old, new = leader("two", 1), leader("two", 2)
        await apply(old, "gone")
        await new.retire("Course", TENANT, "gone", "uid", "Retain")
        with pytest.raises(NotLeading):
            await apply(old, "gone")

    async def test_is_shut_out_when_it_never_wrote_before(self, leader):
        old, new = leader("three", 1), leader("three", 2)
        await apply(new, "c")
        with pytest.raises(NotLeading):
            await apply(old, "d")

    async def test_is_shut_out_also_after_the_lease_was_made_anew(self, leader):
        old, new = leader("four", 7), leader("five", 0)
        await apply(old, "e")
        await apply(new, "f")
        with pytest.raises(NotLeading):
            await apply(old, "e", generation=2)

    async def test_finishes_the_transaction_that_it_is_in_before_the_newer_one_begins(self, leader):
        old, new = leader("six", 1), leader("six", 2)
        await apply(old, "g")
        database, _ = await old._at("Course")
        order = []
        async with database.transaction(TENANT):
            waiting = asyncio.create_task(apply(new, "h"))
            waiting.add_done_callback(lambda _: order.append("new"))
            await asyncio.wait({waiting}, timeout=0.3)
            order.append("old")
        await waiting
        assert order == ["old", "new"]


class TestTerm:
    async def test_is_no_tenant_s_document(self, leader, scratch):
        await apply(leader("seven", 1), "i")
        with scratch.admin() as connection:
            sql = "SELECT kind FROM course.document WHERE tenant = %s"
            kinds = {row[0] for row in connection.execute(sql, (TENANT,))}
        assert kinds == {"Course"}
