"""Checks of the event backbone: from every outbox to every inbox, whole, once and in order."""

from __future__ import annotations

from collections.abc import Iterator

import aio_pika

from hack.chaos.evidence import Database, links
from hack.chaos.verdict import Verdict, judge
from kourse.contracts import names
from kourse.contracts.events import consumers

_UNPUBLISHED = """
SELECT type, entity, seq FROM {service}.outbox WHERE published_at IS NULL
"""
_COUNT = "SELECT count(*) AS n FROM {service}.outbox"
_HOLES = """
SELECT s.stream, s.entity, s.last_seq, count(o.seq) AS events, max(o.seq) AS highest
FROM {service}.event_sequence AS s
LEFT JOIN {service}.outbox AS o USING (tenant, stream, entity)
GROUP BY s.tenant, s.stream, s.entity, s.last_seq
HAVING count(o.seq) <> s.last_seq OR max(o.seq) <> s.last_seq
"""
_BEHIND = """
SELECT %(consumer)s AS consumer, s.stream, s.entity, s.last_seq, c.last_seq AS stands_at, c.blocked
FROM {producer}.event_sequence AS s
LEFT JOIN {consumer}.inbox_cursor AS c
  ON (c.consumer, c.tenant, c.stream, c.entity) = (%(consumer)s, s.tenant, s.stream, s.entity)
WHERE s.stream = %(stream)s AND (c.last_seq IS DISTINCT FROM s.last_seq OR c.blocked)
"""
_ENTITIES = "SELECT count(*) AS n FROM {producer}.event_sequence WHERE stream = %(stream)s"
_MISSED = """
SELECT %(consumer)s AS consumer, o.type, o.entity, o.seq FROM {producer}.outbox AS o
WHERE o.stream = %(stream)s AND NOT EXISTS (
  SELECT FROM {consumer}.inbox AS i
  WHERE i.consumer = %(consumer)s AND i.event_id = o.event_id
    AND (i.tenant, i.stream, i.entity, i.seq) = (o.tenant, o.stream, o.entity, o.seq))
"""
_EVENTS = "SELECT count(*) AS n FROM {producer}.outbox WHERE stream = %(stream)s"
_INVERTED = """
SELECT consumer, stream, entity, seq, applied_at FROM (
  SELECT consumer, stream, entity, seq, applied_at, max(applied_at) OVER (
    PARTITION BY consumer, tenant, stream, entity ORDER BY seq
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM {service}.inbox) AS applied
WHERE before > applied_at
"""
_APPLIED = "SELECT count(*) AS n FROM {service}.inbox"
_PARKED = "SELECT consumer, type, entity, seq, reason, error FROM {service}.parked_event"


def lagging(database: Database) -> int:
    """How much is still on its way: events that have not left, entities that consumers stand behind."""
    unpublished = sum(
        len(database.ask(_UNPUBLISHED, service=service)) for service in names.SERVICES
    )
    behind = sum(
        len(database.ask(_BEHIND, vars(link), producer=link.producer, consumer=link.consumer))
        for link in links()
    )
    return unpublished + behind


def check_events(database: Database) -> Iterator[Verdict]:
    """The promises about events, one after another."""
    services = names.SERVICES
    events = _sum(database, _COUNT)
    yield judge(
        "every event has left its outbox",
        events,
        (row for service in services for row in database.ask(_UNPUBLISHED, service=service)),
    )
    yield judge(
        "every entity's events are numbered without a hole",
        events,
        (row for service in services for row in database.ask(_HOLES, service=service)),
    )
    yield _over_links(
        database, "every consumer stands at the last event of every entity", _BEHIND, _ENTITIES
    )
    yield _over_links(
        database, "every event took effect at each of its consumers", _MISSED, _EVENTS
    )
    applied = _sum(database, _APPLIED)
    yield judge(
        "no consumer applied an entity's events out of order",
        applied,
        (row for service in services for row in database.ask(_INVERTED, service=service)),
    )
    yield judge(
        "no event is parked or waits in a gap",
        applied,
        (row for service in services for row in database.ask(_PARKED, service=service)),
    )


async def check_queues(broker_url: str) -> Verdict:
    """Nothing is left at the broker, and nothing was dead-lettered.

    Args:
        broker_url: AMQP.
    """
    queues = [
        *names.GRADING_QUEUES,
        *(names.dead_letter_queue(owner) for owner in (*consumers(), *names.GRADING_QUEUES)),
        *(
            names.consumer_queue(consumer, part)
            for consumer in consumers()
            for part in range(names.PARTITIONS)
        ),
    ]
    left = []
    connection = await aio_pika.connect(broker_url)
    async with connection, connection.channel() as channel:
        for name in queues:
            queue = await channel.declare_queue(name, passive=True)
            if count := queue.declaration_result.message_count:
                left.append(f"{count} in {name}")
    return judge("no message is left in a queue or was dead-lettered", len(queues), left)


def _sum(database: Database, query: str) -> int:
    return sum(int(database.ask(query, service=service)[0]["n"]) for service in names.SERVICES)


def _over_links(database: Database, promise: str, breaches: str, everything: str) -> Verdict:
    found, looked_at = [], 0
    for link in links():
        schemas = {"producer": link.producer, "consumer": link.consumer}
        found += database.ask(breaches, vars(link), **schemas)
        looked_at += database.ask(everything, vars(link), producer=link.producer)[0]["n"]
    return judge(promise, looked_at, found)
