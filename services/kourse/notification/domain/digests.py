"""When weekly digests come, and what is in them. Nothing here reads a clock.

A digest is for those who want some kinds not by mail the moment they come up: once a week one mail says what
there is to read.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from kourse.notification.domain.kinds import RULES, Kind
from kourse.notification.domain.preferences import Channel, Preferences
from kourse.rules.dates import localise

AT = time(8)
"""Time of the Monday, on the learner's clock."""
WEEK = timedelta(days=7)


def next_digest(after: datetime, zone: ZoneInfo) -> datetime:
    """The first digest after a moment (UTC): Monday morning where the learner is.

    Args:
        after: The moment.
        zone: The time zone of the learner's days.
    """
    today = after.astimezone(zone).date()
    monday = datetime.combine(today - timedelta(days=today.weekday()), AT)
    this_week = localise(monday, zone)
    return this_week if this_week > after else localise(monday + WEEK, zone)


def digested(preferences: Preferences) -> frozenset[Kind]:
    """Kinds that a digest sums up: those in the feed of which mail was refused. None without a digest."""
    if not preferences.takes(Kind.WEEKLY_DIGEST, Channel.EMAIL):
        return frozenset()
    return frozenset(
        kind
        for kind, channel in preferences.refused
        if channel is Channel.EMAIL
        and RULES[kind].in_feed
        and RULES[kind].by_email
        and RULES[kind].is_optional
        and preferences.takes(kind, Channel.FEED)
    )
