"""The loops that send mails: claim what is due, ask for addresses, hand over, settle.

Each lane has its own, so that nobody's own message waits behind what goes to thousands, and each has two of them,
so that one claims and asks while the mails of the other leave. Nothing is sent before its row is committed. A
connection takes the next mail only when the last one is settled, however often the database has to be asked for
that while the claim lasts. So a sender that dies repeats at most the mail that each connection had in hand, under
the same Message-ID; all others go once.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from prometheus_client import Counter, Gauge, Histogram

from kourse.contracts.errors import Unavailable
from kourse.kit import clock, faults
from kourse.kit.backoff import full_jitter
from kourse.kit.db import Database
from kourse.kit.telemetry import get_logger
from kourse.notification.domain import attempts
from kourse.notification.domain.kinds import RULES, Lane
from kourse.notification.errors import MailRefused
from kourse.notification.repository import deliveries
from kourse.notification.repository.bell import Bell
from kourse.notification.repository.deliveries import Claim, Letter, Settled, Settlement
from kourse.notification.service.composing import Composer, Drop, Hold, Quiet, Shares
from kourse.notification.service.facts import titles_for
from kourse.notification.service.ports import AddressBook, Mailer, Relay
from kourse.notification.service.settling import Settling
from kourse.notification.settings import NotificationSettings

HAND_OVER_WITHIN = 0.5
"""Share of the lease after which a round sends no more, so that no mail leaves under a lapsed claim."""
ONE_MAIL = 0.375
"""Share of the lease that one mail may take at most, so that the last one still ends within it."""

ROUNDS = 2
"""Rounds of a lane at a time: of one the mails leave, of the other is asked what they need."""

SENT = Counter("kourse_mail_deliveries_total", "Mails by what became of them.", ["kind", "outcome"])
POSTPONED = Counter("kourse_mail_postponed_total", "Mails put off, by the reason.", ["outcome"])
AGE = Histogram(
    "kourse_mail_age_seconds",
    "Time from the notification to the relay's acceptance.",
    ["urgency"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300, 1800),
)
IN_HAND = Gauge("kourse_mail_in_hand", "Mails claimed by this process.", ["lane"])
log = get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class _Round:
    """What one round claimed, and its times on the monotonic clock in seconds."""

    lane: Lane
    claims: tuple[Claim, ...]
    begun: float
    lease_s: float
    shares: Shares = field(default_factory=Shares)

    @property
    def count(self) -> int:
        """Mails claimed."""
        return sum(len(claim.ids) for claim in self.claims)

    @property
    def may_send(self) -> bool:
        return time.monotonic() <= self.begun + HAND_OVER_WITHIN * self.lease_s

    @property
    def holds(self) -> bool:
        """Whether the claims of the round last, so that nobody else may send."""
        return time.monotonic() <= self.begun + self.lease_s


class Sender:
    """Sends what is due.

    Args:
        database: Of the application role.
        worker: Of the worker role, which sees what is due in all tenants.
        book: Knows addresses and codes.
        mailer: Keeps connections to the relay.
        settings: Addresses and sizes.
    """

    def __init__(
        self,
        database: Database,
        worker: Database,
        *,
        book: AddressBook,
        mailer: Mailer,
        settings: NotificationSettings,
    ) -> None:
        self._database = database
        self._worker = worker
        self._book = book
        self._mailer = mailer
        self._settings = settings
        self._settling = Settling(database)
        self._places = {lane: asyncio.Semaphore(settings.sender_connections) for lane in Lane}

    async def run(self) -> None:
        """Sends until cancelled; a back end that is down only makes it wait."""
        try:
            async with asyncio.TaskGroup() as loops:
                for lane in Lane:
                    turn, bell = asyncio.Lock(), Bell(self._database)
                    for _ in range(ROUNDS):
                        loops.create_task(self._run(lane, turn, bell))
        finally:
            await self._mailer.close()

    async def round(self) -> int:
        """Deals once with what is due in each lane; the number of mails claimed."""
        return sum([await self.round_of(lane) for lane in Lane])

    async def round_of(self, lane: Lane) -> int:
        """Claims what is due in a lane and deals with it; the number of mails claimed."""
        this = await self._claim(lane)
        await self._deal_with_all(this)
        return this.count

    async def _run(self, lane: Lane, turn: asyncio.Lock, bell: Bell) -> None:
        failures = 0
        while True:
            try:
                async with turn:  # whoever has it claims, or waits for something to be due
                    while not (this := await self._claim(lane)).count:
                        await bell.wait(self._settings.sender_poll_s)
                await self._deal_with_all(this)
                failures = 0
            except Unavailable as error:
                failures += 1
                log.warning("mail.interrupted", error=str(error))
                await asyncio.sleep(full_jitter(failures, base_s=0.5))

    async def _claim(self, lane: Lane) -> _Round:
        begun, lease_s = time.monotonic(), self._settings.sender_lease_s
        async with self._worker.transaction(None) as tx:
            claims = await deliveries.claim_due(
                tx,
                lane,
                limit=self._settings.sender_batch,
                lease=timedelta(seconds=lease_s),
            )
        if claims:
            await faults.point("sender.claimed")
        return _Round(lane, tuple(claims), begun, lease_s)

    async def _deal_with_all(self, this: _Round) -> None:
        in_hand = IN_HAND.labels(this.lane.name.lower())
        in_hand.inc(this.count)
        try:
            for claim in this.claims:
                await self._deal_with(claim, this)
        finally:
            in_hand.dec(this.count)

    async def _deal_with(self, claim: Claim, this: _Round) -> None:
        async with self._database.transaction(claim.tenant) as tx:
            pending = await deliveries.list_letters(tx, claim)
            titles = await titles_for(tx, [letter.told for letter in pending])
        waiting = deque(pending)
        try:
            people = {letter.user_id for letter in pending}
            contacts = await self._book.contacts(claim.tenant, sorted(people))
        except Unavailable as error:
            await self._postpone_all(claim, waiting, error)
            return
        composer = Composer(self._settings, self._book, claim.tenant, titles, contacts)
        at_once = min(self._settings.sender_connections, len(pending))
        work = (self._work_on(claim, waiting, composer, this) for _ in range(at_once))
        failures = [error for error in await _all_of(work) if error]
        if waiting and failures:
            await self._postpone_all(claim, waiting, failures[0])

    async def _work_on(
        self, claim: Claim, waiting: deque[Letter], composer: Composer, this: _Round
    ) -> Unavailable | None:
        """Sends one after another of what waits; what keeps this connection from going on, if anything does."""
        try:
            while waiting:
                async with self._places[this.lane], self._mailer.connection() as relay:
                    if waiting:  # or the others were faster
                        sending = self._send(claim, waiting.popleft(), composer, relay, this)
                        await _unbroken(sending)
        except Unavailable as error:
            return error
        return None

    async def _send(
        self, claim: Claim, letter: Letter, composer: Composer, relay: Relay, this: _Round
    ) -> None:
        """Deals with one letter, whatever is wrong with it; no letter keeps others from leaving."""
        if not this.may_send:
            await self._postpone(claim, letter, "no-time")
            return
        try:
            await self._hand_over(letter, composer, relay, this)
        except Drop as reason:
            await self._settle(claim, letter, Settled.DROPPED, str(reason))
        except Quiet as reason:
            await self._sleep(claim, letter, reason.args[0])
        except Hold as reason:
            await self._postpone(claim, letter, str(reason))
        except MailRefused:
            await self._settle(claim, letter, Settled.FAILED, "refused")
        except (Unavailable, TimeoutError):
            await self._postpone(claim, letter, "unavailable")
        except Exception:
            log.exception("mail.failed", delivery=str(letter.id))
            await self._postpone(claim, letter, "error")
        else:
            urgency = RULES[letter.told.kind].urgency.name.lower()
            AGE.labels(urgency).observe(letter.age.total_seconds())
            await faults.point("sender.handed_over")
            await self._settle_sent(claim, letter, this)
            await faults.point("sender.settled")

    async def _hand_over(
        self, letter: Letter, composer: Composer, relay: Relay, this: _Round
    ) -> None:
        ready = await composer.compose(letter)
        this.shares.take(letter, self._settings.mail_per_day)
        try:
            async with asyncio.timeout(ONE_MAIL * this.lease_s):
                await relay.hand_over(ready.message, ready.recipient)
        except BaseException:
            this.shares.give_back(letter)
            raise

    async def _settle_sent(self, claim: Claim, letter: Letter, this: _Round) -> None:
        """Settles a mail that has left; while the claim lasts, nothing but this process's end stops it."""
        failures = 0
        while True:
            try:
                await self._settle(claim, letter, Settled.SENT, "accepted")
            except Unavailable as error:
                if not this.holds:
                    raise
                failures += 1
                log.warning("mail.unsettled", delivery=str(letter.id), error=str(error))
                await asyncio.sleep(full_jitter(failures, base_s=0.2, cap_s=2))
            else:
                return

    async def _settle(self, claim: Claim, letter: Letter, state: Settled, outcome: str) -> None:
        settlement = Settlement(claim.token, letter.id, state, outcome)
        settled = await self._settling.settle(claim.tenant, settlement)
        SENT.labels(letter.told.kind.value, outcome).inc()
        log.info(
            "mail.settled",
            delivery=str(letter.id),
            kind=letter.told.kind.value,
            outcome=outcome,
            in_time=settled,
        )

    async def _postpone(self, claim: Claim, letter: Letter, outcome: str) -> None:
        POSTPONED.labels(outcome).inc()
        held = outcome == "unverified"
        patience = attempts.HELD_AT_MOST if held else attempts.GIVE_UP_AFTER
        if letter.age > patience:
            await self._settle(claim, letter, Settled.FAILED, f"gave-up-{outcome}")
            return
        wait = full_jitter(
            letter.attempts,
            base_s=attempts.FIRST_WAIT.total_seconds() / 2,
            cap_s=attempts.LONGEST_WAIT.total_seconds(),
        )
        async with self._database.transaction(claim.tenant) as tx:
            await deliveries.postpone(tx, claim, letter.id, timedelta(seconds=wait), outcome)

    async def _sleep(self, claim: Claim, letter: Letter, until: datetime) -> None:
        async with self._database.transaction(claim.tenant) as tx:
            wait = until - clock.now()
            await deliveries.postpone(tx, claim, letter.id, wait, "quiet-hours")

    async def _postpone_all(
        self, claim: Claim, pending: Iterable[Letter], error: Unavailable
    ) -> None:
        pending = tuple(pending)
        log.warning("mail.postponed", count=len(pending), error=str(error))
        for letter in pending:
            await self._postpone(claim, letter, error.code)


async def _all_of(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What all of it came to; when it is cancelled, or one of it fails, once all of it has ended."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in work]
    return [task.result() for task in tasks]


async def _unbroken(work: Coroutine[Any, Any, None]) -> None:
    """Lets the mail in hand be settled before a stop, so that it does not go again."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
