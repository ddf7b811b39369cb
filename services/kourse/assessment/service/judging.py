"""Programs in attempts are brought before the judge, one way or the other, and the attempts graded after it.

What waits is in the database, and what the judge took is known to nobody but who asked: a process that
ends takes its leases with it, and others submit again. An attempt is never graded without what the judge
says. Where the judge answers and fails at a program again and again, people have to look at it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from prometheus_client import Gauge, Histogram
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.repository import attempts, judging
from kourse.assessment.repository.judging import Order, Program
from kourse.assessment.service import practice
from kourse.assessment.service.grading import resume
from kourse.assessment.service.judge import Judge, JudgeFailed, SubmissionsLost
from kourse.contracts.errors import Unavailable
from kourse.kit import clock, faults
from kourse.kit.db import Database
from kourse.kit.runtime import Runtime
from kourse.rules.code import Judged

log = structlog.get_logger(__name__)

AT_ONCE = 4
"""Programs that one process has before the judge."""
LOOK_S = 0.5
LEASE, RENEWED_AFTER_S = timedelta(seconds=60), 15.0
AGAIN = timedelta(seconds=2)
"""Until a program is tried again that the judge failed at or had no time for."""
MOST_FAILURES = 5
PATIENCE_S = 8.0
"""How long somebody who practises waits."""
UNJUDGEABLE = "The judge failed at this program again and again; a person has to look at it."
QUEUED = Gauge("kourse_judging_programs", "Programs that wait for the judge, of all tenants.")
OLDEST = Gauge("kourse_judging_oldest_age_seconds", "How long the oldest of them has waited.")
SECONDS = Histogram(
    "kourse_judging_seconds",
    "From handing a program to the judge to all it said of it.",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)


class Judging:
    """Brings what waits before the judge, until cancelled.

    Args:
        database: For what belongs to one tenant.
        worker: For what is due in any.
        judge: The judge.
    """

    def __init__(self, database: Database, worker: Database, judge: Judge) -> None:
        self._database, self._worker, self._judge = database, worker, judge

    async def run(self) -> None:
        """Never returns; an outage is waited out."""
        under_way: set[asyncio.Task[None]] = set()
        try:
            while True:
                for tenant, order in await self._claimed(AT_ONCE - len(under_way)):
                    under_way.add(asyncio.create_task(self._bring(tenant, order)))
                if not under_way:
                    await asyncio.sleep(LOOK_S)
                    continue
                first = asyncio.FIRST_COMPLETED
                _, under_way = await asyncio.wait(under_way, timeout=LOOK_S, return_when=first)
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _claimed(self, most: int) -> list[tuple[str, Order]]:
        try:
            async with self._worker.transaction(None) as tx:
                count, oldest = await judging.backlog(tx)
                QUEUED.set(count)
                OLDEST.set(0 if oldest is None else (clock.now() - oldest).total_seconds())
                return await judging.claim(tx, most, LEASE) if count and most else []
        except Unavailable as error:
            log.warning("judging.interrupted", reason=error.detail)
            return []

    async def _bring(self, tenant: str, order: Order) -> None:
        """One order, as far as it goes now; whatever happens, it is done or due again."""
        try:
            async with self._database.transaction(tenant) as tx:
                program = await judging.find_program(tx, order)
                if program is None:
                    await judging.forget(tx, order)
                    return
            await faults.point("judging.claimed")
            await self._decide(tenant, order, program)
        except (Unavailable, SubmissionsLost) as error:
            log.warning("judging.postponed", reason=str(error) or type(error).__name__)
            await self._postpone(order)
        except Exception:
            log.exception("judging.failed", tenant=tenant, attempt=str(order.attempt_id))

    async def _decide(self, tenant: str, order: Order, program: Program) -> None:
        code = program.question.code
        if code is None:
            raise TypeError(f"the question {order.version_id} asks for no program")
        try:
            with SECONDS.time():
                trials = await self._judge.judge(
                    code, program.source, _Renewal(self._worker, order)
                )
        except JudgeFailed as failure:
            log.warning("judging.judge_failed", reason=str(failure), tenant=tenant)
            if program.failures + 1 < MOST_FAILURES:
                async with self._database.transaction(tenant) as tx:
                    await judging.note_failure(tx, order, AGAIN)
                return
            judged = Judged({}, UNJUDGEABLE)
        else:
            judged = Judged(trials)
        await faults.point("judging.judged")
        async with self._database.transaction(tenant) as tx:
            await take(tx, order, judged)

    async def _postpone(self, order: Order) -> None:
        try:
            async with self._worker.transaction(None) as tx:
                await judging.postpone(tx, [order], AGAIN)
        except Unavailable:
            pass  # it is due again when its lease is over


async def take(tx: AsyncSession, order: Order, judged: Judged) -> None:
    """What the judge said is stored, once, and the attempt goes on."""
    attempt = await attempts.find_attempt(tx, order.attempt_id, lock=True)
    if attempt is not None and await judging.save(tx, order, judged):
        await resume(tx, attempt)


class _Renewal:
    """Keeps an order's lease alive while the judge is at it."""

    def __init__(self, worker: Database, order: Order) -> None:
        self._worker, self._order = worker, order
        self._next_at = time.monotonic() + RENEWED_AFTER_S

    async def __call__(self) -> None:
        if time.monotonic() < self._next_at:
            return
        async with self._worker.transaction(None) as tx:
            await judging.postpone(tx, [self._order], LEASE)
        self._next_at = time.monotonic() + RENEWED_AFTER_S


async def judge_practice(
    runtime: Runtime,
    tenant: str,
    learner_id: UUID,
    pool: str,
    key: str,
    *,
    seed: str,
    payload: Mapping[str, Any],
) -> Judged | None:
    """What a program that is practised comes to; None when the answer is no program.

    Raises:
        KourseError: As ``practice.check``.
        Unavailable: The judge is not there, or has too much to do.
    """
    if "source" not in payload:
        return None
    async with runtime.database.transaction(tenant) as tx:
        answered = await practice.find(tx, learner_id, pool, key, seed=seed, payload=payload)
    code = answered.question.body.code
    if code is None:
        return None
    judge: Judge | None = runtime.extras.get("judge")
    if judge is None:
        raise Unavailable("Programs are not judged here.")
    try:
        return Judged(await judge.judge(code, str(payload["source"]), patience_s=PATIENCE_S))
    except (JudgeFailed, SubmissionsLost) as error:
        log.warning("judging.practice_failed", reason=str(error))
        raise Unavailable("The program could not be judged just now.", retry_after_s=2) from error
