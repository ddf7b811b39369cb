"""Real servers for tests: the stack's infrastructure, with rooms of one's own in it."""

import contextlib
import fcntl
import hashlib
import json
import secrets
import urllib.request
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url
from yarl import URL

import kourse
from support.waiting import LONG_S


@dataclass(frozen=True)
class Scratch:
    """A database that is gone after the test module."""

    name: str
    superuser_url: str
    urls: dict[str, str]

    def url(self, role):
        """Address for a role, for example ``kourse_course``."""
        return self.urls[role]

    def admin(self):
        """A connection that no policy binds, in autocommit mode; close it."""
        return psycopg.connect(self.superuser_url, autocommit=True)


class Servers:
    """The infrastructure of one stack.

    Attributes:
        endpoints: Where everything is (``hack.stack.endpoints.Endpoints``).
    """

    def __init__(self, endpoints):
        self.endpoints = endpoints

    @classmethod
    def up(cls, state):
        """The stack of this state directory, brought up unless it is."""
        from hack.stack.lifecycle import ensure

        return cls(ensure(state))

    @contextlib.contextmanager
    def scratch_database(self, *, migrated=True):
        """A new database, migrated or empty, dropped at the end."""
        name = f"scratch_{secrets.token_hex(6)}"
        with self._superuser() as connection:
            template = self._template(connection) if migrated else "template0"
            _create(connection, name, template)
        try:
            yield self._scratch(name)
        finally:
            with self._superuser() as connection:
                drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
                connection.execute(drop)

    @contextlib.contextmanager
    def scratch_host(self):
        """A new virtual host at the broker, deleted at the end."""
        host = f"test-{secrets.token_hex(6)}"
        self._manage("PUT", f"vhosts/{host}", {})
        rights = {"configure": ".*", "write": ".*", "read": ".*"}
        self._manage("PUT", f"permissions/{host}/{self.endpoints.broker_user}", rights)
        try:
            yield str(URL(self.endpoints.broker_url).with_path(f"/{host}"))
        finally:
            self._manage("DELETE", f"vhosts/{host}")

    @contextlib.contextmanager
    def broker_user(self, host_url, *, configure="", write="", read=""):
        """A user of the broker who may do only this in a virtual host; the address for it."""
        name, password = f"test-{secrets.token_hex(6)}", secrets.token_hex(16)
        rights = {"configure": configure, "write": write, "read": read}
        host = quote(URL(host_url).path.removeprefix("/"), safe="")
        self._manage("PUT", f"users/{name}", {"password": password, "tags": ""})
        try:
            self._manage("PUT", f"permissions/{host}/{name}", rights)
            yield str(URL(host_url).with_user(name).with_password(password))
        finally:
            self._manage("DELETE", f"users/{name}")

    def _manage(self, method, path, body=None):
        login = f"{self.endpoints.broker_user}:{self.endpoints.broker_password}".encode()
        request = urllib.request.Request(
            f"{self.endpoints.broker_management_url}/api/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Basic {b64encode(login).decode()}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=LONG_S) as response:
            return response.read()

    def _superuser(self):
        return psycopg.connect(self.endpoints.superuser_url, autocommit=True)

    def _scratch(self, name):
        urls = {
            role: make_url(url).set(database=name).render_as_string(hide_password=False)
            for role, url in self.endpoints.database_urls.items()
        }
        superuser = make_url(self.endpoints.superuser_url).set(database=name)
        return Scratch(name, superuser.render_as_string(hide_password=False), urls)

    def _template(self, connection):
        """A database with all migrations applied, made by whichever worker comes first."""
        from kourse.kit.migrate import upgrade

        name = f"template_{_digest_of_migrations()}"
        with (self.endpoints.state_dir / "template.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(found, (name,)).fetchone() is None:
                unfinished = f"{name}_unfinished"
                drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                connection.execute(drop.format(sql.Identifier(unfinished)))
                _create(connection, unfinished, "template0")
                upgrade(self._scratch(unfinished).url("kourse_migrate"))
                rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
                connection.execute(rename.format(sql.Identifier(unfinished), sql.Identifier(name)))
        return name


def _create(connection, name, template):
    from hack.stack.database import MIGRATE_ROLE, ensure_database

    create = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
    connection.execute(create.format(*map(sql.Identifier, (name, MIGRATE_ROLE, template))))
    ensure_database(connection, name)


def _digest_of_migrations():
    root = Path(kourse.__path__[0])
    kit = [root / "kit" / "platform_schema.py", root / "kit" / "migrations.py"]
    files = [*root.glob("*/migrations/**/*.py"), *kit]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
