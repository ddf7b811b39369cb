"""The loop that sends mails: claims what is due, asks for addresses, hands over, settles.

Nothing is sent before its row is committed, and a row is settled as soon as the relay has taken the mail,
however often the database has to be asked while the claim lasts. A sender that dies in between repeats that
one mail under the same Message-ID; all others go once.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter as Counted
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from prometheus_client import Counter, Gauge, Histogram

from kourse.contracts.errors import Unavailable
from kourse.kit import clock, faults
from kourse.kit.backoff import full_jitter
from kourse.kit.db import Database
from kourse.kit.telemetry import get_logger
from kourse.notification.domain import attempts
from kourse.notification.domain.kinds import RULES
from kourse.notification.domain.preferences import Channel
from kourse.notification.errors import MailRefused
from kourse.notification.repository import deliveries
from kourse.notification.repository.deliveries import Claim, Letter, Settled
from kourse.notification.repository.replicas import Titles
from kourse.notification.service import letters
from kourse.notification.service.facts import facts_of, titles_for
from kourse.notification.service.ports import AddressBook, Contact, Mailer, Relay
from kourse.notification.settings import NotificationSettings

HAND_OVER_WITHIN = 0.5
"""Share of the lease after which a round sends no more, so that no mail leaves under a lapsed claim."""
ONE_MAIL = 0.375
"""Share of the lease that one mail may take at most, so that the last one still ends within it."""

SENT = Counter("kourse_mail_deliveries_total", "Mails by what became of them.", ["kind", "outcome"])
POSTPONED = Counter("kourse_mail_postponed_total", "Mails put off, by the reason.", ["outcome"])
AGE = Histogram(
    "kourse_mail_age_seconds",
    "Time from the notification to the relay's acceptance.",
    ["urgency"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300, 1800),
)
IN_HAND = Gauge("kourse_mail_in_hand", "Mails claimed by this process.")
log = get_logger(__name__)


@dataclass(frozen=True)
class _Ready:
    """A mail that only needs handing over."""

    message: EmailMessage
    recipient: str


@dataclass(frozen=True)
class _Round:
    """The times of one round, on the monotonic clock in seconds."""

    begun: float
    lease_s: float
    sent: Counted[UUID] = field(default_factory=Counted)
    """Mails that each person got in this round, but for security messages."""

    @property
    def may_send(self) -> bool:
        return time.monotonic() <= self.begun + HAND_OVER_WITHIN * self.lease_s

    @property
    def holds(self) -> bool:
        """Whether the claims of the round last, so that nobody else may send."""
        return time.monotonic() <= self.begun + self.lease_s


class _Hold(Exception):
    """The mail waits; ``args[0]`` says for what."""


class _Quiet(Exception):
    """The mail waits for the end of quiet hours, ``args[0]``; no attempt has failed."""


class _Drop(Exception):
    """The mail has no point any more; ``args[0]`` says why."""


class Sender:
    """Sends what is due.

    Args:
        database: Of the application role.
        worker: Of the worker role, which sees what is due in all tenants.
        book: Knows addresses and codes.
        mailer: Opens connections to the relay.
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

    async def run(self) -> None:
        """Sends until cancelled; a back end that is down only makes it wait."""
        failures = 0
        while True:
            try:
                busy = await self.round() > 0
                failures = 0
            except Unavailable as error:
                failures += 1
                busy = False
                log.warning("mail.interrupted", error=str(error))
            if not busy:
                wait_s = self._settings.sender_poll_s
                await asyncio.sleep(wait_s + full_jitter(failures, base_s=0.5) * bool(failures))

    async def round(self) -> int:
        """Claims what is due and deals with it; the number of mails claimed."""
        this = _Round(time.monotonic(), self._settings.sender_lease_s)
        async with self._worker.transaction(None) as tx:
            claims = await deliveries.claim_due(
                tx, limit=self._settings.sender_batch, lease=timedelta(seconds=this.lease_s)
            )
        if claims:
            await faults.point("sender.claimed")
        count = sum(len(claim.ids) for claim in claims)
        IN_HAND.set(count)
        try:
            for claim in claims:
                await self._deal_with(claim, this)
        finally:
            IN_HAND.set(0)
        return count

    async def _deal_with(self, claim: Claim, this: _Round) -> None:
        async with self._database.transaction(claim.tenant) as tx:
            pending = await deliveries.list_letters(tx, claim)
            titles = await titles_for(tx, [letter.told for letter in pending])
        try:
            people = {letter.user_id for letter in pending}
            contacts = await self._book.contacts(claim.tenant, sorted(people))
            async with self._mailer.connection() as relay:
                for letter in pending:
                    sending = self._send(claim, letter, titles, contacts, relay, this)
                    await _unbroken(sending)
        except Unavailable as error:
            log.warning("mail.postponed", count=len(pending), error=str(error))
            await self._postpone_all(claim, pending, error.code)

    async def _send(
        self,
        claim: Claim,
        letter: Letter,
        titles: Titles,
        contacts: dict[UUID, Contact],
        relay: Relay,
        this: _Round,
    ) -> None:
        """Deals with one letter, whatever is wrong with it; no letter keeps others from leaving."""
        if not this.may_send:
            await self._postpone(claim, letter, "no-time")
            return
        try:
            ready = await self._compose(claim.tenant, letter, titles, contacts, this)
            async with asyncio.timeout(ONE_MAIL * this.lease_s):
                await relay.hand_over(ready.message, ready.recipient)
        except _Drop as reason:
            await self._settle(claim, letter, Settled.DROPPED, str(reason))
        except _Quiet as reason:
            await self._sleep(claim, letter, reason.args[0])
        except _Hold as reason:
            await self._postpone(claim, letter, str(reason))
        except MailRefused:
            await self._settle(claim, letter, Settled.FAILED, "refused")
        except (Unavailable, TimeoutError):
            await self._postpone(claim, letter, "unavailable")
        except Exception:
            log.exception("mail.failed", delivery=str(letter.id))
            await self._postpone(claim, letter, "error")
        else:
            this.sent[letter.user_id] += RULES[letter.told.kind].is_optional
            AGE.labels(RULES[letter.told.kind].urgency.name.lower()).observe(
                letter.age.total_seconds()
            )
            await faults.point("sender.handed_over")
            await self._settle_sent(claim, letter, this)
            await faults.point("sender.settled")

    async def _compose(
        self,
        tenant: str,
        letter: Letter,
        titles: Titles,
        contacts: dict[UUID, Contact],
        this: _Round,
    ) -> _Ready:
        kind = letter.told.kind
        facts = facts_of(letter.told, titles)
        if "expires_at" in facts and datetime.fromisoformat(facts["expires_at"]) <= clock.now():
            raise _Drop("too-late")
        contact = contacts.get(letter.user_id)
        if "delivery_id" in facts:
            redeemed = await self._book.redeem(tenant, UUID(facts["delivery_id"]))
            if redeemed is None:
                raise _Drop("needed-no-more")
            contact = redeemed.contact
            facts |= {"secret": redeemed.secret, "minutes": redeemed.lifetime_s // 60}
        contact = self._admitted(letter, contact, this)
        url = letters.unsubscribe_url(self._settings, kind, tenant, letter.unsubscribe_key)
        message = letters.compose(
            self._settings,
            delivery_id=letter.id,
            kind=kind,
            contact=contact,
            facts=facts,
            unsubscribe_url=url,
        )
        return _Ready(message, contact.email)

    def _admitted(self, letter: Letter, contact: Contact | None, this: _Round) -> Contact:
        """Whom the mail goes to, now that nothing keeps it from leaving."""
        kind = letter.told.kind
        if contact is None:
            raise _Drop("no-contact")
        if not letter.preferences.takes(kind, Channel.EMAIL):
            raise _Drop("unwanted")
        quiet_until = letter.preferences.silent_until(kind, clock.now(), ZoneInfo(letter.time_zone))
        if quiet_until is not None:
            raise _Quiet(quiet_until)
        if not contact.is_verified and not RULES[kind].to_unverified:
            raise _Hold("unverified")
        lately = letter.sent_lately + this.sent[letter.user_id]
        if RULES[kind].is_optional and lately >= self._settings.mail_per_day:
            raise _Hold("enough-for-a-day")
        return contact

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
        async with self._database.transaction(claim.tenant) as tx:
            settled = await deliveries.settle(tx, claim, letter.id, state, outcome)
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

    async def _postpone_all(self, claim: Claim, pending: Sequence[Letter], outcome: str) -> None:
        for letter in pending:
            await self._postpone(claim, letter, outcome)


async def _unbroken(work: Coroutine[Any, Any, None]) -> None:
    """Lets the mail in hand be settled before a stop, so that it does not go again."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
