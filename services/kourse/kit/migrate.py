"""Runs every service's migrations: one command at a time, whoever starts it.

Roles are the installer's; schemas, tables and grants are made here, as the role that owns them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, NullPool, create_engine, exc, text
from sqlalchemy.engine import make_url

from kourse.contracts import names
from kourse.kit.db import statement
from kourse.kit.migrations import (
    OPERATOR_ROLE,
    VERSION_TABLE,
    app_role,
    directory,
    head,
    worker_role,
)

_LOCK = 0x6B6F7572
"""The advisory lock's key ("kour"); fixed for ever, so that any two versions exclude each other."""
_LOCK_POLL_S = 0.5
Say = Callable[[str], None]


class MigrationRefusedError(Exception):
    """The migrations cannot run; the message says why and what to do."""


@dataclass(frozen=True)
class Migrated:
    """What became of one service's schema.

    Attributes:
        service: The service.
        before: Revision it stood at, or None for a new schema.
        after: Revision it stands at.
        applied: Revisions that ran, oldest first.
        seconds: How long they took.
    """

    service: str
    before: str | None
    after: str
    applied: tuple[str, ...]
    seconds: float


def chains() -> tuple[str, ...]:
    """Services that have migrations, in catalog order."""
    return tuple(name for name in names.SERVICES if (directory(name) / "env.py").exists())


def upgrade(url: str, services: Iterable[str] = (), say: Say = lambda _: None) -> list[Migrated]:
    """Brings schemas to this build's head, each in one transaction, under an advisory lock.

    Args:
        url: Address of the database as the role that owns it.
        services: Whose schemas; all by default.
        say: Gets a line for each step.

    Returns:
        What was done, in catalog order.

    Raises:
        MigrationRefusedError: A role is missing, a service is unknown, the address is none, or the
            database cannot be reached.
    """
    wanted = _wanted(tuple(services))
    engine = _engine(url)
    try:
        with _alone(engine, say):
            _require_roles(engine, wanted)
            return [_upgrade_one(engine, service, say) for service in wanted]
    except exc.OperationalError as error:
        raise MigrationRefusedError(
            f"The database does not answer or refuses the log-in: {str(error.orig).strip()}"
        ) from error
    finally:
        engine.dispose()


def _engine(url: str) -> Engine:
    try:
        address = make_url(url).set(drivername="postgresql+psycopg")
    except exc.ArgumentError:
        raise MigrationRefusedError(
            "What was given is no address of a database (postgresql://user:password@host:port/name)."
        ) from None
    return create_engine(
        address,
        poolclass=NullPool,
        connect_args={"application_name": "kourse-migrate", "connect_timeout": 10},
    )


def _wanted(services: tuple[str, ...]) -> tuple[str, ...]:
    available = chains()
    unknown = sorted(set(services) - set(available))
    if unknown:
        raise MigrationRefusedError(
            f"There are no migrations of {', '.join(unknown)}; there are of {', '.join(available)}."
        )
    return tuple(name for name in available if not services or name in services)


@contextmanager
def _alone(engine: Engine, say: Say) -> Iterator[None]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        attempt = text("SELECT pg_try_advisory_lock(:key)")
        waiting = False
        while not connection.scalar(attempt, {"key": _LOCK}):
            if not waiting:
                say("another migration is running; waiting for it")
            waiting = True
            time.sleep(_LOCK_POLL_S)
        yield


def _require_roles(engine: Engine, services: Iterable[str]) -> None:
    needed = {OPERATOR_ROLE}
    for service in services:
        needed |= {app_role(service), worker_role(service)}
    with engine.connect() as connection:
        found = set(connection.scalars(text("SELECT rolname FROM pg_roles")))
    if missing := sorted(needed - found):
        raise MigrationRefusedError(
            f"The database roles {', '.join(missing)} do not exist; "
            "the installer makes them before the migrations run."
        )


def _upgrade_one(engine: Engine, service: str, say: Say) -> Migrated:
    started = time.monotonic()
    applied: list[str] = []

    def report(revision: str) -> None:
        applied.append(revision)
        say(f"{service}: {revision}")

    with engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '30s'"))
        connection.execute(statement(service, "CREATE SCHEMA IF NOT EXISTS {schema}"))
        before = _current(connection, service)
        command.upgrade(_config(service, connection, report), "head")
        for role in (app_role(service), OPERATOR_ROLE):
            connection.execute(
                statement(service, f"GRANT SELECT ON {{schema}}.{VERSION_TABLE} TO {role}")
            )
    if not applied:
        say(f"{service}: nothing to do, at {head(service)}")
    return Migrated(
        service, before, head(service), tuple(applied), round(time.monotonic() - started, 3)
    )


def _current(connection: Connection, service: str) -> str | None:
    there = text("SELECT to_regclass(:name)")
    if connection.scalar(there, {"name": f"{service}.{VERSION_TABLE}"}) is None:
        return None
    sql = statement(service, "SELECT version_num FROM {schema}.alembic_version")
    found: str | None = connection.scalar(sql)
    return found


def _config(service: str, connection: Connection, report: Say) -> Config:
    config = Config()
    config.set_main_option("script_location", str(directory(service)).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes.update(connection=connection, report=report)
    return config
