"""Alembic, one chain per service, under a role that owns everything and that no service uses.

This module is what revisions and running services need; ``migrate`` runs the chains. Alembic itself is
imported only where a revision runs: it takes most of a second that no service should pay.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, MetaData, exc, text

import kourse
from kourse.contracts.errors import Unavailable
from kourse.kit import platform_schema
from kourse.kit.db import Database, statement
from kourse.kit.tables import PLATFORM_TABLES

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext

VERSION_TABLE = "alembic_version"
OPERATOR_ROLE = "kourse_operator"
UNTENANTED = frozenset({"inbox_consumer", "partition_member", "partition_lease"})
"""Platform tables that hold nobody's data."""
APPEND_ONLY = frozenset(
    {"audit_trail", "audit_address", "hand_in", "extension", "gradable_run", "decision"}
)
"""Tables whose own revision says what the application role may do, which never is to change a row."""
_ISOLATED = "tenant = nullif(current_setting('app.tenant', true), '')"
_REVISION = re.compile(r"""^revision(?:\s*:[^=]+)?\s*=\s*["'](?P<id>[^"']+)["']""", re.MULTILINE)
_PARENT = re.compile(r"""^down_revision(?:\s*:[^=]+)?\s*=\s*["'](?P<id>[^"']+)["']""", re.MULTILINE)


def app_role(service: str) -> str:
    """Role a service's requests run under."""
    return f"kourse_{service}"


def worker_role(service: str) -> str:
    """Role of a service's relay and sweepers, which cross tenants through explicit policies."""
    return f"kourse_{service}_worker"


def run(service: str, metadata: MetaData) -> None:
    """The whole body of a service's ``migrations/env.py``.

    Args:
        service: The service, whose name is also its schema's.
        metadata: What autogeneration compares the database with.

    Raises:
        RuntimeError: Not started by ``kourse admin migrate`` or ``migrate.upgrade``.
    """
    from alembic import context

    connection: Connection | None = context.config.attributes.get("connection")
    if connection is None:
        raise RuntimeError("migrations are run by 'kourse admin migrate'")
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        version_table_schema=service,
        include_schemas=True,
        include_name=_only_schema(service),
        on_version_apply=_reporter(context.config.attributes.get("report")),
    )
    with context.begin_transaction():
        context.run_migrations()


def _only_schema(service: str) -> Any:
    def include(name: str | None, kind: str, _parents: Any) -> bool:
        return kind != "schema" or name == service

    return include


def _reporter(report: Any) -> Any:
    def applied(*, ctx: MigrationContext, step: Any, heads: Any, run_args: Any) -> None:  # noqa: ARG001
        if report is not None and step.is_upgrade:
            report(step.up_revision_id)

    return applied


def create_platform(schema: str) -> None:
    """Creates the kit's tables with tenancy and rights; the first call of every initial revision."""
    upgrade_platform(schema, 1)


def upgrade_platform(schema: str, version: int) -> None:
    """Brings the kit's tables from the version before to this one, with tenancy and rights."""
    change = platform_schema.VERSIONS[version]
    app, worker = app_role(schema), worker_role(schema)
    for ddl in filter(str.strip, change.ddl.split(";\n")):
        _execute(schema, ddl)
    for role in (app, worker):
        _execute(schema, f"GRANT USAGE ON SCHEMA {{schema}} TO {role}")
    for table in change.tenanted:
        enable_tenancy(table, schema)
    _grant_each(schema, change.app, app)
    for table, allowed in change.worker.items():
        if table in UNTENANTED:
            _grant_each(schema, {table: allowed}, worker)
        else:
            _let_worker(schema, table, allowed)


def enable_tenancy(table: str, schema: str, *, worker: str = "") -> None:
    """Only the current tenant's rows of the table can be seen, written or deleted, by any role.

    Security is forced, so it binds the owner too: a revision that moves data sets ``app.tenant`` itself.

    Args:
        table: A table with a ``tenant`` column.
        schema: Its schema, which is also the service's name.
        worker: Privileges that the service's worker role gets on all tenants' rows, for example
            ``SELECT (id, tenant, deadline_at)``; none by default.
    """
    target = f'{{schema}}."{table}"'
    _execute(schema, f"ALTER TABLE {target} ENABLE ROW LEVEL SECURITY")
    _execute(schema, f"ALTER TABLE {target} FORCE ROW LEVEL SECURITY")
    _execute(
        schema,
        f"CREATE POLICY tenant_isolation ON {target} USING ({_ISOLATED}) WITH CHECK ({_ISOLATED})",
    )
    if worker:
        _let_worker(schema, table, worker)


