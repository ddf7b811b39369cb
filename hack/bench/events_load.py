"""Outbox rows as ``emit`` writes them, many in one transaction, and what must have become of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
from psycopg.sql import SQL, Identifier

from hack.bench.events_rooms import PRODUCER
from kourse.contracts import names
from kourse.contracts.events import Event, LessonCompleted
from kourse.kit.delivery import Outgoing
from kourse.kit.ids import new_id
from kourse.kit.waking import CHANNEL

TENANT = "bench"
_COPY = """
COPY {service}.outbox (event_id, tenant, stream, entity, seq, started_at, type, version, payload,
  headers, routing_key, part, traceparent) FROM STDIN
"""
_ARCHIVE = """
INSERT INTO course.outbox (event_id, tenant, stream, entity, seq, started_at, type, version, payload,
  headers, routing_key, part, traceparent, created_at, published_at)
SELECT gen_random_uuid(), tenant, stream, 'archived-' || mod(n, 5000), %(from)s + n, started_at, type,
  version, payload, headers, routing_key, mod(n, 16), traceparent, made_at, made_at
FROM (SELECT * FROM course.outbox ORDER BY id LIMIT 1) AS one, generate_series(1, %(count)s) AS n,
  LATERAL (SELECT clock_timestamp() - n * interval '1 second') AS times(made_at)
"""
_APPLIED = """
INSERT INTO dashboard.inbox (consumer, event_id, tenant, stream, entity, seq, applied_at)
SELECT 'dashboard', event_id, tenant, stream, entity, seq, created_at FROM course.outbox
WHERE entity LIKE 'archived-%'
"""
_SO_FAR = (
    "SELECT coalesce(sum(lessons), 0), coalesce(sum(completed), 0) FROM dashboard.bench_lessons"
)
_UNPUBLISHED = "SELECT count(*) FROM course.outbox WHERE published_at IS NULL"
_PARKED = "SELECT count(*) FROM dashboard.parked_event"


class WrongEffectsError(Exception):
    """The effects are not those of the events: a figure taken from them would mean nothing."""


@dataclass
class Learners:
    """Entities whose events a bench makes, evenly and in order.

    Attributes:
        events: How many were made.
        completed: Sum of a field of all that were made.
    """

    ids: Sequence[UUID]
    events: int = 0
    completed: int = 0

    @classmethod
    def some(cls, count: int) -> Learners:
        """So many new ones."""
        return cls([uuid4() for _ in range(count)])

    def rows(self, count: int) -> Iterator[Outgoing]:
        """The next so many events."""
        now, course_id, lesson_id = datetime.now(UTC), uuid4(), uuid4()
        for number in range(self.events, self.events + count):
            entity = self.ids[number % len(self.ids)]
            seq = number // len(self.ids) + 1
            event = LessonCompleted(
                enrolment_id=entity,
                learner_id=entity,
                course_id=course_id,
                course="statistics",
                cohort="autumn",
                lesson_id=lesson_id,
                lesson="what-data-are",
                title="What data are",
                completed=seq,
                total=1 << 20,
            )
            yield outgoing(event, seq=seq, number=number, now=now)
            self.completed += seq
        self.events += count


def outgoing(event: Event, *, seq: int, number: int, now: datetime) -> Outgoing:
    """The event as the row that ``emit`` would write, with this sequence number of its entity."""
    return Outgoing(
        id=number,
        event_id=new_id(),
        tenant=TENANT,
        stream=event.kind.stream.value,
        entity=event.entity,
        seq=seq,
        started_at=now,
        type=event.kind.name,
        version=event.kind.version,
        payload=event.model_dump_json(),
        headers={},
        routing_key=event.routing_key(TENANT),
        part=names.partition(event.entity),
        traceparent=f"00-{token_hex(16)}-{token_hex(8)}-00",
        created_at=now,
    )


def write(
    connection: psycopg.Connection, rows: Sequence[Outgoing], service: LiteralString = PRODUCER
) -> None:
    """Puts the rows into the service's outbox and wakes its relay, when the caller commits."""
    with connection.cursor().copy(SQL(_COPY).format(service=Identifier(service))) as copy:
        for row in rows:
            own = (row.event_id, row.tenant, row.stream, row.entity, row.seq, row.started_at)
            rest = (row.type, row.version, row.payload, "{}", row.routing_key, row.part)
            copy.write_row((*own, *rest, row.traceparent))
    connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, service))


def archive(connection: psycopg.Connection, count: int) -> None:
    """So many events were published and applied before, as the retention keeps them."""
    connection.execute(_ARCHIVE, {"from": 0, "count": count})
    connection.execute(_APPLIED)
    connection.execute("VACUUM ANALYZE course.outbox")
    connection.execute("VACUUM ANALYZE dashboard.inbox")


def applied(connection: psycopg.Connection) -> int:
    """How many events have taken effect."""
    return int(_first(connection, _SO_FAR))


def unpublished(connection: psycopg.Connection) -> int:
    """How many events the relay has still to mark."""
    return int(_first(connection, _UNPUBLISHED))


def _first(connection: psycopg.Connection, query: str) -> Any:
    return (connection.execute(query).fetchone() or (0,))[0]


def verify(connection: psycopg.Connection, learners: Learners) -> None:
    """Returns when each event took effect exactly once, and nothing is left or set aside.

    Raises:
        WrongEffectsError: It is not so.
    """
    count, total = connection.execute(_SO_FAR).fetchone() or (0, 0)
    found = (int(count), int(total), unpublished(connection), int(_first(connection, _PARKED)))
    if found != (learners.events, learners.completed, 0, 0):
        expected = (learners.events, learners.completed, 0, 0)
        raise WrongEffectsError(
            f"(effects, their sum, unpublished, parked) are {found} and not {expected}"
        )
