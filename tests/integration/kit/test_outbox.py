"""A fact and its event are one transaction, numbered without gaps in the order of commits."""

import asyncio
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import bindparam, column, exc, table
from sqlalchemy.dialects.postgresql import insert

from kourse.contracts.events import UserRegistered
from kourse.kit import waking
from kourse.kit.outbox import Change, emit, emit_all, write
from kourse.kit.waking import CHANNEL
from support.events import emit_joined, joined
from support.waiting import LONG_S

ROWS = "SELECT seq, part, routing_key, headers FROM profile.outbox WHERE entity = %s ORDER BY id"
THING = table("thing", column("tenant"), column("name"), schema="profile")
MAKE = Change(insert(THING).values(tenant=bindparam("tenant"), name=bindparam("name")))
RENAME = Change(
    THING.update().where(THING.c.name == bindparam("old")).values(name=THING.c.name + "-renamed")
)
DROP = Change(THING.delete().where(THING.c.name.like(bindparam("like"))))


def a_thing(tenant="demo"):
    return {"tenant": tenant, "name": str(uuid4())}


async def emit_and_fail(database, cohort):
    async with database.transaction("demo") as tx:
        await emit(tx, joined(cohort, 1))
        raise ZeroDivisionError


def things(admin, name):
    found = admin.execute("SELECT name FROM profile.thing WHERE name LIKE %s", (f"{name}%",))
    return [row[0] for row in found.fetchall()]


def sequence(admin, cohort):
    return [row[0] for row in admin.execute(ROWS, (str(cohort),)).fetchall()]


class TestEmit:
    async def test_numbers_an_entity_from_one_without_gaps(self, profile, admin):
        cohort = uuid4()
        await emit_joined(profile, cohort, range(3))
        assert sequence(admin, cohort) == [1, 2, 3]

    async def test_gives_a_number_back_when_the_transaction_rolls_back(self, profile, admin):
        cohort = uuid4()
        with pytest.raises(ZeroDivisionError):
            await emit_and_fail(profile, cohort)
        await emit_joined(profile, cohort, range(1))
        assert sequence(admin, cohort) == [1]

    async def test_numbers_in_the_order_of_commits_when_many_write_at_once(self, profile, admin):
        cohort = uuid4()
        await asyncio.gather(*(emit_joined(profile, cohort, [n]) for n in range(40)))
        assert sequence(admin, cohort) == list(range(1, 41))

    async def test_numbers_each_tenant_apart(self, profile, admin):
        cohort = uuid4()
        await emit_joined(profile, cohort, range(2), tenant="north")
        await emit_joined(profile, cohort, range(2), tenant="south")
        assert sorted(sequence(admin, cohort)) == [1, 1, 2, 2]

    async def test_refuses_the_same_fact_under_a_derived_id(self, profile):
        cohort, event_id = uuid4(), uuid4()
        async with profile.transaction("demo") as tx:
            assert await emit(tx, joined(cohort, 1), event_id=event_id) == event_id
        with pytest.raises(exc.IntegrityError):
            async with profile.transaction("demo") as tx:
                await emit(tx, joined(cohort, 1), event_id=event_id)

    async def test_refuses_a_transaction_without_tenant(self, profile):
        async with profile.transaction(None) as tx:
            with pytest.raises(ValueError, match="bound to a tenant"):
                await emit(tx, joined(uuid4(), 1))

    async def test_refuses_another_services_event(self, profile):
        event = UserRegistered(user_id=uuid4(), display_name="Rui")
        async with profile.transaction("demo") as tx:
            with pytest.raises(ValueError, match="comes from identity"):
                await emit(tx, event)

    async def test_works_for_the_operator_too(self, open_database, admin):
        cohort = uuid4()
        await emit_joined(open_database("kourse_operator", "profile"), cohort, range(2))
        assert sequence(admin, cohort) == [1, 2]

    async def test_refuses_to_repeat_an_id_within_one_statement_too(self, profile, admin):
        cohort, event_id, thing = uuid4(), uuid4(), a_thing()
        async with profile.transaction("demo") as tx:
            await emit(tx, joined(cohort, 1), event_id=event_id)
        with pytest.raises(exc.IntegrityError):
            async with profile.transaction("demo") as tx:
                await write(tx, MAKE, thing, joined(cohort, 1), event_id=event_id)
        assert things(admin, thing["name"]) == []


