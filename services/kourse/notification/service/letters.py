"""Builds the mail of a delivery: words, headers, and an id that stays the same however often it goes."""

from __future__ import annotations

from collections.abc import Mapping
from email.headerregistry import BaseHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from typing import Any
from uuid import UUID

from kourse.kit import clock
from kourse.notification.domain.kinds import RULES, Kind
from kourse.notification.service import rendering
from kourse.notification.service.ports import Contact
from kourse.notification.settings import NotificationSettings


class _Headers(HeaderRegistry):
    """Knows headers again: to read one makes a class, which together cost more than the rest of a mail."""

    @lru_cache(maxsize=128)  # noqa: B019 -- there is one, for good
    def __call__(self, name: str, value: str) -> BaseHeader:
        return super().__call__(name, value)

    @lru_cache(maxsize=128)  # noqa: B019 -- likewise
    def __getitem__(self, name: str) -> type[BaseHeader]:
        return super().__getitem__(name)


_POLICY = EmailPolicy(header_factory=_Headers())


def compose(
    settings: NotificationSettings,
    *,
    delivery_id: UUID,
    kind: Kind,
    contact: Contact,
    facts: Mapping[str, Any],
    unsubscribe_url: str | None,
) -> EmailMessage:
    """The mail, ready to be handed over.

    Args:
        settings: Sender and addresses.
        delivery_id: Gives the Message-ID.
        kind: What the mail is about.
        contact: Whom it goes to.
        facts: What the templates need besides.
        unsubscribe_url: Where optional mail is refused; None for mail that always goes.
    """
    everything = {
        **facts,
        # A name that whoever typed this address chose is not carried to a stranger.
        "display_name": contact.display_name if contact.is_verified else "",
        "public_url": settings.public_url.rstrip("/"),
        "unsubscribe_url": unsubscribe_url,
    }
    words = rendering.mail(kind, contact.locale, everything)
    message = EmailMessage(_POLICY)
    message["Subject"] = words.subject
    message["From"] = settings.mail_from
    message["To"] = contact.email
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = message_id(settings, delivery_id)
    message["Auto-Submitted"] = "auto-generated"
    if unsubscribe_url is not None:
        message["List-Unsubscribe"] = f"<{unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(words.text)
    message.add_alternative(words.html, subtype="html")
    message["Content-Language"] = rendering.best_locale(contact.locale)
    return message


def message_id(settings: NotificationSettings, delivery_id: UUID) -> str:
    """The Message-ID of a delivery, the same in every attempt."""
    domain = parseaddr(settings.mail_from)[1].partition("@")[2] or "localhost"
    return f"<{delivery_id}@{domain}>"


def unsubscribe_url(
    settings: NotificationSettings, kind: Kind, tenant: str, key: UUID | None
) -> str | None:
    """Where a person refuses optional mail (RFC 8058); None for mail that they cannot refuse."""
    if key is None or not RULES[kind].is_optional:
        return None
    base = settings.public_url.rstrip("/")
    return f"{base}/v1/notifications/unsubscribe/{tenant}/{key}"
