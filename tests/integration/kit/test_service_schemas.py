"""Every service's migrations give what its code believes, under the rules that bind all schemas."""

import importlib

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from kourse.contracts import names
from kourse.kit.migrate import chains
from kourse.kit.migrations import UNTENANTED, VERSION_TABLE
from kourse.kit.tables import PLATFORM_TABLES

OURS = "n.nspname = ANY(%s) AND c.relkind IN ('r', 'p')"


@pytest.fixture(scope="module")
def admin(scratch):
    with scratch.admin() as connection:
        yield connection


@pytest.fixture
def query(admin):
    """Names that a catalogue query over all services' tables finds."""

    def found(condition):
        sql = (
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n"
            f" ON n.oid = c.relnamespace WHERE {OURS} AND {condition} ORDER BY 1"
        )
        return [name for (name,) in admin.execute(sql, (list(chains()),)).fetchall()]

    return found


class TestChains:
    def test_exist_for_every_service_with_storage(self):
        assert chains() == names.SERVICES


@pytest.mark.parametrize("service", chains())
class TestSchema:
    def test_is_what_the_code_believes(self, service, scratch):
        metadata = importlib.import_module(f"kourse.{service}.tables").metadata
        engine = sa.create_engine(scratch.url("kourse_migrate"), poolclass=sa.NullPool)
        options = {
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == service,
            "version_table_schema": service,
            "compare_type": True,
        }
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts=options)
            differences = compare_metadata(context, metadata)
        engine.dispose()
        assert differences == []

    def test_has_all_platform_tables(self, service, admin):
        listed = "SELECT tablename FROM pg_tables WHERE schemaname = %s"
        tables = {name for (name,) in admin.execute(listed, (service,)).fetchall()}
        assert set(PLATFORM_TABLES) <= tables

    def test_is_of_use_to_its_role(self, service, admin):
        useless = admin.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s AND NOT has_table_privilege("
            "%s, quote_ident(schemaname) || '.' || quote_ident(tablename), 'SELECT')",
            (service, f"kourse_{service}"),
        ).fetchall()
        assert useless == []


class TestTenancy:
    def test_is_forced_on_every_table_with_a_tenant(self, query):
        tenanted = "EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant')"
        assert query(f"{tenanted} AND NOT (c.relrowsecurity AND c.relforcerowsecurity)") == []

    def test_is_not_kept_on_exactly_these_tables(self, query):
        tenanted = "EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant')"
        kit = "'" + "', '".join((VERSION_TABLE, *sorted(UNTENANTED))) + "'"
        assert query(f"NOT {tenanted} AND c.relname NOT IN ({kit})") == [
            "identity.account",
            "identity.account_link",
            "identity.credential",
            "identity.factor",
            "identity.realm_event",
            "identity.realm_progress",
            "identity.recovery_code",
        ]

    def test_has_the_same_rule_for_reading_and_writing(self, admin):
        rules = admin.execute(
            "SELECT DISTINCT qual, with_check FROM pg_policies WHERE policyname = 'tenant_isolation'"
        ).fetchall()
        rule = "(tenant = NULLIF(current_setting('app.tenant'::text, true), ''::text))"
        assert rules == [(rule, rule)]

    def test_is_crossed_by_worker_roles_and_by_who_holds_a_membership_or_a_secret_only(self, admin):
        crossing = admin.execute(
            "SELECT DISTINCT schemaname || '.' || tablename AS crossed, cmd, unnest(roles) FROM pg_policies"
            " WHERE policyname <> 'tenant_isolation' ORDER BY crossed"
        ).fetchall()
        others = [one for one in crossing if not one[2].endswith("_worker")]
        assert others == [
            ("identity.membership", "SELECT", "public"),
            ("identity.personal_token", "SELECT", "public"),
            ("identity.service_account_secret", "SELECT", "public"),
        ]


class TestRoles:
    def test_of_services_own_nothing(self, query):
        assert query("pg_get_userbyid(c.relowner) <> 'kourse_migrate'") == []

    @pytest.mark.parametrize("service", chains())
    def test_of_a_service_reach_no_other_schema(self, service, admin):
        for role in (f"kourse_{service}", f"kourse_{service}_worker"):
            reached = admin.execute(
                "SELECT nspname FROM pg_namespace WHERE nspname = ANY(%s)"
                " AND has_schema_privilege(%s, nspname, 'USAGE')",
                (list(names.SERVICES), role),
            ).fetchall()
            assert reached == [(service,)]

    def test_may_not_make_anything_in_any_schema(self, admin):
        makers = admin.execute(
            "SELECT r.rolname, n.nspname FROM pg_roles r, pg_namespace n"
            " WHERE r.rolname LIKE 'kourse%%' AND r.rolname <> 'kourse_migrate'"
            " AND (n.nspname = ANY(%s) OR n.nspname = 'public')"
            " AND has_schema_privilege(r.rolname, n.nspname, 'CREATE')",
            (list(names.SERVICES),),
        ).fetchall()
        assert makers == []
