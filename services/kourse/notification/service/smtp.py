"""Hands mails to an SMTP relay, over connections that are kept from one mail to the next.

The last hop is at least once: SMTP has no way to say "I sent this before". When the connection breaks
after the text and before the answer, the mail goes again, with the same Message-ID, by which mailboxes
that compare it show one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.utils import parseaddr

import aiosmtplib

from kourse.contracts.errors import Unavailable
from kourse.notification.errors import MailRefused
from kourse.notification.settings import NotificationSettings

LEAVE_S = 1.0
"""Longest wait for a relay's good-bye; one that stalls must not hold the sender."""
TRUST_S = 1.0
"""Seconds for which a connection counts as good after a mail; after that the relay is asked first."""
ASK_S = 2.0
"""Longest wait for the answer to that."""
_FIRST_PERMANENT = 500
_CLOSING = 421
"""The relay's announcement that it closes the connection (RFC 5321, 3.8)."""
_UNAVAILABLE = "The mail relay does not take mail right now."


class SmtpMailer:
    """Keeps connections to the relay of the settings, as many as were in use at a time."""

    def __init__(self, settings: NotificationSettings) -> None:
        self._settings = settings
        self._idle: list[SmtpConnection] = []

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[SmtpConnection]:
        """A logged-in connection, kept afterwards unless something went wrong on it.

        Raises:
            Unavailable: The relay does not answer or does not let us in.
        """
        kept = await self._kept() or await self._opened()
        try:
            yield kept
        finally:
            if kept.is_sound:
                self._idle.append(kept)
            else:
                await kept.leave()

    async def close(self) -> None:
        """Says good-bye on every connection that is kept."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(one.leave() for one in idle))

    async def _kept(self) -> SmtpConnection | None:
        while self._idle:
            kept = self._idle.pop()
            if await kept.is_alive():
                return kept
            await kept.leave()
        return None

    async def _opened(self) -> SmtpConnection:
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            start_tls=settings.smtp_starttls,
            username=settings.smtp_user or None,
            password=settings.smtp_password.get_secret_value() or None,
            timeout=settings.smtp_timeout_s,
        )
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable(_UNAVAILABLE) from error
        return SmtpConnection(client, parseaddr(settings.mail_from)[1])


class SmtpConnection:
    """One conversation with the relay.

    Attributes:
        is_sound: Whether the relay's last answer has come, so that the next mail may begin.
    """

    def __init__(self, client: aiosmtplib.SMTP, sender: str) -> None:
        self._client = client
        self._sender = sender
        self._heard = time.monotonic()
        self.is_sound = True

    async def hand_over(self, message: EmailMessage, recipient: str) -> None:
        """Returns when the relay has accepted the mail.

        Raises:
            MailRefused: It answered with a permanent refusal.
            Unavailable: It answered with a temporary one, or not at all.
        """
        self.is_sound = False
        try:
            await self._client.send_message(message, sender=self._sender, recipients=[recipient])
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise self._refused(error.recipients[0].code) from error
        except aiosmtplib.SMTPResponseException as error:
            raise self._refused(error.code) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable(_UNAVAILABLE) from error
        self._answered()

    async def is_alive(self) -> bool:
        """Whether the relay is there; it is believed to be for a moment after its last answer."""
        if not self._client.is_connected:
            return False
        if time.monotonic() - self._heard < TRUST_S:
            return True
        try:
            async with asyncio.timeout(ASK_S):
                await self._client.noop()
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            return False
        self._answered()
        return True

    async def leave(self) -> None:
        """The connection is closed, politely where the relay is still listening."""
        try:
            async with asyncio.timeout(LEAVE_S):
                await self._client.quit()
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            self._client.close()

    def _refused(self, code: int) -> MailRefused | Unavailable:
        if code != _CLOSING:
            self._answered()
        if code >= _FIRST_PERMANENT:
            return MailRefused(f"The relay answered {code}.")
        return Unavailable(f"The relay answered {code}.")

    def _answered(self) -> None:
        self._heard = time.monotonic()
        self.is_sound = self._client.is_connected
