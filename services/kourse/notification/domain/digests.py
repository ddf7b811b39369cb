"""When weekly digests come, and what is in them. Nothing here reads a clock.

A digest is for those who want some kinds not by mail the moment they come up: once a week one mail says what
there is to read.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from kourse.notification.domain.kinds import RULES, Kind
from kourse.notification.domain.preferences import Channel, DigestTime, Preferences
from kourse.rules.dates import localise

WEEK = timedelta(days=7)


def next_digest(after: datetime, zone: ZoneInfo, wanted: DigestTime) -> datetime:
    """The first digest after a moment (UTC), by the clock where the learner is.

    Args:
        after: The moment.
        zone: The time zone of the learner's days.
        wanted: When in the week.
    """
    today = after.astimezone(zone).date()
    last_day = today - timedelta(days=(today.weekday() - wanted.weekday) % 7)
    last = datetime.combine(last_day, wanted.at)
    at = localise(last, zone)
    return at if at > after else localise(last + WEEK, zone)


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