class TestEmitAll:
    async def test_numbers_each_entity_on_in_the_order_given(self, profile, admin):
        one, other = uuid4(), uuid4()
        await emit_joined(profile, one, range(2))
        async with profile.transaction("demo") as tx:
            await emit_all(tx, [joined(c, n) for n, c in enumerate([one, other, one, other, one])])
        await emit_joined(profile, other, range(1))
        assert sequence(admin, one) == [1, 2, 3, 4, 5]
        assert sequence(admin, other) == [1, 2, 3]

    async def test_leaves_the_same_as_emit(self, profile, admin):
        one, other = uuid4(), uuid4()
        await emit_joined(profile, one, [1])
        async with profile.transaction("demo") as tx:
            await emit_all(tx, [joined(other, 1)])
        made = [
            admin.execute(
                "SELECT replace(payload::text, entity, ''), tenant, stream, seq, type, version,"
                " headers, published_at FROM profile.outbox WHERE entity = %s",
                (str(cohort),),
            ).fetchall()
            for cohort in (one, other)
        ]
        assert made[0] == made[1]

    async def test_gives_the_numbers_back_when_the_transaction_rolls_back(self, profile, admin):
        cohort = uuid4()
        async with profile.rehearsal("demo") as tx:
            await emit_all(tx, [joined(cohort, 1), joined(cohort, 2)])
        await emit_joined(profile, cohort, range(1))
        assert sequence(admin, cohort) == [1]


class TestWrite:
    async def test_writes_the_row_and_the_event_together(self, profile, admin):
        cohort, thing = uuid4(), a_thing()
        async with profile.transaction("demo") as tx:
            event_id = await write(tx, MAKE, thing, joined(cohort, 1))
        assert things(admin, thing["name"]) == [thing["name"]]
        told = admin.execute(
            "SELECT event_id, seq FROM profile.outbox WHERE entity = %s", [str(cohort)]
        )
        assert told.fetchall() == [(event_id, 1)]

    async def test_tells_nothing_when_nothing_changed(self, profile, admin):
        cohort = uuid4()
        async with profile.transaction("demo") as tx:
            assert await write(tx, RENAME, {"old": str(uuid4())}, joined(cohort, 1)) is None
            await emit(tx, joined(cohort, 2))
        assert sequence(admin, cohort) == [1]

    async def test_tells_once_of_a_change_of_many_rows(self, profile, admin):
        cohort, name = uuid4(), str(uuid4())
        async with profile.transaction("demo") as tx:
            rows = [{"tenant": "demo", "name": f"{name}-{number}"} for number in range(3)]
            await tx.execute(THING.insert(), rows)
            await write(tx, DROP, {"like": f"{name}-%"}, joined(cohort, 1))
        assert things(admin, name) == []
        assert sequence(admin, cohort) == [1]

    async def test_numbers_together_with_emit_without_gaps(self, profile, admin):
        cohort = uuid4()

        async def one(number):
            async with profile.transaction("demo") as tx:
                if number % 2:
                    await emit(tx, joined(cohort, number))
                else:
                    await write(tx, MAKE, a_thing(), joined(cohort, number))

        await asyncio.gather(*map(one, range(40)))
        assert sequence(admin, cohort) == list(range(1, 41))

    async def test_leaves_nothing_when_the_transaction_fails_at_commit(self, profile, admin):
        cohort, thing = uuid4(), a_thing()
        async with profile.transaction("demo") as tx:
            await write(tx, MAKE, thing, joined(cohort, 1))
        with pytest.raises(exc.IntegrityError):
            async with profile.transaction("demo") as tx:
                await write(tx, MAKE, thing, joined(cohort, 2))
        assert sequence(admin, cohort) == [1]

    async def test_cannot_write_another_tenants_row(self, profile):
        with pytest.raises(exc.ProgrammingError, match="row-level security"):
            async with profile.transaction("demo") as tx:
                await write(tx, MAKE, a_thing("north"), joined(uuid4(), 1))

    async def test_refuses_values_that_the_change_does_not_take(self, profile):
        async with profile.transaction("demo") as tx:
            with pytest.raises(TypeError, match="name"):
                await write(tx, MAKE, {"tenant": "demo"}, joined(uuid4(), 1))

    async def test_refuses_another_services_transaction(self, course):
        async with course.transaction("demo") as tx:
            with pytest.raises(ValueError, match="comes from profile"):
                await write(tx, MAKE, a_thing(), joined(uuid4(), 1))


class TestWaking:
    async def test_says_once_that_many_commits_left_events(self, profile, schemas, monkeypatch):
        monkeypatch.setattr(waking, "PAUSE_S", 3600)
        url = schemas.url("kourse_profile_worker").replace("+psycopg", "")
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as listener:
            await listener.execute(f"LISTEN {CHANNEL}")
            await asyncio.gather(*(emit_joined(profile, uuid4(), range(5)) for _ in range(8)))
            told = [each.payload async for each in listener.notifies(timeout=LONG_S, stop_after=1)]
            more = [each.payload async for each in listener.notifies(timeout=0.2)]
        assert (told, more) == (["profile"], [])

    async def test_says_nothing_of_a_transaction_that_failed(self, profile, schemas):
        url = schemas.url("kourse_profile_worker").replace("+psycopg", "")
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as listener:
            await listener.execute(f"LISTEN {CHANNEL}")
            with pytest.raises(ZeroDivisionError):
                await emit_and_fail(profile, uuid4())
            heard = [notice.payload async for notice in listener.notifies(timeout=0.2)]
        assert heard == []
