"""When something opens, is due and closes: one resolver for every surface.

What is shown is what is enforced, because the outline, the hand-in, the exam window and the
operator's status all come through here. Wall-clock times become instants as RFC 5545 3.3.5 says;
layers go from the course's default over cohort, label and accommodation to a personal extension.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from kourse.contracts.errors import InvalidDates, UnknownTimeZone
from kourse.contracts.resources.meta import Moment, Window

END_OF_DAY = time(23, 59)
"""Time of a day offset that names none."""


class Irregularity(StrEnum):
    """Why a wall-clock time is not exactly one instant."""

    GAP = "gap"
    """It does not occur: the clocks jump over it. The offset before the jump is used."""
    FOLD = "fold"
    """It occurs twice: the clocks are put back. The first occurrence is used."""


@dataclass(frozen=True)
class Run:
    """The first day of a run, in the run's own time zone."""

    starts: date
    zone: ZoneInfo


@dataclass(frozen=True)
class Frame:
    """What wall-clock times and day offsets of one object are measured against.

    Attributes:
        zone: Time zone of the object that declares the times.
        run: The run that day offsets count from, or None where there is no run.
    """

    zone: ZoneInfo
    run: Run | None = None


@dataclass(frozen=True)
class Dates:
    """Instants (UTC); None where nothing is said."""

    opens_at: datetime | None = None
    due_at: datetime | None = None
    closes_at: datetime | None = None


class Source(StrEnum):
    """Who set a date, weakest first."""

    DEFAULT = "default"
    COHORT = "cohort"
    LABEL = "label"
    ACCOMMODATION = "accommodation"
    PERSONAL = "personal"


_STRENGTH = {source: rank for rank, source in enumerate(Source)}
_FIELDS = tuple(entry.name for entry in fields(Dates))


@dataclass(frozen=True)
class Layer:
    """The dates that one source sets; what it leaves out is inherited."""

    source: Source
    dates: Dates


@dataclass(frozen=True)
class Effective:
    """The dates that hold for one learner, and who set each."""

    dates: Dates
    sources: Mapping[str, Source] = field(default_factory=dict)


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones()) - {"Factory", "localtime", "posixrules"}


def zone_of(name: str) -> ZoneInfo:
    """The IANA time zone of that name.

    Raises:
        UnknownTimeZone: There is none.
    """
    if name not in _zone_names():
        raise UnknownTimeZone(
            f"{name!r} is not an IANA time zone; a valid one is, for example, Europe/Lisbon."
        )
    return ZoneInfo(name)


