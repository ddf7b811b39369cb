"""Schemas as migrations make them, in a database of the module's own, with one small content table."""

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from kourse.kit import faults, migrations, platform_schema
from kourse.kit.db import Database

SERVICES = ("course", "profile", "identity")


def make_schema(connection, service):
    """The platform's tables and a table ``thing(id, tenant, name unique, checked at commit)``."""
    connection.execute(sa.text(f"CREATE SCHEMA {service}"))
    with Operations.context(MigrationContext.configure(connection)) as op:
        for version in platform_schema.VERSIONS:
            migrations.upgrade_platform(service, version)
        op.create_table(
            "thing",
            sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
            sa.Column("tenant", sa.Text, nullable=False),
            sa.Column("name", sa.Text, nullable=False),
            sa.UniqueConstraint("tenant", "name", deferrable=True, initially="DEFERRED"),
            schema=service,
        )
        migrations.enable_tenancy("thing", service, worker="SELECT (id, tenant)")
        migrations.grant(service, service, operator_tables=("thing",))


@pytest.fixture(scope="module")
def schemas(bare):
    """The scratch database, with the schemas of three services."""
    engine = sa.create_engine(bare.url("kourse_migrate"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        for service in SERVICES:
            make_schema(connection, service)
    engine.dispose()
    return bare


@pytest.fixture
def admin(schemas):
    """A superuser's connection: it sees every tenant."""
    with schemas.admin() as connection:
        yield connection


@pytest.fixture
async def open_database(schemas):
    """Opens pools, by role; all are closed at the end."""
    opened = []

    def open_one(role="kourse_course", schema="course", **options):
        opened.append(Database(options.pop("url", schemas.url(role)), schema, **options))
        return opened[-1]

    yield open_one
    for database in opened:
        await database.close()


@pytest.fixture
def course(open_database):
    return open_database()


@pytest.fixture
def profile(open_database):
    return open_database("kourse_profile", "profile")


@pytest.fixture
def profile_worker(open_database):
    return open_database("kourse_profile_worker", "profile")


@pytest.fixture
def no_faults():
    """Faults that a test arms are gone after it."""
    yield faults
    faults.disarm()
