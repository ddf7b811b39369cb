"""The ledger of declared objects: ownership, generations, retirement, and many documents at once."""

import asyncio
import json
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text

from kourse.contracts import names
from kourse.contracts.errors import (
    DependencyNotReady,
    KourseError,
    NotFound,
    OwnedByApi,
    OwnedByResource,
    StaleGeneration,
    Unavailable,
)
from kourse.contracts.resources import Document
from kourse.kit.documents import (
    Applied,
    Doc,
    Refused,
    apply_each,
    claim,
    digest_of,
    find,
    find_all,
    release,
    wake,
    wake_waiting,
)
from support.waiting import LONG_S

KIND = "Thing"
ADD = text("INSERT INTO course.thing (tenant, name) VALUES (:tenant, :name)")
UID, OTHER_UID = "uid-1", "uid-2"


class ThingSpec(Document):
    title: str
    size_bytes: int = 1


def declared(name="a", title="A", *, uid=UID, generation=1, adopt=False):
    return Doc(name, ThingSpec(title=title), "resource", uid, generation, adopt)


def through_api(name="a", title="A"):
    return Doc(name, ThingSpec(title=title), "api")


@pytest.fixture
def tenant():
    return f"t-{uuid4().hex[:8]}"


@pytest.fixture
def take(course, tenant):
    async def take_one(doc):
        async with course.transaction(tenant) as tx:
            return await claim(tx, KIND, doc)

    return take_one


@pytest.fixture
def retire(course, tenant):
    async def retire_one(uid, *, forget=False):
        async with course.transaction(tenant) as tx:
            return await release(tx, KIND, "a", uid, forget=forget)

    return retire_one


@pytest.fixture
def held(course, tenant):
    async def look():
        async with course.transaction(tenant) as tx:
            return await find(tx, KIND, "a")

    return look


class TestClaim:
    async def test_takes_a_new_name(self, take, tenant):
        claimed = await take(declared())
        assert claimed.id == names.declared_id(tenant, KIND, "a")
        assert (claimed.created, claimed.changed, claimed.previous_spec) == (True, True, None)
        assert claimed.digest == digest_of(ThingSpec(title="A"))

    async def test_says_that_nothing_changed(self, take):
        await take(declared())
        claimed = await take(declared(generation=2))
        assert (claimed.created, claimed.changed) == (False, False)

    async def test_gives_what_was_before(self, take):
        await take(declared())
        claimed = await take(declared(title="B", generation=2))
        assert claimed.changed
        assert claimed.previous_spec == {"title": "A", "sizeBytes": 1}

    async def test_refuses_an_older_generation_of_the_same_resource(self, take):
        await take(declared(generation=5))
        with pytest.raises(StaleGeneration):
            await take(declared(title="old", generation=4))

    async def test_does_not_compare_generations_of_different_resources(self, take, held):
        await take(declared(generation=5))
        await take(declared(title="again", uid=OTHER_UID, generation=1))
        assert ((await held()).uid, (await held()).generation) == (OTHER_UID, 1)

    async def test_refuses_the_api_what_a_resource_declares(self, take):
        await take(declared())
        with pytest.raises(OwnedByResource) as raised:
            await take(through_api(title="B"))
        assert raised.value.extensions == {"resource": "Thing/a"}

    async def test_refuses_a_resource_what_the_api_made(self, take):
        await take(through_api())
        with pytest.raises(OwnedByApi, match="the annotation"):
            await take(declared())

    async def test_lets_a_resource_adopt_what_the_api_made(self, take, held):
        await take(through_api())
        claimed = await take(declared(adopt=True))
        assert not claimed.changed
        assert (await held()).source == "resource"

    async def test_has_one_winner_when_both_doors_want_a_new_name_at_once(self, take):
        results = await asyncio.gather(
            *(take(doc) for doc in [declared(), through_api()] * 5), return_exceptions=True
        )
        refused = [each for each in results if isinstance(each, KourseError)]
        assert len(refused) == 5
        assert len({type(each) for each in refused}) == 1


