"""PostgreSQL keeps tenants apart, whatever the code above it does."""

import traceback
from uuid import uuid4

import pytest
from sqlalchemy import exc, text

from kourse.contracts.errors import Unavailable
from kourse.kit.clock import database_now

ADD = text("INSERT INTO course.thing (tenant, name) VALUES (:tenant, :name)")
COUNT = text("SELECT count(*) FROM course.thing")


async def add(database, tenant, name, bound=None):
    async with database.transaction(bound or tenant) as tx:
        await tx.execute(ADD, {"tenant": tenant, "name": name})


async def add_and_fail(database, tenant):
    async with database.transaction(tenant) as tx:
        await tx.execute(ADD, {"tenant": tenant, "name": "gone"})
        assert await tx.scalar(COUNT) == 1
        raise ZeroDivisionError


async def add_and_cut(database, tenant, admin):
    async with database.transaction(tenant) as tx:
        await tx.execute(ADD, {"tenant": tenant, "name": "lost"})
        pid = await tx.scalar(text("SELECT pg_backend_pid()"))
        admin.execute("SELECT pg_terminate_backend(%s)", (pid,))


async def count(database, tenant):
    async with database.transaction(tenant) as tx:
        return await tx.scalar(COUNT)


class TestTransaction:
    async def test_sees_the_rows_of_its_own_tenant_only(self, course):
        await add(course, "north", "own")
        assert await count(course, "north") == 1
        assert await count(course, "south") == 0

    async def test_cannot_write_a_row_of_another_tenant(self, course):
        with pytest.raises(exc.ProgrammingError, match="row-level security"):
            await add(course, "east", "foreign", bound="west")

    async def test_without_a_tenant_sees_nothing_and_writes_nothing(self, course):
        await add(course, "lonely", "own")
        assert await count(course, None) == 0
        with pytest.raises(exc.ProgrammingError, match="row-level security"):
            async with course.transaction(None) as tx:
                await tx.execute(ADD, {"tenant": "lonely", "name": "second"})

    async def test_leaves_no_tenant_behind_in_the_pool_after_an_exception(self, open_database):
        database = open_database(pool_size=1)
        with pytest.raises(ZeroDivisionError):
            await add_and_fail(database, "leaky")
        await add(database, "leaky", "own")
        assert await count(database, None) == 0
        assert await count(database, "other") == 0

    async def test_rolls_back_on_an_exception(self, course):
        with pytest.raises(ZeroDivisionError):
            await add_and_fail(course, "undone")
        assert await count(course, "undone") == 0

    async def test_tells_of_a_broken_constraint_without_the_values(self, course):
        secret = uuid4().hex
        await add(course, "discreet", secret)
        with pytest.raises(exc.IntegrityError) as raised:
            await add(course, "discreet", secret)
        told = "".join(traceback.format_exception(raised.value))
        assert "thing_tenant_name_key" in told
        assert secret not in told

    async def test_tells_the_time_of_the_database_in_utc(self, course):
        async with course.transaction(None) as tx:
            first, second = await database_now(tx), await database_now(tx)
        assert first < second
        assert first.utcoffset().total_seconds() == 0


class TestOutage:
    async def test_is_unavailable_when_the_server_cannot_be_reached(self, open_database):
        database = open_database(url="postgresql+psycopg://nobody@127.0.0.1:1/nothing")
        with pytest.raises(Unavailable) as raised:
            await database.ping()
        assert raised.value.retry_after_s == 2

    async def test_is_unavailable_when_the_connection_is_lost_at_commit(self, course, admin):
        with pytest.raises(Unavailable):
            await add_and_cut(course, "cut", admin)
        assert await count(course, "cut") == 0

    async def test_is_unavailable_when_a_statement_takes_too_long(self, open_database):
        database = open_database(statement_timeout_s=0.05)
        with pytest.raises(Unavailable):
            async with database.transaction(None) as tx:
                await tx.execute(text("SELECT pg_sleep(10)"))

    async def test_is_over_by_itself_when_the_server_is_back(self, course, admin):
        await course.ping()
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'kourse-course' AND datname = current_database()"
        )
        await course.ping()


class TestSchema:
    def test_forces_row_security_on_every_table_with_a_tenant(self, admin):
        unforced = admin.execute("""
            SELECT c.oid::regclass::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relkind IN ('r', 'p') AND a.attname = 'tenant' AND NOT a.attisdropped
              AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
        """).fetchall()
        assert unforced == []

    def test_gives_no_role_of_a_service_any_ownership(self, admin):
        owned = admin.execute("""
            SELECT c.oid::regclass::text FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
            WHERE r.rolname LIKE 'kourse%' AND r.rolname <> 'kourse_migrate'
        """).fetchall()
        assert owned == []

    @pytest.mark.parametrize(
        ("role", "statement"),
        [
            ("kourse_course", "UPDATE course.audit_entry SET action = 'x'"),
            ("kourse_course", "DELETE FROM course.audit_entry"),
            ("kourse_course", "UPDATE course.outbox SET published_at = now()"),
            ("kourse_course", "SELECT * FROM profile.thing"),
            ("kourse_course_worker", "SELECT * FROM course.document"),
            ("kourse_course_worker", "SELECT name FROM course.thing"),
            ("kourse_course_worker", "DELETE FROM course.thing"),
            ("kourse_course_worker", "UPDATE course.outbox SET payload = '{}'"),
            ("kourse_operator", "SELECT * FROM course.inbox"),
            ("kourse_operator", "SELECT * FROM course.idempotency_key"),
            ("kourse_operator", "SELECT * FROM course.audit_entry"),
            ("kourse_operator", "DELETE FROM course.outbox"),
        ],
    )
    async def test_refuses_what_a_role_does_not_need(self, open_database, role, statement):
        database = open_database(role)
        with pytest.raises(exc.ProgrammingError, match="permission denied"):
            async with database.transaction("north") as tx:
                await tx.execute(text(statement))

    async def test_shows_a_worker_only_the_columns_it_was_given_of_all_tenants(
        self, course, open_database
    ):
        await add(course, "first-tenant", "one")
        await add(course, "second-tenant", "two")
        worker = open_database("kourse_course_worker")
        async with worker.transaction(None) as tx:
            tenants = set(await tx.scalars(text("SELECT tenant FROM course.thing")))
        assert {"first-tenant", "second-tenant"} <= tenants
