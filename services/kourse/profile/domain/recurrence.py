"""When recurring meetings take place: RFC 5545 rules on wall clocks, so that daylight saving shifts none.

Rules are limited to what a timetable needs: an unlimited rule can keep a computer busy for seconds
looking for a day that never comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta
from heapq import merge
from itertools import groupby, islice, takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from kourse.profile.errors import InvalidRecurrence
from kourse.rules.dates import Irregularity, irregularity, local_of, localise

_ALWAYS = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH"})
PARTS: Mapping[str, frozenset[str]] = {
    "DAILY": _ALWAYS,
    "WEEKLY": _ALWAYS,
    "MONTHLY": _ALWAYS | {"BYMONTHDAY", "BYSETPOS"},
    "YEARLY": _ALWAYS | {"BYMONTHDAY", "BYSETPOS"},
}
"""Parts that a rule may have, by frequency."""
MOST = {"INTERVAL": 366, "COUNT": 5000}
CYCLE_YEARS = 400
"""After so many years the Gregorian calendar repeats, weekdays included (146,097 days, 20,871 weeks)."""
_LOCAL = "%Y%m%dT%H%M%S"
_STRAY = timedelta(days=1)
"""More than a clock change moves a wall clock."""


@dataclass(frozen=True)
class Meeting:
    """A recurring appointment, in the time zone of a cohort's run or of a person's plan.

    Attributes:
        title: What it is called.
        starts: First occurrence, wall-clock time.
        minutes: How long each lasts.
        rrule: RFC 5545 recurrence rule; None for a single occurrence.
        exceptions: Wall-clock times at which it does not take place (RFC 5545, EXDATE).
        additions: Wall-clock times at which it takes place besides (RFC 5545, RDATE).
    """

    title: str
    starts: str
    minutes: int
    rrule: str | None = None
    exceptions: Sequence[str] = ()
    additions: Sequence[str] = ()


@dataclass(frozen=True)
class Occurrence:
    """One meeting that takes place.

    Attributes:
        title: What it is called.
        starts_at: Instant, in the meeting's time zone.
        ends_at: Instant, in the same.
        irregularity: Why its wall-clock time was not exactly one instant, or None.
    """

    title: str
    starts_at: datetime
    ends_at: datetime
    irregularity: Irregularity | None = None


def check(meeting: Meeting, zone: ZoneInfo, last_day: date) -> None:
    """Returns when the meeting can be held.

    Raises:
        InvalidDates: A time is on no calendar.
        InvalidRecurrence: The rule cannot be used, or it has no occurrence until ``last_day``.
    """
    if next(_walls(meeting, zone, last_day), None) is None:
        raise InvalidRecurrence(
            f"The meeting {meeting.title!r} takes place at no time of the run; look at its start, "
            "its rule and its exceptions."
        )


def next_occurrence(
    meetings: Iterable[Meeting], zone: ZoneInfo, last_day: date, after: datetime
) -> Occurrence | None:
    """The first meeting that starts later than ``after``, until the run's last day; or None."""
    found = (_first_after(meeting, zone, last_day, after) for meeting in meetings)
    return min(
        (entry for entry in found if entry is not None),
        key=lambda entry: entry.starts_at,
        default=None,
    )


def _first_after(
    meeting: Meeting, zone: ZoneInfo, last_day: date, after: datetime
) -> Occurrence | None:
    found = _from(meeting, zone, last_day, after)
    return next((entry for entry in found if entry.starts_at > after), None)


def between(
    meeting: Meeting, zone: ZoneInfo, last_day: date, since: datetime, until: datetime
) -> Iterator[Occurrence]:
    """Those that end after ``since`` and start before ``until``, until the last day."""
    end = min(last_day, (until.astimezone(zone) + _STRAY).date())
    since_start = since - timedelta(minutes=meeting.minutes)
    for entry in _from(meeting, zone, end, since_start):
        if entry.starts_at < until and entry.ends_at > since:
            yield entry


def irregular(
    meeting: Meeting, zone: ZoneInfo, last_day: date, after: datetime, most: int
) -> list[Occurrence]:
    """The next occurrences whose wall-clock times do not exist or exist twice, at most so many."""
    found = (entry for entry in _from(meeting, zone, last_day, after) if entry.irregularity)
    return list(islice(found, most))


