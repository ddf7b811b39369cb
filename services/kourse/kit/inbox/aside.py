"""How much stands aside, for whoever is on call: parked, blocked and waiting for what never came."""

from __future__ import annotations

import time
from collections.abc import Collection

from prometheus_client import Gauge

from kourse.contracts import names
from kourse.kit.bus import Broker
from kourse.kit.db import Database, statement

PARKED = Gauge(
    "kourse_inbox_parked", "Events that failed for good and wait for a person.", ["consumer"]
)
BLOCKED = Gauge(
    "kourse_inbox_blocked_entities", "Entities that wait behind a parked event.", ["consumer"]
)
GAPS = Gauge("kourse_inbox_gaps", "Entities of which an event is missing.", ["consumer"])
OLDEST_GAP = Gauge(
    "kourse_inbox_gap_oldest_age_seconds",
    "Time for which the oldest event has waited for a missing one.",
    ["consumer"],
)
DEAD = Gauge(
    "kourse_inbox_dead_letters",
    "Messages that could not even be parked; counted by the replica that reads partition 0.",
    ["consumer"],
)
DEAD_FOR = Gauge(
    "kourse_inbox_dead_letters_age_seconds",
    "Time for which dead letters have been seen; their own age can only be read by taking them.",
    ["consumer"],
)
_dead_since: dict[str, float] = {}

_ASIDE = """
SELECT
  count(*) FILTER (WHERE reason = 'poison') AS parked,
  (SELECT count(*) FROM {schema}.inbox_cursor WHERE consumer = :consumer AND blocked) AS blocked,
  count(DISTINCT (tenant, stream, entity)) FILTER (WHERE reason = 'gap') AS gaps,
  coalesce(extract(epoch FROM clock_timestamp() - min(parked_at) FILTER (WHERE reason = 'gap')), 0)
    AS oldest_gap_s
FROM {schema}.parked_event WHERE consumer = :consumer
"""


async def measure(worker: Database, consumer: str) -> None:
    """Sets the gauges of this consumer.

    Args:
        worker: Of the worker role, which sees every tenant's rows.
        consumer: Name of the consumer.

    Raises:
        Unavailable: The database does not answer.
    """
    async with worker.transaction(None) as tx:
        row = (await tx.execute(statement(worker.schema, _ASIDE), {"consumer": consumer})).one()
    PARKED.labels(consumer).set(row.parked)
    BLOCKED.labels(consumer).set(row.blocked)
    GAPS.labels(consumer).set(row.gaps)
    OLDEST_GAP.labels(consumer).set(float(row.oldest_gap_s))


async def count_dead_letters(broker: Broker, consumer: str, parts: Collection[int]) -> None:
    """Sets the gauge of this consumer's dead letters, to 0 where another replica counts them.

    Args:
        broker: Where the queue is.
        consumer: Name of the consumer.
        parts: Partitions that this replica reads.

    Raises:
        Unavailable: The broker does not answer.
    """
    depth = 0
    if 0 in parts:
        async with broker.open() as wire:
            queue = await wire.queue_declare(names.dead_letter_queue(consumer), passive=True)
            depth = queue.message_count or 0
    DEAD.labels(consumer).set(depth)
    if not depth:
        _dead_since.pop(consumer, None)
    since = _dead_since.setdefault(consumer, time.monotonic()) if depth else time.monotonic()
    DEAD_FOR.labels(consumer).set(time.monotonic() - since)