class TestRelease:
    async def test_retires_and_a_later_document_revives(self, take, retire, held):
        await take(declared())
        assert await retire(UID)
        assert (await held()).retired
        claimed = await take(declared(uid=OTHER_UID))
        assert (claimed.revived, claimed.changed, claimed.created) == (True, True, False)
        assert not (await held()).retired

    async def test_frees_the_name_for_the_other_door(self, take, retire, held):
        await take(declared())
        await retire(UID)
        await take(through_api())
        assert (await held()).source == "api"

    async def test_forgets_when_the_data_are_gone(self, take, retire, held):
        await take(declared())
        assert await retire(UID, forget=True)
        assert await held() is None

    async def test_may_be_repeated(self, take, retire):
        await take(declared())
        assert await retire(UID)
        assert await retire(UID)
        assert await retire(UID, forget=True)

    async def test_has_nothing_to_do_for_an_unknown_name(self, retire):
        assert not await retire(UID)

    async def test_leaves_what_another_resource_holds(self, take, retire, held):
        await take(declared())
        assert not await retire(OTHER_UID)
        assert not (await held()).retired

    async def test_leaves_what_the_api_made(self, take, retire, held):
        await take(through_api())
        assert not await retire(UID)
        assert not (await held()).retired

    async def test_refuses_the_api_what_a_resource_declares(self, take, retire):
        await take(declared())
        with pytest.raises(OwnedByResource):
            await retire(None)


class TestApplyEach:
    async def apply_one(self, tx, doc):
        claimed = await claim(tx, KIND, doc)
        await tx.execute(ADD, {"tenant": tx.info["tenant"], "name": doc.name})
        self.failures.get(doc.name, lambda: None)()
        return Applied(doc.name, claimed.changed, claimed.id, None, claimed.digest)

    @pytest.fixture
    def apply(self, course, tenant):
        self.failures = {}

        async def apply_all(*docs):
            return await apply_each(course, tenant, KIND, docs, self.apply_one)

        return apply_all

    def fail(self, name, error):
        def act():
            raise error

        self.failures[name] = act

    async def test_gives_results_in_the_order_asked(self, apply):
        results = await apply(declared("z"), declared("a"), declared("m"))
        assert [result.name for result in results] == ["z", "a", "m"]

    async def test_undoes_only_the_document_that_fails(self, apply, course, tenant):
        self.fail("b", NotFound("no such course"))
        self.fail("c", ZeroDivisionError())
        results = await apply(declared("a"), declared("b"), declared("c"), declared("d"))
        assert [type(result) for result in results] == [Applied, Refused, Refused, Applied]
        assert isinstance(results[1].error, NotFound)
        assert type(results[2].error) is KourseError
        async with course.transaction(tenant) as tx:
            assert [doc.name for doc in await find_all(tx, KIND)] == ["a", "d"]
            assert [doc.name for doc in await find_all(tx, KIND, ["d", "x"])] == ["d"]

    async def test_applies_nothing_while_the_database_is_away(self, apply, course, tenant):
        self.fail("b", Unavailable())
        with pytest.raises(Unavailable):
            await apply(declared("a"), declared("b"))
        async with course.transaction(tenant) as tx:
            assert await find_all(tx, KIND) == []

    async def test_remembers_what_waits_until_it_is_woken_or_applied(self, apply, course, tenant):
        self.fail("a", DependencyNotReady())
        self.fail("b", DependencyNotReady())
        await apply(declared("a"), declared("b"), declared("c"))
        self.failures.clear()
        await apply(declared("b"))
        async with course.transaction(tenant) as tx:
            assert await wake_waiting(tx) == 1
        async with course.transaction(tenant) as tx:
            assert await wake_waiting(tx) == 0


class TestWake:
    async def test_reaches_the_operator_at_the_commit(self, course, tenant, schemas):
        url = schemas.url("kourse_operator").replace("+psycopg", "")
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as listener:
            await listener.execute("LISTEN kourse_wake")
            async with course.transaction(tenant) as tx:
                await wake(tx, tenant, KIND, "a")
            async for notice in listener.notifies(timeout=LONG_S, stop_after=1):
                assert json.loads(notice.payload) == {"tenant": tenant, "kind": KIND, "name": "a"}
                break
            else:
                pytest.fail("no notification came")
