"""Servers of the bench's own, and in them databases and virtual hosts that nothing else uses."""

from __future__ import annotations

import json
import urllib.request
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url
from yarl import URL

from hack.stack.database import ensure_database
from hack.stack.endpoints import Endpoints
from hack.stack.lifecycle import ensure, stop
from kourse.contracts.events import consumers
from kourse.kit.bus import Broker
from kourse.kit.migrate import upgrade
from kourse.kit.topology import Binding, Item

PRODUCER = "course"
CONSUMER = "dashboard"

_AGGREGATE = """
CREATE TABLE dashboard.bench_lessons (
  tenant text NOT NULL, enrolment_id uuid NOT NULL, lessons bigint NOT NULL, completed bigint NOT NULL,
  PRIMARY KEY (tenant, enrolment_id)
);
CREATE TABLE course.bench_progress (
  tenant text NOT NULL, enrolment_id uuid NOT NULL, completed bigint NOT NULL,
  PRIMARY KEY (tenant, enrolment_id)
);
GRANT SELECT, INSERT, UPDATE ON dashboard.bench_lessons TO kourse_dashboard;
GRANT SELECT, INSERT, UPDATE ON course.bench_progress TO kourse_course;
"""


@dataclass(frozen=True)
class Room:
    """A migrated database and a virtual host.

    Attributes:
        name: Of both.
        broker_url: AMQP address of the virtual host.
        cache_url: The Redis that may drop anything.
        superuser_url: The database, for whom no policy binds.
        urls: The database, by role.
    """

    name: str
    broker_url: str = field(repr=False)
    cache_url: str = field(repr=False)
    superuser_url: str = field(repr=False)
    urls: dict[str, str] = field(repr=False)

    def admin(self) -> psycopg.Connection:
        """A connection that sees every tenant, in autocommit mode; close it."""
        return psycopg.connect(self.superuser_url, autocommit=True)


class Servers:
    """The infrastructure that the bench has started."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints

    def room(self, name: str) -> Room:
        """A new room; it goes with the servers."""
        self._manage("PUT", f"vhosts/{name}", {})
        rights = {"configure": ".*", "write": ".*", "read": ".*"}
        self._manage("PUT", f"permissions/{name}/{self._endpoints.broker_user}", rights)
        with psycopg.connect(self._endpoints.superuser_url, autocommit=True) as connection:
            ensure_database(connection, name)
        urls = {role: _within(url, name) for role, url in self._endpoints.database_urls.items()}
        upgrade(urls["kourse_migrate"])
        room = Room(
            name,
            str(URL(self._endpoints.broker_url).with_path(f"/{name}")),
            self._endpoints.cache_url,
            _within(self._endpoints.superuser_url, name),
            urls,
        )
        with room.admin() as connection:
            connection.execute(_AGGREGATE)
        return room

    def _manage(self, method: str, path: str, body: object) -> None:
        login = f"{self._endpoints.broker_user}:{self._endpoints.broker_password}".encode()
        request = urllib.request.Request(  # noqa: S310
            f"{self._endpoints.broker_management_url}/api/{path}",
            method=method,
            data=json.dumps(body).encode(),
            headers={
                "Authorization": f"Basic {b64encode(login).decode()}",
                "Content-Type": "application/json",
            },
        )
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310


def _within(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


@contextmanager
def servers(state: Path) -> Iterator[Servers]:
    """The infrastructure, for as long as the block runs.

    Args:
        state: State directory of the stack, new and empty.
    """
    try:
        yield Servers(ensure(state))
    finally:
        stop(state)


class OneConsumer(Broker):
    """A broker that has the queues of one consumer only, so that each message goes to one queue."""

    async def ensure(self, items: Iterable[Item]) -> None:
        """As ``Broker.ensure``, without the other consumers' queues."""
        others = tuple(f"{name}." for name in consumers() if name != CONSUMER)
        await super().ensure([item for item in items if not _queue_of(item).startswith(others)])


def _queue_of(item: Item) -> str:
    return item.destination if isinstance(item, Binding) else item.name
