"""One stack's addresses and secrets, from which the tables of processes are written."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from hack.install.machine import ROOT, PrerequisiteMissing
from hack.install.packages import SERVERS, installed_file
from hack.install.venv import ENVIRONMENT
from hack.stack.layout import Layout, write_private

HOST = "127.0.0.1"
PYTHON = str(ENVIRONMENT / "bin" / "python")
DATABASE = "kourse"
VIRTUAL_HOST = "kourse"
S3_REGION = "us-east-1"
S3_USER = "kourse"
BROKER_USER = "kourse"
SUPERUSER = "postgres"

DATABASE_SERVICES = ("identity", "profile", "course", "assessment", "notification", "dashboard")
"""The services that have a schema of their own; each also answers remote calls."""

SERVICES = (*DATABASE_SERVICES, "gateway")
"""The services that people and each other call; each has a secret at identity."""

RUNNER = "runner"
"""The service that has no store, no secret and no name at identity."""


@dataclass(frozen=True)
class Site:
    """Where everything of one stack is.

    Attributes:
        layout: Its state directory.
        ports: By name.
        detours: Where our own processes find what stands behind a proxy, by its name.
    """

    layout: Layout
    ports: Mapping[str, int]
    detours: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def load(cls, layout: Layout) -> "Site":
        """Return the site that an earlier command wrote down.

        Raises:
            FileNotFoundError: There is none: the stack is down.
        """
        return cls(layout, json.loads(layout.ports_file.read_text()))

    @property
    def reached(self) -> "Site":
        """The site as our own processes reach it: through the proxies, where there are any."""
        return replace(self, ports={**self.ports, **self.detours}, detours={})

    def address(self, name: str) -> str:
        """Return ``host:port``."""
        return f"{HOST}:{self.ports[name]}"

    def numbers(self, *names: str) -> tuple[int, ...]:
        """Return ports by their names."""
        return tuple(self.ports[name] for name in names)

    def url(self, name: str) -> str:
        """Return the HTTP address."""
        return f"http://{self.address(name)}"

    def secret(self, name: str) -> str:
        """Return a secret, made up once and kept in a file that only its owner reads."""
        path = self.layout.secret(name)
        if not path.exists():
            write_private(path, secrets.token_urlsafe(24))
        return path.read_text()

    def database_url(self, role: str, driver: str = "postgresql+psycopg") -> str:
        """Return the address of the database for a role; ``postgres`` is the superuser."""
        password = quote(self.secret(f"postgres-{role}"), safe="")
        return f"{driver}://{role}:{password}@{self.address('postgres')}/{DATABASE}"

    def redis_url(self, instance: str) -> str:
        """Return the address of ``redis-tokens`` or ``redis-cache``."""
        return f"redis://:{self.secret(instance)}@{self.address(instance)}/0"

    @property
    def broker_management_url(self) -> str:
        """RabbitMQ's management API, with its login."""
        login = f"{BROKER_USER}:{self.secret('rabbitmq')}"
        return f"http://{login}@{self.address('rabbitmq-management')}"

    @property
    def broker_url(self) -> str:
        """The AMQP address, virtual host included."""
        login = f"{BROKER_USER}:{self.secret('rabbitmq')}"
        return f"amqp://{login}@{self.address('rabbitmq')}/{VIRTUAL_HOST}"


def base_environment(home: Path) -> dict[str, str]:
    """Return the environment every child starts from: nothing of the caller's but PATH.

    Args:
        home: The child's home directory.
    """
    return {
        "PATH": f"{ENVIRONMENT / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "MALLOC_ARENA_MAX": "2",
    }


def python_environment(home: Path) -> dict[str, str]:
    """Return the environment of a child that is a Python module of this clone."""
    return {
        **base_environment(home),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }


def program(package: str) -> Path:
    """Return the server program that a Debian package brings.

    Raises:
        PrerequisiteMissing: It is not installed.
    """
    found = installed_file(SERVERS[package])
    if found is None:
        raise PrerequisiteMissing(f"{package} is missing: run `make install`.")
    return found
