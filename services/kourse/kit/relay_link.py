"""A relay's hold on database and broker: takes pending events, publishes them, marks what is safe."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

import orjson
import psycopg
import structlog
from prometheus_client import Counter
from psycopg.rows import args_row
from psycopg.sql import SQL, Identifier
from psycopg.types.json import set_json_loads
from sqlalchemy.engine import make_url

from kourse.contracts import events, names
from kourse.kit import amqp, faults
from kourse.kit.amqp import codec
from kourse.kit.bus import CONFIRM_TIMEOUT_S, Broker, declare_topology
from kourse.kit.db import Database, connect_options
from kourse.kit.delivery import CONTENT_TYPE, Outgoing, encoded_headers
from kourse.kit.handling import trace_publication
from kourse.kit.shares import Shares
from kourse.kit.telemetry.tracing import is_exporting

log = structlog.get_logger(__name__)

BATCH = 256
"""Rows of one partition in flight at a time."""
RETURN_PAUSE_S = 2.0
"""Seconds that a partition rests after the broker refused one of its events."""

PUBLISHED = Counter("kourse_outbox_published_total", "Events confirmed by the broker.", ["service"])
EVENTS = Counter(
    "kourse_events_total",
    "Events confirmed by the broker, by their type: what people do.",
    ["type"],
)
REFUSED = Counter(
    "kourse_outbox_refused_total",
    "Events that the broker returned or did not confirm; each is tried again.",
    ["service", "reason"],
)

_PENDING = SQL(
    "SELECT o.id, o.event_id, o.tenant, o.stream, o.entity, o.seq, o.started_at, o.type,"
    " o.version, o.payload::text, o.headers, o.routing_key, o.part, o.traceparent, o.created_at"
    " FROM unnest(%s::smallint[]) AS p(part) CROSS JOIN LATERAL ("
    "SELECT * FROM {outbox} WHERE part = p.part AND published_at IS NULL"
    " ORDER BY id LIMIT %s) AS o"
)
_MARK = SQL("UPDATE {outbox} SET published_at = clock_timestamp() WHERE id = ANY(%s)")


class Link:
    """One database session, which holds the locks, with one confirming channel.

    Attributes:
        shares: The partitions held.
    """

    def __init__(
        self,
        service: str,
        connection: psycopg.AsyncConnection,
        broker: Broker,
        publisher: amqp.Publisher,
    ) -> None:
        self.shares = Shares(connection, service)
        self._broker = broker
        self._service = service
        self._connection = connection
        self._publisher = publisher
        outbox = Identifier(service, "outbox")
        self._pending = _PENDING.format(outbox=outbox)
        self._mark = _MARK.format(outbox=outbox)
        self._resting: dict[int, float] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, database: Database, broker: Broker) -> AsyncIterator[Link]:
        """A link that counts among the replicas, and holds no partition yet.

        Raises:
            Unavailable: The broker is or becomes unreachable.
            psycopg.Error: The database is or becomes unreachable.
        """
        async with await connect(database, "relay") as connection:
            # A mark that a crash of the database takes back costs a duplicate, which every inbox drops.
            await connection.execute("SET synchronous_commit = off")
            await declare_topology(broker)
            async with broker.publishing() as publisher:
                link = cls(database.schema, connection, broker, publisher)
                await link.shares.join()
                yield link

    async def settle(self) -> None:
        """Takes or gives back partitions, and makes queues that proved to be missing.

        Raises:
            Unavailable: The broker is or becomes unreachable.
            psycopg.Error: The database is or becomes unreachable.
        """
        await declare_topology(self._broker)
        await self.shares.settle()

    async def publish_pending(self, parts: Collection[int]) -> int:
        """Publishes the next rows of these partitions and marks what was confirmed; how many.

        Partitions that are refused something rest, and go on from there later. Calls for different
        partitions may overlap, calls for the same ones may not.

        Raises:
            LostError: The channel was lost; what was confirmed before is marked.
        """
        now = time.monotonic()
        awake = sorted(part for part in parts if self._resting.get(part, 0.0) <= now)
        rows = await self._select(awake)
        if not rows:
            return 0
        await faults.point("relay.selected")
        batch = await self._publisher.send([_publication(row) for row in rows])
        await faults.point("relay.sent")
        try:
            await self._publisher.settled(batch, timeout_s=CONFIRM_TIMEOUT_S)
        finally:
            confirmed = await self._mark_confirmed(rows, batch)
        return confirmed

    async def _select(self, parts: Sequence[int]) -> list[Outgoing]:
        async with self._connection.cursor(row_factory=args_row(Outgoing)) as cursor:
            return await (await cursor.execute(self._pending, (parts, BATCH))).fetchall()

    async def _mark_confirmed(self, rows: Sequence[Outgoing], batch: amqp.Batch) -> int:
        confirmed = self._confirmed_in_order(rows, batch)
        await faults.point("relay.confirmed")
        if confirmed:
            await self._connection.execute(self._mark, (confirmed,))
            self._tell(rows, frozenset(confirmed))
        await faults.point("relay.marked")
        return len(confirmed)

    def _tell(self, rows: Sequence[Outgoing], confirmed: frozenset[int]) -> None:
        """Counts what is safe with the broker, and puts it into the traces that it belongs to."""
        PUBLISHED.labels(self._service).inc(len(confirmed))
        published = [row for row in rows if row.id in confirmed]
        for type_, count in Tally(row.type for row in published).items():
            EVENTS.labels(type_).inc(count)
        if is_exporting():
            for row in published:
                trace_publication(row)

    def _confirmed_in_order(self, rows: Sequence[Outgoing], batch: amqp.Batch) -> list[int]:
        """Ids up to each partition's first refusal; what follows it is published again, behind it."""
        stopped: set[int] = set()
        confirmed: dict[int, list[int]] = defaultdict(list)
        for index, row in enumerate(rows):
            if row.part in stopped:
                continue
            if (refusal := batch.refusal(index)) is None:
                confirmed[row.part].append(row.id)
            else:
                stopped.add(row.part)
                self._rest(row, refusal)
        return [id_ for ids in confirmed.values() for id_ in ids]

    def _rest(self, row: Outgoing, refusal: str) -> None:
        self._resting[row.part] = time.monotonic() + RETURN_PAUSE_S
        REFUSED.labels(self._service, refusal).inc()
        if refusal == "returned":
            self._broker.forget_topology()
        log.warning(
            "relay.refused",
            service=self._service,
            reason=refusal,
            type=row.type,
            event_id=str(row.event_id),
            routing_key=row.routing_key,
        )


def _publication(row: Outgoing) -> amqp.Publication:
    id_, mandatory = str(row.event_id), row.type in events.awaited()
    return amqp.Publication(
        id_,
        codec.route(names.EVENTS_EXCHANGE, row.routing_key, mandatory=mandatory),
        codec.properties(
            content_type=CONTENT_TYPE,
            headers=encoded_headers(row),
            message_id=id_,
            message_type=row.type,
        ),
        row.payload.encode(),
    )


async def connect(database: Database, use: str) -> psycopg.AsyncConnection:
    """A session of the relay's own, beside the pool.

    Raises:
        psycopg.Error: The database cannot be reached.
    """
    address = make_url(database.url).set(drivername="postgresql")
    connection = await psycopg.AsyncConnection.connect(
        address.render_as_string(hide_password=False),
        autocommit=True,
        **connect_options(10.0, f"kourse-{database.schema} {use}"),
    )
    set_json_loads(orjson.loads, connection)
    return connection
