"""The outbox relay: publishes one service's events, in order per entity, and never skips ahead.

Each of the 16 partitions belongs to one relay at a time, through a session-level advisory lock that a
crash releases. A relay that lost its lock without noticing can only publish duplicates, which the
consumers' inbox drops. Events are marked published after the broker's confirm, never before.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from zlib import crc32

import psycopg
import structlog
from aiormq.channel import Channel as WireChannel
from aiormq.exceptions import DeliveryError, PublishError
from pamqp.commands import Basic
from prometheus_client import Counter, Gauge
from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier
from sqlalchemy.engine import make_url

from kourse.contracts import names
from kourse.contracts.errors import Unavailable
from kourse.contracts.events import CATALOG
from kourse.kit import faults
from kourse.kit.backoff import full_jitter, pause
from kourse.kit.bus import CONFIRM_TIMEOUT_S, PERSISTENT, Broker, declare_topology
from kourse.kit.db import Database, connect_options, is_transient, statement
from kourse.kit.delivery import CONTENT_TYPE, Outgoing, headers_of
from kourse.kit.lifetime import Lifetime
from kourse.kit.retention import forget_for_ever

log = structlog.get_logger(__name__)

CHANNEL = "kourse_outbox"
"""Notification channel; the payload is the schema."""
BATCH = 100
"""Rows of one partition in flight at a time."""
POLL_S = 1.0
"""Seconds between looks without a notification; it is only a hint."""
CLAIM_S = 2.0
"""Seconds between attempts to take partitions that are free."""
MEASURE_S = 5.0
"""Seconds between measurements of the backlog."""
RETURN_PAUSE_S = 2.0
"""Seconds that a partition rests after the broker refused one of its events."""

PENDING = Gauge("kourse_outbox_pending", "Events not yet published.", ["service"])
OLDEST = Gauge(
    "kourse_outbox_oldest_age_seconds", "Age of the oldest unpublished event.", ["service"]
)
PUBLISHED = Counter("kourse_outbox_published_total", "Events confirmed by the broker.", ["service"])
REFUSED = Counter(
    "kourse_outbox_refused_total",
    "Events that the broker returned or did not confirm; each is tried again.",
    ["service", "reason"],
)

_CLAIM = SQL(
    "SELECT part FROM unnest(%s::int[]) AS part WHERE pg_try_advisory_lock(%s, part) ORDER BY part"
)
_PENDING = SQL(
    "SELECT o.id, o.event_id, o.tenant, o.stream, o.entity, o.seq, o.started_at, o.type,"
    " o.version, o.payload::text AS payload, o.headers, o.routing_key, o.part, o.traceparent,"
    " o.created_at FROM unnest(%s::smallint[]) AS p(part) CROSS JOIN LATERAL ("
    "SELECT * FROM {outbox} WHERE part = p.part AND published_at IS NULL"
    " ORDER BY id LIMIT %s) AS o"
)
_MARK = SQL("UPDATE {outbox} SET published_at = clock_timestamp() WHERE id = ANY(%s)")
_BACKLOG = """
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)
FROM {schema}.outbox WHERE published_at IS NULL
"""


class Relay:
    """Publishes one service's outbox for as long as it runs.

    Attributes:
        parts: Partitions that this relay holds at the moment.
    """

    def __init__(self, database: Database, broker: Broker) -> None:
        """Neither connects nor publishes yet.

        Args:
            database: Of the worker role, whose policy shows it every tenant's outbox.
            broker: Where to.
        """
        self.parts: set[int] = set()
        self._database = database
        self._service = database.schema
        self._broker = broker
        self._life = Lifetime()
        self._stopping = self._life.stopping
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Relays until ``stop``; outlives database and broker, and loses nothing meanwhile."""
        with self._life.lived():
            loops = (self._listen(), self._measure(), forget_for_ever(self._database))
            beside = [asyncio.create_task(loop) for loop in loops]
            try:
                await self._relay()
            finally:
                for task in beside:
                    task.cancel()
                await asyncio.gather(*beside, return_exceptions=True)

    async def stop(self) -> None:
        """Returns once ``run`` has finished the batch in hand and given its partitions back."""
        self._stopping.set()
        self._wake.set()
        await self._life.end()

    async def _relay(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            try:
                async with _Link.open(self._database, self._broker) as link:
                    attempt = 0
                    await self._relay_over(link)
            except (Unavailable, psycopg.Error) as error:
                if isinstance(error, psycopg.Error) and not is_transient(error):
                    log.exception("relay.failed", service=self._service)
                attempt += 1
                log.warning("relay.interrupted", service=self._service, error=str(error))
                await pause(self._stopping, full_jitter(attempt, base_s=0.2, cap_s=10))
            finally:
                self.parts = set()

    async def _relay_over(self, link: _Link) -> None:
        claim_at = 0.0
        while not self._stopping.is_set():
            if time.monotonic() >= claim_at:
                self.parts |= await link.claim(self.parts)
                claim_at = time.monotonic() + CLAIM_S
            self._wake.clear()
            if not await link.publish_pending(self.parts):
                await pause(self._wake, POLL_S)

    async def _listen(self) -> None:
        while True:
            try:
                async with await _connect(self._database, "relay listener") as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self._wake.set()  # for what was committed before anybody listened
                    async for notice in connection.notifies():
                        if notice.payload == self._service:
                            self._wake.set()
            except psycopg.Error:
                await asyncio.sleep(POLL_S)

    async def _measure(self) -> None:
        backlog = statement(self._service, _BACKLOG)
        while True:
            try:
                async with self._database.transaction(None) as tx:
                    pending, age_s = (await tx.execute(backlog)).one()
                PENDING.labels(self._service).set(pending)
                OLDEST.labels(self._service).set(float(age_s))
            except Unavailable:
                pass
            await asyncio.sleep(MEASURE_S)


class _Link:
    """One database session, which holds the locks, with one confirming channel."""

    def __init__(
        self, service: str, connection: psycopg.AsyncConnection, wire: WireChannel
    ) -> None:
        self._service = service
        self._connection = connection
        self._wire = wire
        outbox = Identifier(service, "outbox")
        self._pending = _PENDING.format(outbox=outbox)
        self._mark = _MARK.format(outbox=outbox)
        self._lock = crc32(f"kourse.outbox.{service}".encode()) - 2**31
        self._resting: dict[int, float] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, database: Database, broker: Broker) -> AsyncIterator[_Link]:
        async with await _connect(database, "relay") as connection:
            await declare_topology(broker)
            async with broker.open(confirms=True) as wire:
                yield cls(database.schema, connection, wire)

    async def claim(self, held: set[int]) -> set[int]:
        """Takes every partition that is free; those taken now."""
        wanted = sorted(set(range(names.PARTITIONS)) - held)
        if not wanted:
            return set()
        cursor = await self._connection.execute(_CLAIM, (wanted, self._lock))
        return {part for (part,) in await cursor.fetchall()}

    async def publish_pending(self, parts: set[int]) -> int:
        """Publishes the next rows of these partitions and marks what was confirmed; how many."""
        now = time.monotonic()
        awake = sorted(part for part in parts if self._resting.get(part, 0.0) <= now)
        async with self._connection.cursor(row_factory=class_row(Outgoing)) as cursor:
            rows = await (await cursor.execute(self._pending, (awake, BATCH))).fetchall()
        if not rows:
            return 0
        await faults.point("relay.selected")
        outcomes = await asyncio.gather(*map(self._publish, rows), return_exceptions=True)
        confirmed = self._confirmed_in_order(rows, outcomes)
        await faults.point("relay.confirmed")
        if confirmed:
            await self._connection.execute(self._mark, (confirmed,))
            PUBLISHED.labels(self._service).inc(len(confirmed))
        await faults.point("relay.marked")
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, DeliveryError):
                raise ConnectionError("the channel was lost with events in flight") from outcome
        return len(confirmed)

    async def _publish(self, row: Outgoing) -> None:
        # Tasks start in the order in which gather made them, and the channel sends in that order.
        kind = CATALOG.get(row.type)
        await self._wire.basic_publish(
            row.payload.encode(),
            exchange=names.EVENTS_EXCHANGE,
            routing_key=row.routing_key,
            properties=Basic.Properties(
                content_type=CONTENT_TYPE,
                delivery_mode=PERSISTENT,
                message_id=str(row.event_id),
                message_type=row.type,
                headers=headers_of(row),
            ),
            mandatory=kind is not None and bool(kind.consumers),
            timeout=CONFIRM_TIMEOUT_S,
            wait=False,
        )

    def _confirmed_in_order(
        self, rows: Sequence[Outgoing], outcomes: Sequence[object]
    ) -> list[int]:
        """Ids up to each partition's first failure; what follows it is published again, behind it."""
        stopped: set[int] = set()
        confirmed: dict[int, list[int]] = defaultdict(list)
        for row, outcome in zip(rows, outcomes, strict=True):
            if isinstance(outcome, BaseException) and row.part not in stopped:
                stopped.add(row.part)
                self._rest(row, outcome)
            if row.part not in stopped:
                confirmed[row.part].append(row.id)
        return [id_ for ids in confirmed.values() for id_ in ids]

    def _rest(self, row: Outgoing, outcome: BaseException) -> None:
        self._resting[row.part] = time.monotonic() + RETURN_PAUSE_S
        reason = "returned" if isinstance(outcome, PublishError) else "unconfirmed"
        REFUSED.labels(self._service, reason).inc()
        log.warning(
            "relay.refused",
            service=self._service,
            reason=reason,
            type=row.type,
            event_id=str(row.event_id),
            routing_key=row.routing_key,
        )


async def _connect(database: Database, use: str) -> psycopg.AsyncConnection:
    address = make_url(database.url).set(drivername="postgresql")
    return await psycopg.AsyncConnection.connect(
        address.render_as_string(hide_password=False),
        autocommit=True,
        **connect_options(10.0, f"kourse-{database.schema} {use}"),
    )
