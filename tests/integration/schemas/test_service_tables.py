"""What each service believes of its tables is what its revisions make, and every tenant is kept apart."""

from importlib import import_module

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from kourse.kit.migrate import chains

SERVICES = chains()


def differences(url, service):
    """What autogeneration would change in a service's schema."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    options = {
        "include_schemas": True,
        "include_name": lambda name, kind, _: kind != "schema" or name == service,
        "version_table_schema": service,
        "compare_type": True,
        "compare_server_default": False,
    }
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts=options)
            return compare_metadata(context, import_module(f"kourse.{service}.tables").metadata)
    finally:
        engine.dispose()


class TestTables:
    @pytest.mark.parametrize("service", SERVICES)
    def test_are_described_as_they_are(self, scratch, service):
        assert differences(scratch.url("kourse_migrate"), service) == []

    @pytest.mark.parametrize("service", SERVICES)
    def test_with_a_tenant_are_under_forced_row_level_security(self, scratch, service):
        query = """
            SELECT c.relname FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant'
            WHERE n.nspname = %s AND c.relkind IN ('r', 'p')
              AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
        """
        with scratch.admin() as connection:
            assert connection.execute(query, (service,)).fetchall() == []

    def test_without_a_tenant_are_exactly_these(self, scratch):
        query = """
            SELECT n.nspname || '.' || c.relname FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p')
              AND c.relname NOT IN ('alembic_version', 'inbox_consumer')
              AND NOT EXISTS (SELECT 1 FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attname = 'tenant')
            ORDER BY 1
        """
        with scratch.admin() as connection:
            found = {name for (name,) in connection.execute(query, (list(SERVICES),)).fetchall()}
        assert found == {"identity.account", "identity.credential"}
