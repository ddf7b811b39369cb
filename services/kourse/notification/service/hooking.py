"""The loop that calls webhooks: claims what is due, signs and posts it, settles or waits for the next attempt.

A delivery is claimed by one process at a time and called at most once at a time. A process that dies between
the call and the commit leaves it due again, so a message comes at least once, each time under its own id.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson
from prometheus_client import Counter, Gauge
from sqlalchemy.ext.asyncio import AsyncSession
from yarl import URL

from kourse.contracts.errors import Unavailable
from kourse.kit import clock
from kourse.kit.backoff import full_jitter
from kourse.kit.db import Database
from kourse.kit.telemetry import get_logger
from kourse.kit.vault import Vault
from kourse.notification.domain import webhooks as rules
from kourse.notification.domain.kinds import Kind
from kourse.notification.domain.webhooks import Disabled
from kourse.notification.errors import CallFailed
from kourse.notification.repository import calls, notices, webhooks
from kourse.notification.repository.calls import Job, State
from kourse.notification.repository.deliveries import Claim
from kourse.notification.repository.notices import Notice
from kourse.notification.service import reading
from kourse.notification.service.ports import Answer, Caller
from kourse.notification.service.reading import FeedEntry
from kourse.notification.settings import NotificationSettings

AT_ONCE = 16
"""Calls of one process at a time."""
EACH = 4
"""Calls of one endpoint at a time."""
LEASE_FACTOR = 3.0
"""A claim lasts for so many whole calls: one, and the time to settle it."""
AGENT = "kourse-webhooks/1.0"
GONE = 410
CALLS = Counter(
    "kourse_webhook_calls_total", "Calls of webhooks by what came of them.", ["outcome"]
)
IN_HAND = Gauge("kourse_webhook_calls_in_hand", "Calls claimed by this process.")
log = get_logger(__name__)


@dataclass(frozen=True)
class Result:
    """What came of one attempt.

    Attributes:
        outcome: In a word.
        status: HTTP status, where there was an answer.
        retry_after_s: What the endpoint asked for.
        took_ms: Time that it took.
    """

    outcome: str
    status: int | None
    retry_after_s: float | None
    took_ms: int

    @property
    def is_delivered(self) -> bool:
        """Whether the endpoint took the message."""
        return self.outcome == "accepted"

    @property
    def columns(self) -> dict[str, Any]:
        """As the log keeps it."""
        return {"outcome": self.outcome, "status": self.status, "took_ms": self.took_ms}


class Hooking:
    """Calls what is due.

    Args:
        database: Of the application role.
        worker: Of the worker role, which sees what is due in all tenants.
        vault: Opens the endpoints' secrets.
        caller: Reaches endpoints.
        shown: A feed entry as its reader sees it, ready for JSON.
        settings: Times.
    """

    def __init__(
        self,
        database: Database,
        worker: Database,
        *,
        vault: Vault,
        caller: Caller,
        shown: Callable[[FeedEntry], dict[str, Any]],
        settings: NotificationSettings,
    ) -> None:
        self._database = database
        self._worker = worker
        self._vault = vault
        self._caller = caller
        self._shown = shown
        self._settings = settings

    async def run(self) -> None:
        """Calls until cancelled; a database that is down only makes it wait."""
        failures = 0
        while True:
            try:
                busy = await self.round() > 0
                failures = 0
            except Unavailable as error:
                failures += 1
                busy = False
                log.warning("webhooks.interrupted", error=str(error))
            if not busy:
                wait_s = self._settings.webhook_poll_s
                await asyncio.sleep(wait_s + full_jitter(failures, base_s=0.5) * bool(failures))

    async def round(self) -> int:
        """Claims what is due and calls it, all at once; the number of deliveries claimed."""
        lease = timedelta(seconds=LEASE_FACTOR * self._settings.webhook_timeout_s)
        begun = time.monotonic()
        async with self._worker.transaction(None) as tx:
            claims = await calls.claim_due(tx, limit=AT_ONCE, each=EACH, lease=lease)
        count = sum(len(claim.ids) for claim in claims)
        if not count:
            return 0
        last_start = begun + self._settings.webhook_timeout_s
        IN_HAND.set(count)
        try:
            await asyncio.gather(*(self._deal_with(claim, last_start) for claim in claims))
        finally:
            IN_HAND.set(0)
        return count

    async def _deal_with(self, claim: Claim, last_start: float) -> None:
        async with self._database.transaction(claim.tenant) as tx:
            jobs = await calls.list_jobs(tx, claim)
            bodies = {job.id: await self._body(tx, job) for job in jobs}
        if time.monotonic() > last_start:
            return  # the lease would not last for a call and its end; they are due again after it
        await asyncio.gather(*(self._call(claim, job, bodies[job.id]) for job in jobs))

    async def _call(self, claim: Claim, job: Job, body: bytes) -> None:
        begun = time.monotonic()
        try:
            keys = [self._vault.open(sealed, bound_to=str(job.webhook_id)) for sealed in _keys(job)]
            answer = await self._caller.post(job.url, _headers(job, keys, body), body)
            outcome = _outcome(answer)
        except CallFailed as failure:
            answer, outcome = None, failure.detail
        except Unavailable:
            answer, outcome = None, "no-key"
        took_ms = round((time.monotonic() - begun) * 1e3)
        status = answer.status if answer else None
        retry_after_s = answer.retry_after_s if answer else None
        result = Result(outcome, status, retry_after_s, took_ms)
        CALLS.labels(outcome).inc()
        async with self._database.transaction(claim.tenant) as tx:
            await _settle(tx, claim, job, result)
        log.info("webhook.called", delivery=str(job.id), outcome=outcome, status=status)

    async def _body(self, tx: AsyncSession, job: Job) -> bytes:
        """What is posted: type, time and the notification as its reader sees it."""
        data: dict[str, Any] = {"webhookId": str(job.webhook_id)}
        at, name = job.created_at, "webhook.test"
        if job.told is not None:
            (entry,) = await reading.entries(tx, job.user_id, [job.told])
            at, name = job.told.created_at, f"notification.{job.told.kind.value}"
            data = self._shown(entry)
        return orjson.dumps({"type": name, "timestamp": at, "data": data})


async def _settle(tx: AsyncSession, claim: Claim, job: Job, result: Result) -> None:
    if await webhooks.find(tx, job.user_id, job.webhook_id, lock=True) is None:
        return
    if result.is_delivered:
        if await calls.settle(tx, claim, job, State.DELIVERED, result.columns):
            await webhooks.succeed(tx, job.webhook_id)
        return
    if result.status == GONE or job.age >= rules.GIVE_UP_AFTER:
        is_held = await calls.settle(tx, claim, job, State.FAILED, result.columns)
    else:
        wait_s = rules.wait_s(job.attempts, random.random(), result.retry_after_s)  # noqa: S311
        wait = timedelta(seconds=wait_s)
        is_held = await calls.postpone(tx, claim, job, wait, result.columns)
    if is_held:
        await _count_failure(tx, job, result)


async def _count_failure(tx: AsyncSession, job: Job, result: Result) -> None:
    """Disables an endpoint that is gone or has failed for too long, and tells its owner."""
    failed, failing_for = await webhooks.fail(tx, job.webhook_id)
    if result.status == GONE:
        why = Disabled.GONE
    elif rules.is_given_up(failing_for, failed.failures):
        why = Disabled.FAILING
    else:
        return
    if not await webhooks.disable(tx, job.webhook_id, why):
        return
    await calls.drop_pending(tx, job.webhook_id, "disabled")
    params = {
        "webhook_id": str(job.webhook_id),
        "host": URL(job.url).host,
        "reason": why.value,
        "status": result.status,
    }
    await notices.tell(tx, job.user_id, Notice(Kind.WEBHOOK_DISABLED, params, uuid4()))
    log.warning("webhook.disabled", webhook=str(job.webhook_id), reason=why.value)


def _keys(job: Job) -> Sequence[bytes]:
    return [job.sealed, *([job.former_sealed] if job.former_sealed else [])]


def _headers(job: Job, keys: Sequence[bytes], body: bytes) -> dict[str, str]:
    timestamp = int(clock.now().timestamp())
    return {
        "content-type": "application/json",
        "user-agent": AGENT,
        "webhook-id": str(job.id),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": rules.signatures(keys, str(job.id), timestamp, body),
    }


def _outcome(answer: Answer) -> str:
    return "accepted" if 200 <= answer.status < 300 else "refused"  # noqa: PLR2004 -- success
