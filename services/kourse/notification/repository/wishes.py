"""Rows of people's preferences; whoever has said nothing has the default ones."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.domain.kinds import Kind
from kourse.notification.domain.preferences import Channel, DigestTime, Preferences, QuietHours
from kourse.notification.repository.replicas import DEFAULT_LOCALE
from kourse.notification.tables import recipient

COLUMNS = (
    recipient.c.wants_mail,
    recipient.c.refused,
    recipient.c.quiet_starts,
    recipient.c.quiet_ends,
    recipient.c.digest_day,
    recipient.c.digest_at,
)
"""What ``preferences_in`` needs of a row."""


async def preferences_of(tx: AsyncSession, user_id: UUID) -> Preferences:
    """The person's preferences."""
    query: Select[Any] = select(*COLUMNS).where(recipient.c.user_id == user_id)
    row = (await tx.execute(query)).one_or_none()
    return Preferences() if row is None else preferences_in(row)


async def put_preferences(tx: AsyncSession, user_id: UUID, wanted: Preferences) -> None:
    """The person has these preferences, and no others."""
    quiet = wanted.quiet
    values = {
        "wants_mail": wanted.wants_mail,
        "refused": sorted(mark(kind, channel) for kind, channel in wanted.refused),
        "quiet_starts": quiet.starts if quiet else None,
        "quiet_ends": quiet.ends if quiet else None,
        "digest_day": wanted.digest.weekday,
        "digest_at": wanted.digest.at,
    }
    row = insert(recipient).values(
        tenant=tx.info["tenant"], user_id=user_id, locale=DEFAULT_LOCALE, **values
    )
    keys = [recipient.c.tenant, recipient.c.user_id]
    await tx.execute(row.on_conflict_do_update(index_elements=keys, set_=values))


async def unsubscribe(tx: AsyncSession, key: UUID) -> None:
    """Whoever has this key wants no mails; an unknown key changes nothing."""
    await tx.execute(
        update(recipient).where(recipient.c.unsubscribe_key == key).values(wants_mail=False)
    )


def preferences_in(row: Row[Any]) -> Preferences:
    """The preferences in a row; the default ones when the person is not known here."""
    if row.wants_mail is None:
        return Preferences()
    pairs = (one.split("/") for one in row.refused)
    return Preferences(
        wants_mail=row.wants_mail,
        refused=frozenset((Kind(kind), Channel(channel)) for kind, channel in pairs),
        quiet=None if row.quiet_starts is None else QuietHours(row.quiet_starts, row.quiet_ends),
        digest=DigestTime(row.digest_day, row.digest_at),
    )


def mark(kind: Kind, channel: Channel) -> str:
    """How a refusal is stored."""
    return f"{kind.value}/{channel.value}"
