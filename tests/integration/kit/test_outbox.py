"""A fact and its event are one transaction, numbered without gaps in the order of commits."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import exc

from kourse.contracts.events import UserRegistered
from kourse.kit.outbox import emit
from support.events import emit_joined, joined

ROWS = "SELECT seq, part, routing_key, headers FROM profile.outbox WHERE entity = %s ORDER BY id"


def sequence(admin, cohort):
    return [row[0] for row in admin.execute(ROWS, (str(cohort),)).fetchall()]


class TestEmit:
    async def test_numbers_an_entity_from_one_without_gaps(self, profile, admin):
        cohort = uuid4()
        await emit_joined(profile, cohort, range(3))
        assert sequence(admin, cohort) == [1, 2, 3]

    async def test_gives_a_number_back_when_the_transaction_rolls_back(self, profile, admin):
        cohort = uuid4()

        async def emit_and_fail():
            async with profile.transaction("demo") as tx:
                await emit(tx, joined(cohort, 1))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await emit_and_fail()
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
