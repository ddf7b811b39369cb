"""What somebody wants to be told, by which way, and when not. Security messages heed none of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from kourse.notification.domain.kinds import RULES, Kind
from kourse.rules.dates import localise


class Channel(StrEnum):
    """A way to somebody."""

    FEED = "feed"
    EMAIL = "email"
    WEBHOOK = "webhook"


@dataclass(frozen=True)
class QuietHours:
    """A time of every day at which no mail comes; past midnight when it ends no later than it starts."""

    starts: time
    ends: time

    def end_after(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """When the quiet hours that it is now end (UTC); None when it is no such time.

        Where the clocks change, both ends are the instants that RFC 5545, 3.3.5 gives them.
        """
        today = now.astimezone(zone).date()
        for day in (today - timedelta(days=1), today):
            last = day + timedelta(days=1) if self.ends <= self.starts else day
            ends_at = localise(datetime.combine(last, self.ends), zone)
            if localise(datetime.combine(day, self.starts), zone) <= now < ends_at:
                return ends_at
        return None


@dataclass(frozen=True)
class DigestTime:
    """When in the week a digest comes, on the person's clock.

    Attributes:
        weekday: Days since Monday, 0 to 6.
        at: Time of that day.
    """

    weekday: int = 0
    at: time = time(8)


@dataclass(frozen=True)
class Preferences:
    """Somebody's wishes.

    Attributes:
        wants_mail: Whether any mail is wanted that can be refused.
        refused: Kinds that are not wanted by a channel.
        quiet: When mail waits; None for never.
        digest: When weekly digests come, for those who get any.
    """

    wants_mail: bool = True
    refused: frozenset[tuple[Kind, Channel]] = frozenset()
    quiet: QuietHours | None = None
    digest: DigestTime = DigestTime()

    def takes(self, kind: Kind, channel: Channel) -> bool:
        """Whether the kind goes to them by that channel."""
        rule = RULES[kind]
        if not (rule.by_email if channel is Channel.EMAIL else rule.in_feed):
            return False
        if not rule.is_optional:
            return True
        if channel is Channel.EMAIL and not self.wants_mail:
            return False
        return (kind, channel) not in self.refused

    def silent_until(self, kind: Kind, now: datetime, zone: ZoneInfo) -> datetime | None:
        """When a mail of this kind may leave at the earliest; None for now.

        Args:
            kind: What it is about.
            now: The time.
            zone: The time zone of the person's days.
        """
        if self.quiet is None or not RULES[kind].is_optional:
            return None
        return self.quiet.end_after(now, zone)


OPTIONAL = tuple(kind for kind in Kind if RULES[kind].is_optional)
"""Kinds that can be refused."""
