"""What the database holds, read as nobody in the platform may: every schema, every tenant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from kourse.contracts.events import CATALOG, consumers, streams_of

Row = dict[str, Any]


@dataclass(frozen=True)
class Link:
    """One stream on its way from its producer to one consumer."""

    stream: str
    producer: str
    consumer: str


def links() -> list[Link]:
    """Every (stream, producer, consumer) of the catalog."""
    producers = {kind.stream: kind.producer for kind in CATALOG.values()}
    return [
        Link(stream.value, producers[stream], consumer)
        for consumer in consumers()
        for stream in streams_of(consumer)
    ]


class Database:
    """Questions to the platform's database."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        """Takes a superuser's connection in autocommit mode."""
        self._connection = connection

    @classmethod
    @contextmanager
    def open(cls, url: str) -> Iterator[Database]:
        """A connection that no policy binds.

        Args:
            url: ``postgresql://`` with the superuser's log-in.
        """
        with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
            yield cls(connection)

    def ask(self, query: str, values: Mapping[str, Any] | None = None, **schemas: str) -> list[Row]:
        """Rows of a query.

        Args:
            query: With ``{name}`` where a schema stands and ``%(name)s`` where a value does.
            values: By name.
            schemas: By name.
        """
        places = {name: sql.Identifier(schema) for name, schema in schemas.items()}
        ready = sql.SQL(query).format(**places)
        return self._connection.execute(ready, values).fetchall()