def _from(
    meeting: Meeting, zone: ZoneInfo, last_day: date, after: datetime
) -> Iterator[Occurrence]:
    """What takes place around ``after`` and later; what is long over costs little."""
    floor = (after.astimezone(zone) - _STRAY).replace(tzinfo=None)
    for wall in _walls(meeting, zone, last_day):
        if wall >= floor:
            yield _occurrence(meeting, wall, zone)


def _occurrence(meeting: Meeting, wall: datetime, zone: ZoneInfo) -> Occurrence:
    starts_at = localise(wall, zone)
    ends_at = starts_at + timedelta(minutes=meeting.minutes)
    return Occurrence(
        meeting.title,
        starts_at.astimezone(zone),
        ends_at.astimezone(zone),
        irregularity(wall, zone),
    )


def _walls(meeting: Meeting, zone: ZoneInfo, last_day: date) -> Iterator[datetime]:
    skipped = {local_of(text, zone) for text in meeting.exceptions}
    added = sorted(local_of(text, zone) for text in meeting.additions)
    every = (wall for wall, _ in groupby(merge(_recurring(meeting, zone), added)))
    occurring = takewhile(lambda wall: wall.date() <= last_day, every)
    return (wall for wall in occurring if wall not in skipped)


def _recurring(meeting: Meeting, zone: ZoneInfo) -> Iterator[datetime]:
    """Every occurrence, exceptions included, without end where the rule has none.

    The rule is worked out as many whole cycles of the calendar later as there is room for, so that a
    day that never comes is given up after at most four centuries instead of eighty.
    """
    first = local_of(meeting.starts, zone)
    if meeting.rrule is None:
        return iter([first])
    later = (MAXYEAR - first.year) // CYCLE_YEARS * CYCLE_YEARS
    rule = _wall_rule(meeting.rrule, zone, later)
    try:
        found = iter(rrulestr(rule, dtstart=_moved(first, later)))
    except ValueError as error:
        raise InvalidRecurrence(f"The rule {meeting.rrule!r} cannot be read: {error}.") from None
    return (_moved(wall, -later) for wall in found)


def _moved(wall: datetime, years: int) -> datetime:
    return wall.replace(year=wall.year + years)


def _wall_rule(rrule: str, zone: ZoneInfo, later: int) -> str:
    parts = dict(part.split("=", 1) for part in rrule.split(";"))
    unknown = sorted(set(parts) - PARTS.get(parts.get("FREQ", ""), frozenset()))
    if unknown or len(parts) != rrule.count(";") + 1:
        named = ", ".join(unknown) or "a part twice"
        raise InvalidRecurrence(f"The rule {rrule!r} has {named}; that is not supported.")
    for name, most in MOST.items():
        if name in parts and not (parts[name].isdigit() and 1 <= int(parts[name]) <= most):
            raise InvalidRecurrence(f"{name} of the rule {rrule!r} must be from 1 to {most}.")
    _check_days(parts, rrule)
    if "UNTIL" in parts:
        until = _until(parts.pop("UNTIL"), rrule, zone)
        if until.year + later <= MAXYEAR:
            parts["UNTIL"] = _moved(until, later).strftime(_LOCAL)
    return ";".join(f"{name}={value}" for name, value in parts.items())


def _check_days(parts: Mapping[str, str], rrule: str) -> None:
    """Returns when the days are all counted or none, which dateutil would read as both at once."""
    days = parts["BYDAY"].split(",") if "BYDAY" in parts else []
    counted = {not day[:1].isalpha() for day in days}
    if len(counted) > 1:
        raise InvalidRecurrence(f"The rule {rrule!r} counts some days and not others.")
    if True in counted and parts["FREQ"] not in {"MONTHLY", "YEARLY"}:
        raise InvalidRecurrence(f"The rule {rrule!r} counts days of neither a month nor a year.")


def _until(text: str, rrule: str, zone: ZoneInfo) -> datetime:
    """Wall-clock time until which a rule goes; a day counts to its end."""
    try:
        if text.endswith("Z"):
            moment = datetime.strptime(text, f"{_LOCAL}Z").replace(tzinfo=UTC)
            return moment.astimezone(zone).replace(tzinfo=None, fold=0)
        if "T" in text:
            return datetime.strptime(text, _LOCAL)  # noqa: DTZ007 - a wall clock is meant
        day = datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - likewise
    except ValueError:
        raise InvalidRecurrence(f"UNTIL of the rule {rrule!r} is not a time.") from None
    return datetime.combine(day, time.max).replace(microsecond=0)
