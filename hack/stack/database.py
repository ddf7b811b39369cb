"""Makes the database cluster, the roles and the database, as tasks of the stack.

Both tasks may run any number of times. Schemas and tables are the migrations' work; roles are the
installer's, here as in a Kubernetes cluster: a migration must not hold the right to make them.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import psycopg
from psycopg import sql

from hack.stack.layout import Layout
from hack.stack.postgres import as_postgres
from hack.stack.site import DATABASE, DATABASE_SERVICES, SUPERUSER, Site, program

MIGRATE_ROLE = "kourse_migrate"
OPERATOR_ROLE = "kourse_operator"
ROLES = (
    MIGRATE_ROLE,
    OPERATOR_ROLE,
    *(f"kourse_{name}" for name in DATABASE_SERVICES),
    *(f"kourse_{name}_worker" for name in DATABASE_SERVICES),
)
"""No role is a superuser or passes row-level security; the migration role owns the database."""

KEYCLOAK_DATABASE = "keycloak"
KEYCLOAK_ROLE = "keycloak"


def make_cluster(site: Site) -> None:
    """Make the directory of the database cluster unless it is there, whole or not at all."""
    home = site.layout.data("postgres")
    cluster, unfinished = home / "cluster", home / "unfinished"
    if (cluster / "PG_VERSION").exists():
        return
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(unfinished, "postgres", "postgres")
    site.secret(f"postgres-{SUPERUSER}")
    initdb = str(program("postgresql").with_name("initdb"))
    password = f"--pwfile={site.layout.secret(f'postgres-{SUPERUSER}')}"
    flags = ["-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "-U", SUPERUSER, password]
    subprocess.run(as_postgres([initdb, "-D", str(unfinished), *flags]), check=True)
    unfinished.rename(cluster)


def make_roles(site: Site) -> None:
    """Make the roles, with the passwords of the site, and the database."""
    with psycopg.connect(_superuser_url(site), autocommit=True) as connection:
        for role in ROLES:
            ensure_role(connection, role, site.secret(f"postgres-{role}"))
        ensure_database(connection, DATABASE)


def make_keycloak(site: Site) -> None:
    """Make Keycloak's role and the database that it owns."""
    with psycopg.connect(_superuser_url(site), autocommit=True) as connection:
        ensure_role(connection, KEYCLOAK_ROLE, site.secret(f"postgres-{KEYCLOAK_ROLE}"))
        ensure_database(connection, KEYCLOAK_DATABASE, (KEYCLOAK_ROLE,), owner=KEYCLOAK_ROLE)


def ensure_role(connection: psycopg.Connection, role: str, password: str) -> None:
    """Make a log-in role without any privilege, or give it this password.

    Args:
        connection: A superuser's, in autocommit mode.
        role: Its name.
        password: Its password.
    """
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    verb = sql.SQL("ALTER" if found else "CREATE")
    connection.execute(
        sql.SQL(
            "{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
            " PASSWORD {}"
        ).format(verb, sql.Identifier(role), sql.Literal(password))
    )


def ensure_database(
    connection: psycopg.Connection,
    name: str,
    roles: Iterable[str] = ROLES,
    owner: str = MIGRATE_ROLE,
) -> None:
    """Make a database that its owner fills and only the given roles may enter.

    Args:
        connection: A superuser's, in autocommit mode.
        name: The database's name.
        roles: Who may connect.
        owner: The role that may do everything in it.
    """
    database, owning = sql.Identifier(name), sql.Identifier(owner)
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
    if not found:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owning))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    allowed = sql.SQL(", ").join(sql.Identifier(role) for role in roles)
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, allowed))


def _superuser_url(site: Site) -> str:
    return f"{site.database_url(SUPERUSER, driver='postgresql').rpartition('/')[0]}/postgres"


TASKS = {
    "postgres-cluster": make_cluster,
    "postgres-roles": make_roles,
    "keycloak-database": make_keycloak,
}


def main() -> None:
    """Carry out the task named on the command line."""
    name, root = sys.argv[1:]
    TASKS[name](Site.load(Layout(Path(root))))


if __name__ == "__main__":
    main()
