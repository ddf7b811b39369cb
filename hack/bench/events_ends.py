"""The two ends of the flow as processes: ``python -m hack.bench.events_ends relay|consumer``.

Addresses come in the environment, since they hold passwords. The consumer writes a line for each
transaction to standard output: when it was committed, and the numbers of the events in it.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Sequence
from contextvars import ContextVar
from uuid import UUID

import structlog
import uvloop
from redis.asyncio import Redis
from sqlalchemy import text

from hack.bench.events_rooms import CONSUMER, PRODUCER, OneConsumer
from kourse.contracts.events import LessonCompleted
from kourse.kit import faults
from kourse.kit.db import Database, Transaction
from kourse.kit.inbox import Consumer, Delivery, Handlers
from kourse.kit.relay import Relay

_COUNT = text("""
INSERT INTO dashboard.bench_lessons AS b (tenant, enrolment_id, lessons, completed)
SELECT :tenant, id, count(*), sum(completed)
FROM unnest(CAST(:ids AS uuid[]), CAST(:completed AS bigint[])) AS e(id, completed)
GROUP BY id ORDER BY id
ON CONFLICT (tenant, enrolment_id) DO UPDATE
SET lessons = b.lessons + excluded.lessons, completed = b.completed + excluded.completed
""")
_in_hand: ContextVar[list[UUID]] = ContextVar("in_hand")


def _handlers() -> Handlers:
    handlers = Handlers(CONSUMER)

    @handlers.on_many(LessonCompleted)
    async def count(tx: Transaction, pairs: Sequence[tuple[LessonCompleted, Delivery]]) -> None:
        _in_hand.set([delivery.id for _, delivery in pairs])
        await tx.execute(
            _COUNT,
            {
                "tenant": pairs[0][1].tenant,
                "ids": [event.enrolment_id for event, _ in pairs],
                "completed": [event.completed for event, _ in pairs],
            },
        )

    return handlers


async def _tell() -> None:
    """After the commit, in the task that made it."""
    ids = _in_hand.get([])
    _in_hand.set([])
    if ids:
        sys.stdout.write(f"{time.time():.6f} {' '.join(map(str, ids))}\n")
        sys.stdout.flush()


async def _relay() -> None:
    database = Database(os.environ["KOURSE_BENCH_WORKER_URL"], PRODUCER)
    await Relay(database, OneConsumer(os.environ["KOURSE_BENCH_BROKER_URL"])).run()


async def _consume() -> None:
    if os.environ.get("KOURSE_BENCH_TIMED"):
        faults.arm("inbox.committed", _tell)
    await Consumer(
        Database(os.environ["KOURSE_BENCH_APP_URL"], CONSUMER),
        OneConsumer(os.environ["KOURSE_BENCH_BROKER_URL"]),
        _handlers(),
        cache=Redis.from_url(os.environ["KOURSE_BENCH_CACHE_URL"]),
        worker=Database(os.environ["KOURSE_BENCH_WORKER_URL"], CONSUMER),
    ).run()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    gc.collect()
    gc.freeze()  # as every service does once it has started
    uvloop.run({"relay": _relay, "consumer": _consume}[sys.argv[1]]())
