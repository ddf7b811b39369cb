"""The platform's tables are what the kit believes they are, and migrating is safe to repeat."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from kourse.kit import migrate, migrations
from kourse.kit.tables import PLATFORM_TABLES, service_metadata

SQUAWK = Path(sys.executable).with_name("squawk")
ENV = """
from kourse.kit.migrations import run
from kourse.kit.tables import service_metadata

run("profile", service_metadata("profile"))
"""
REVISION = """
from kourse.kit import migrations

revision = "{revision}"
down_revision = {parent}


def upgrade():
    {body}
"""


@pytest.fixture
def chain(tmp_path, monkeypatch):
    """A chain of two revisions in the place of the services' own."""
    versions = tmp_path / "profile" / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions.parent / "env.py").write_text(ENV)
    bodies = ('migrations.create_platform("profile")', 'migrations.grant("profile", "profile")')
    for number, body in enumerate(bodies, 1):
        parent = None if number == 1 else f"000{number - 1}"
        source = REVISION.format(revision=f"000{number}", parent=repr(parent), body=body)
        (versions / f"000{number}_step.py").write_text(source)
    for module in (migrate, migrations):
        monkeypatch.setattr(module, "directory", lambda name: tmp_path / name / "migrations")
    migrations.revisions.cache_clear()
    yield versions
    migrations.revisions.cache_clear()


@pytest.fixture
def empty(servers):
    with servers.scratch_database(migrated=False) as database:
        yield database


class TestPlatformTables:
    def test_are_described_as_they_are(self, schemas):
        engine = sa.create_engine(schemas.url("kourse_migrate"), poolclass=sa.NullPool)
        options = {
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == "course",
            "include_object": lambda _o, name, kind, _r, _c: kind != "table" or name != "thing",
            "compare_type": True,
            "compare_server_default": False,
        }
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts=options)
            differences = compare_metadata(context, service_metadata("course"))
        engine.dispose()
        assert differences == []

    def test_are_all_there(self, admin):
        listed = "SELECT tablename FROM pg_tables WHERE schemaname = 'course'"
        tables = {name for (name,) in admin.execute(listed).fetchall()}
        assert tables == {*PLATFORM_TABLES, "thing"}


@pytest.mark.usefixtures("chain")
class TestUpgrade:
    def test_brings_an_empty_database_to_the_head_and_says_each_step(self, empty):
        said = []
        (done,) = migrate.upgrade(empty.url("kourse_migrate"), say=said.append)
        assert (done.service, done.before, done.after) == ("profile", None, "0002")
        assert done.applied == ("0001", "0002")
        assert said == ["profile: 0001", "profile: 0002"]

    def test_changes_nothing_the_second_time(self, empty):
        migrate.upgrade(empty.url("kourse_migrate"))
        (done,) = migrate.upgrade(empty.url("kourse_migrate"))
        assert (done.before, done.after, done.applied) == ("0002", "0002", ())

    async def test_runs_once_when_started_twice_at_the_same_time(self, empty):
        url = empty.url("kourse_migrate")
        both = await asyncio.gather(*(asyncio.to_thread(migrate.upgrade, url) for _ in range(2)))
        assert sorted(done.applied for (done,) in both) == [(), ("0001", "0002")]

    def test_leaves_the_schema_as_it_was_when_a_revision_fails(self, empty, chain):
        (chain / "0002_step.py").write_text(
            REVISION.format(revision="0002", parent="'0001'", body="raise ZeroDivisionError")
        )
        with pytest.raises(ZeroDivisionError):
            migrate.upgrade(empty.url("kourse_migrate"))
        with empty.admin() as connection:
            found = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'profile'")
            assert found.fetchone() is None

    def test_refuses_an_unknown_service_in_one_sentence(self, empty):
        with pytest.raises(migrate.MigrationRefusedError, match="no migrations of nonsense"):
            migrate.upgrade(empty.url("kourse_migrate"), ["nonsense"])

    def test_refuses_when_a_role_is_missing(self, empty, monkeypatch):
        monkeypatch.setattr(migrate, "OPERATOR_ROLE", "kourse_nobody")
        with pytest.raises(migrate.MigrationRefusedError, match="kourse_nobody do not exist"):
            migrate.upgrade(empty.url("kourse_migrate"))

    def test_refuses_when_the_database_does_not_answer(self):
        with pytest.raises(migrate.MigrationRefusedError, match="does not answer"):
            migrate.upgrade("postgresql://nobody@127.0.0.1:1/nothing")


class TestRollingUpgrade:
    """The hook of the chart migrates while pods of the version before still serve."""

    BREAKING = (
        "adding-not-nullable-field",
        "adding-required-field",
        "ban-drop-column",
        "ban-drop-table",
        "changing-column-type",
        "renaming-column",
        "renaming-table",
    )

    def judged(self, sql):
        """The rules that squawk finds broken, of those that would break running pods."""
        command = [SQUAWK, "--reporter", "gcc", "--assume-in-transaction", "--pg-version", "15"]
        done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
        return {rule for rule in self.BREAKING if f": {rule} " in done.stdout}

    def test_takes_nothing_from_the_version_that_is_running(self, empty):
        later, pending = [], []

        def note(_connection, _cursor, sql, *_):
            pending.append(sql)

        def stepped(line):
            revision = line.rpartition(": ")[2]
            if not revision.startswith("0001"):
                later.append(";\n".join(pending))
            pending.clear()

        sa.event.listen(sa.Engine, "before_cursor_execute", note)
        try:
            migrate.upgrade(empty.urls["kourse_migrate"], say=stepped)
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", note)
        assert any("CREATE TABLE" in sql for sql in later)
        assert [self.judged(sql) for sql in later if self.judged(sql)] == []

    @pytest.mark.parametrize(
        ("sql", "rule"),
        [
            ("ALTER TABLE a DROP COLUMN b", "ban-drop-column"),
            ("ALTER TABLE a RENAME COLUMN b TO c", "renaming-column"),
            ("ALTER TABLE a ALTER COLUMN b TYPE text", "changing-column-type"),
            ("ALTER TABLE a ADD COLUMN b int NOT NULL", "adding-required-field"),
            ("DROP TABLE a", "ban-drop-table"),
        ],
    )
    def test_would_be_refused_by_the_judge_if_it_did(self, sql, rule):
        assert rule in self.judged(f"{sql};")


@pytest.mark.usefixtures("chain")
class TestWaitForHead:
    async def test_waits_until_the_migrations_ran(self, empty, open_database):
        database = open_database("kourse_profile", "profile", url=empty.url("kourse_profile"))
        waiting = asyncio.create_task(migrations.wait_for_head(database, poll_s=0.02))
        assert not await migrations.at_head(database)
        await asyncio.to_thread(migrate.upgrade, empty.url("kourse_migrate"))
        await asyncio.wait_for(waiting, 120)

    async def test_does_not_wait_for_a_schema_that_is_newer(self, empty, open_database, chain):
        migrate.upgrade(empty.url("kourse_migrate"))
        database = open_database("kourse_profile", "profile", url=empty.url("kourse_profile"))
        (chain / "0002_step.py").unlink()
        migrations.revisions.cache_clear()
        assert migrations.head("profile") == "0001"
        assert await migrations.at_head(database)