def day_of(text: str) -> date:
    """The calendar day written as ``YYYY-MM-DD``.

    Raises:
        InvalidDates: There is no such day, for example 30 February.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidDates(f"{text!r} is not a day of the calendar.") from None


def local_of(text: str, zone: ZoneInfo) -> datetime:
    """Wall-clock time in ``zone``, without offset; a time that carries an offset is converted.

    Raises:
        InvalidDates: There is no such time, for example 25:00.
    """
    try:
        parsed = datetime.fromisoformat(text)
        if parsed.tzinfo is None:
            return parsed
        return parsed.astimezone(zone).replace(tzinfo=None, fold=0)
    except (ValueError, OverflowError):
        raise InvalidDates(f"{text!r} is not a date and time.") from None


def instant_of(text: str, zone: ZoneInfo) -> datetime:
    """Instant (UTC) of a wall-clock time in ``zone``, or of a time that carries its own offset.

    Raises:
        InvalidDates: There is no such time.
    """
    try:
        parsed = datetime.fromisoformat(text)
        return localise(parsed, zone) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidDates(f"{text!r} is not a date and time.") from None


def localise(local: datetime, zone: ZoneInfo) -> datetime:
    """Instant (UTC) of a wall-clock time.

    A time that the clocks jump over is read with the offset before the jump, a time that occurs
    twice is its first occurrence.

    Source:
        RFC 5545, section 3.3.5, form 3; PEP 495 with ``fold=0``.
    """
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def irregularity(local: datetime, zone: ZoneInfo) -> Irregularity | None:
    """Whether the wall-clock time falls into a gap or a fold of ``zone``; None when it is plain."""
    first = local.replace(tzinfo=zone, fold=0)
    second = local.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return None
    occurs = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local.replace(fold=0)
    return Irregularity.FOLD if occurs else Irregularity.GAP


def instant(moment: Moment | None, frame: Frame) -> datetime | None:
    """Instant (UTC) of a moment; None when there is none or when it counts from an unknown run.

    A day offset counts in the run's time zone, a wall-clock time in the declaring object's.

    Raises:
        InvalidDates: The wall-clock time does not exist on any calendar.
    """
    if moment is None:
        return None
    if moment.at is not None:
        return instant_of(moment.at, frame.zone)
    if moment.day is None or frame.run is None:
        return None
    at = time.fromisoformat(moment.time) if moment.time else END_OF_DAY
    day = frame.run.starts + timedelta(days=moment.day)
    return localise(datetime.combine(day, at), frame.run.zone)


def dates_of(window: Window, frame: Frame) -> Dates:
    """The window's three moments as instants.

    Raises:
        InvalidDates: A time does not exist, or the window is due before it opens or closes
            before it is due.
    """
    found = Dates(
        instant(window.opens, frame), instant(window.due, frame), instant(window.closes, frame)
    )
    _require_order(found)
    return found


def _require_order(found: Dates) -> None:
    stated = [
        (name, value)
        for name, value in (
            ("opens", found.opens_at),
            ("due", found.due_at),
            ("closes", found.closes_at),
        )
        if value is not None
    ]
    for (earlier, first), (later, second) in pairwise(stated):
        if first > second:
            raise InvalidDates(
                f"'{later}' ({second.isoformat()}) lies before '{earlier}' ({first.isoformat()})."
            )


def prolonged(layers: Iterable[Layer], by: timedelta) -> Layer:
    """An accommodation: due and closed so much later than these weaker layers say."""
    found = effective(layers).dates
    return Layer(
        Source.ACCOMMODATION,
        Dates(
            due_at=None if found.due_at is None else found.due_at + by,
            closes_at=None if found.closes_at is None else found.closes_at + by,
        ),
    )


def effective(layers: Iterable[Layer]) -> Effective:
    """The dates that hold when stronger layers override weaker ones, field by field.

    Layers of the same source override in the order given. A due date that a stronger layer moves
    past an inherited close takes the close along, so an extension never ends before it begins.
    """
    chosen: dict[str, datetime] = {}
    sources: dict[str, Source] = {}
    for layer in sorted(layers, key=lambda layer: _STRENGTH[layer.source]):
        for name in _FIELDS:
            value = getattr(layer.dates, name)
            if value is not None:
                chosen[name] = value
                sources[name] = layer.source
    due, closes = chosen.get("due_at"), chosen.get("closes_at")
    if due and closes and due > closes and _outranks(sources, "due_at", "closes_at"):
        chosen["closes_at"] = due
        sources["closes_at"] = sources["due_at"]
    return Effective(Dates(**chosen), sources)


def cut_off(found: Effective, hours: int | None) -> Effective:
    """The same dates, closed at most so many hours after they are due.

    A close that was set for fewer people than the due date (say for one learner by name) stands.
    """
    due, closes = found.dates.due_at, found.dates.closes_at
    if hours is None or due is None:
        return found
    last = due + timedelta(hours=hours)
    if closes is not None and (closes <= last or _outranks(found.sources, "closes_at", "due_at")):
        return found
    sources = {**found.sources, "closes_at": found.sources["due_at"]}
    return Effective(replace(found.dates, closes_at=last), sources)


def latest(found: Sequence[Effective]) -> Effective:
    """The dates of those who hand in as one: what is open, due or closed for the last of them.

    So more time for one member is more time for all. Opens for the first for whom it opens; what has no
    end for one has none.
    """
    chosen: dict[str, datetime] = {}
    sources: dict[str, Source] = {}
    for name in _FIELDS:
        stated = [(value, one) for one in found if (value := getattr(one.dates, name)) is not None]
        if len(stated) < len(found):
            continue
        pick = min if name == "opens_at" else max
        value, one = pick(stated, key=lambda entry: entry[0])
        chosen[name], sources[name] = value, one.sources[name]
    return Effective(Dates(**chosen), sources)


def _outranks(sources: Mapping[str, Source], name: str, other: str) -> bool:
    return _STRENGTH[sources[name]] > _STRENGTH[sources[other]]