def _let_worker(schema: str, table: str, allowed: str) -> None:
    role = worker_role(schema)
    _execute(schema, f'CREATE POLICY worker_access ON {{schema}}."{table}" TO {role} USING (true)')
    _grant_each(schema, {table: allowed}, role)


def grant(schema: str, service: str, operator_tables: tuple[str, ...] = ()) -> None:
    """Rights on the service's own tables; the last call of every revision that makes tables.

    The application role may read and write every table but the kit's, which ``create_platform`` covers,
    and the operator's role may write the content tables named here, with ledger and outbox.

    Args:
        schema: The schema.
        service: The service, from which the roles' names follow.
        operator_tables: Content tables that the operator writes.
    """
    own = "SELECT, INSERT, UPDATE, DELETE"
    tables = set(_tables(schema)) - {*PLATFORM_TABLES, *APPEND_ONLY, VERSION_TABLE}
    _grant_each(schema, dict.fromkeys(sorted(tables), own), app_role(service))
    if operator_tables:
        _execute(schema, f"GRANT USAGE ON SCHEMA {{schema}} TO {OPERATOR_ROLE}")
        content = dict.fromkeys(operator_tables, own)
        _grant_each(schema, content | platform_schema.OPERATOR_PRIVILEGES, OPERATOR_ROLE)


def _tables(schema: str) -> list[str]:
    from alembic import op

    listed = text("SELECT tablename FROM pg_tables WHERE schemaname = :schema")
    return list(op.get_bind().scalars(listed, {"schema": schema}))


def _grant_each(schema: str, privileges: Mapping[str, str], role: str) -> None:
    for table, allowed in privileges.items():
        _execute(schema, f'GRANT {allowed} ON {{schema}}."{table}" TO {role}')


def _execute(schema: str, sql: str) -> None:
    from alembic import op

    op.execute(statement(schema, sql))


def directory(service: str) -> Path:
    """Where the service's chain lies; it need not exist."""
    return Path(kourse.__path__[0]) / service / "migrations"


@cache
def revisions(service: str) -> tuple[str, ...]:
    """Revisions of the service's chain in this build, oldest first.

    Raises:
        LookupError: The chain is empty, or not a single line.
    """
    links = [_link(path) for path in sorted((directory(service) / "versions").glob("*.py"))]
    children = dict(links)
    line: list[str] = []
    while (following := children.get(line[-1] if line else None)) is not None:
        line.append(following)
    if not line or len(line) != len(links):
        raise LookupError(f"the migrations of {service!r} are not one line of revisions")
    return tuple(line)


def _link(path: Path) -> tuple[str | None, str]:
    source = path.read_text(encoding="utf-8")
    found, parent = _REVISION.search(source), _PARENT.search(source)
    if found is None:
        raise LookupError(f"{path} names no revision")
    return (parent["id"] if parent else None), found["id"]


def head(service: str) -> str:
    """Newest revision of the service's chain in this build."""
    return revisions(service)[-1]


async def at_head(database: Database) -> bool:
    """Whether the database's schema stands at this build's head, or at one that only a newer build knows.

    Raises:
        Unavailable: The database does not answer.
    """
    try:
        async with database.transaction(None) as tx:
            found = await tx.scalar(
                statement(database.schema, "SELECT version_num FROM {schema}.alembic_version")
            )
    except exc.ProgrammingError:
        return False
    return found is not None and found not in revisions(database.schema)[:-1]


async def wait_for_head(database: Database, *, poll_s: float = 1.0) -> None:
    """Returns once the schema stands at this build's head or beyond, however long that takes."""
    while True:
        try:
            if await at_head(database):
                return
        except Unavailable:
            pass
        await asyncio.sleep(poll_s)
