"""What sending needs from outside: who somebody is, and a way for a mail to leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True)
class Contact:
    """How to reach somebody, as identity knows it now."""

    email: str
    is_verified: bool
    display_name: str
    locale: str


@dataclass(frozen=True)
class Redeemed:
    """A secret that goes into one mail, and whom it goes to."""

    contact: Contact
    secret: str
    lifetime_s: int


class AddressBook(Protocol):
    """Knows addresses and hands out secrets; nothing of either is kept here."""

    async def contacts(self, tenant: str, user_ids: Sequence[UUID]) -> dict[UUID, Contact]:
        """Contacts of active members; others are left out.

        Raises:
            Unavailable: It cannot be asked now.
        """

    async def redeem(self, tenant: str, delivery_id: UUID) -> Redeemed | None:
        """The secret of one mail; None when it is needed no more.

        Raises:
            Unavailable: It cannot be asked now.
        """


@dataclass(frozen=True)
class Answer:
    """What an endpoint answered.

    Attributes:
        status: HTTP status.
        retry_after_s: Seconds that it asked to be left alone for, or None.
    """

    status: int
    retry_after_s: float | None = None


class Caller(Protocol):
    """Calls endpoints of people, whom nobody can trust to be what they say."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The endpoint's answer, once all of it that counts has come.

        Raises:
            AddressForbidden: Its name leads to where nothing may be called.
            CallFailed: There was no whole answer in time; whether it has the message is not known.
        """


class Relay(Protocol):
    """An open connection that takes mails."""

    async def hand_over(self, message: EmailMessage, recipient: str) -> None:
        """Returns when the relay has taken responsibility for the mail.

        Raises:
            MailRefused: The relay will never take it.
            Unavailable: It may take it later; whether it has it already is not known.
        """


class Mailer(Protocol):
    """Keeps connections to a mail relay."""

    def connection(self) -> AbstractAsyncContextManager[Relay]:
        """A connection for one mail, kept from an earlier one where that is still good.

        Raises:
            Unavailable: The relay does not answer.
        """

    async def close(self) -> None:
        """Closes what is kept."""
