"""Judges a claimed mail at the moment it is to leave, and builds it: whom it goes to, or why it does not go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from uuid import UUID
from zoneinfo import ZoneInfo

from kourse.kit import clock
from kourse.notification.domain.kinds import RULES
from kourse.notification.domain.preferences import Channel
from kourse.notification.repository.deliveries import Letter
from kourse.notification.repository.replicas import Titles
from kourse.notification.service import letters
from kourse.notification.service.facts import facts_of
from kourse.notification.service.ports import AddressBook, Contact
from kourse.notification.settings import NotificationSettings


class Hold(Exception):
    """The mail waits; ``args[0]`` says for what."""


class Quiet(Exception):
    """The mail waits for the end of quiet hours, ``args[0]``; no attempt has failed."""


class Drop(Exception):
    """The mail has no point any more; ``args[0]`` says why."""


@dataclass(frozen=True)
class Ready:
    """A mail that only needs handing over."""

    message: EmailMessage
    recipient: str


@dataclass
class Shares:
    """How many mails each person gets in a round, but for security messages."""

    taken: Counter[UUID] = field(default_factory=Counter)

    def take(self, letter: Letter, most: int) -> None:
        """The letter counts as sent to its recipient.

        Raises:
            Hold: The recipient has had enough for a day.
        """
        if not RULES[letter.told.kind].is_optional:
            return
        if letter.sent_lately + self.taken[letter.user_id] >= most:
            raise Hold("enough-for-a-day")
        self.taken[letter.user_id] += 1

    def give_back(self, letter: Letter) -> None:
        """The letter has not been sent after all."""
        if RULES[letter.told.kind].is_optional:
            self.taken[letter.user_id] -= 1


class Composer:
    """Builds the mails of one claim.

    Args:
        settings: Addresses and sizes.
        book: Knows codes.
        tenant: Whose mails.
        titles: Of the courses and cohorts that they speak of.
        contacts: Of those who get them.
    """

    def __init__(
        self,
        settings: NotificationSettings,
        book: AddressBook,
        tenant: str,
        titles: Titles,
        contacts: Mapping[UUID, Contact],
    ) -> None:
        self._settings = settings
        self._book = book
        self._tenant = tenant
        self._titles = titles
        self._contacts = contacts

    async def compose(self, letter: Letter) -> Ready:
        """The mail of a letter.

        Raises:
            Drop: It has no point any more.
            Hold: It cannot leave yet.
            Quiet: Its recipient wants no mail at this time of the day.
            Unavailable: Identity cannot be asked for what it needs.
        """
        kind = letter.told.kind
        facts = facts_of(letter.told, self._titles)
        if "expires_at" in facts and datetime.fromisoformat(facts["expires_at"]) <= clock.now():
            raise Drop("too-late")
        contact = self._contacts.get(letter.user_id)
        if "delivery_id" in facts:
            redeemed = await self._book.redeem(self._tenant, UUID(facts["delivery_id"]))
            if redeemed is None:
                raise Drop("needed-no-more")
            contact = redeemed.contact
            facts |= {"secret": redeemed.secret, "minutes": redeemed.lifetime_s // 60}
        contact = _admitted(letter, contact)
        key = letter.unsubscribe_key
        message = letters.compose(
            self._settings,
            delivery_id=letter.id,
            kind=kind,
            contact=contact,
            facts=facts,
            unsubscribe_url=letters.unsubscribe_url(self._settings, kind, self._tenant, key),
        )
        return Ready(message, contact.email)


def _admitted(letter: Letter, contact: Contact | None) -> Contact:
    """Whom the mail goes to, now that nothing they want or are keeps it from leaving."""
    kind = letter.told.kind
    if contact is None:
        raise Drop("no-contact")
    if not letter.preferences.takes(kind, Channel.EMAIL):
        raise Drop("unwanted")
    quiet_until = letter.preferences.silent_until(kind, clock.now(), ZoneInfo(letter.time_zone))
    if quiet_until is not None:
        raise Quiet(quiet_until)
    if not contact.is_verified and not RULES[kind].to_unverified:
        raise Hold("unverified")
    return contact
