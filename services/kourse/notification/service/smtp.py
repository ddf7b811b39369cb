"""Hands mails to an SMTP relay.

The last hop is at least once: SMTP has no way to say "I sent this before". When the connection breaks
after the text and before the answer, the mail goes again, with the same Message-ID, by which mailboxes
that compare it show one.
"""

from __future__ import annotations

import asyncio
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
_FIRST_PERMANENT = 500
_UNAVAILABLE = "The mail relay does not take mail right now."


class SmtpMailer:
    """Opens connections to the relay of the settings."""

    def __init__(self, settings: NotificationSettings) -> None:
        self._settings = settings

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[SmtpConnection]:
        """A logged-in connection, closed at the end.

        Raises:
            Unavailable: The relay does not answer or does not let us in.
        """
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
        try:
            yield SmtpConnection(client, parseaddr(settings.mail_from)[1])
        finally:
            await _leave(client)


class SmtpConnection:
    """One conversation with the relay."""

    def __init__(self, client: aiosmtplib.SMTP, sender: str) -> None:
        self._client = client
        self._sender = sender

    async def hand_over(self, message: EmailMessage, recipient: str) -> None:
        """Returns when the relay has accepted the mail.

        Raises:
            MailRefused: It answered with a permanent refusal.
            Unavailable: It answered with a temporary one, or not at all.
        """
        try:
            await self._client.send_message(message, sender=self._sender, recipients=[recipient])
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _failure(error.recipients[0].code) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _failure(error.code) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable(_UNAVAILABLE) from error


def _failure(code: int) -> MailRefused | Unavailable:
    if code >= _FIRST_PERMANENT:
        return MailRefused(f"The relay answered {code}.")
    return Unavailable(f"The relay answered {code}.")


async def _leave(client: aiosmtplib.SMTP) -> None:
    try:
        async with asyncio.timeout(LEAVE_S):
            await client.quit()
    except (aiosmtplib.SMTPException, OSError, TimeoutError):
        client.close()
