"""Writes an iCalendar file (RFC 5545) that calendar programs subscribe to (RFC 7986).

Every occurrence is written by itself, as an instant in UTC: no reader has to know our time zones or to
work out a rule, so all of them show what the platform shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

MEDIA_TYPE = "text/calendar; charset=utf-8"
OCTETS = 75
"""Longest line, without its end (RFC 5545, 3.1)."""
_HEAD = (
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//kourse//calendar//EN",
    "CALSCALE:GREGORIAN",
    "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
    "X-PUBLISHED-TTL:PT1H",
)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_SPECIAL = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


@dataclass(frozen=True)
class Entry:
    """One appointment.

    Attributes:
        source: Stable name of what it comes from; with the start it makes the entry's UID.
        title: What is shown.
        starts_at: Instant.
        ends_at: Instant; the start for a moment, such as a due date.
        changed_at: When its source changed last.
    """

    source: str
    title: str
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime


def write(name: str, entries: Iterable[Entry]) -> bytes:
    """The calendar of that name with these entries."""
    lines = [*_HEAD, f"NAME:{_text(name)}", f"X-WR-CALNAME:{_text(name)}"]
    for entry in entries:
        lines += _event(entry)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _event(entry: Entry) -> Iterator[str]:
    starts, ends = _instant(entry.starts_at), _instant(entry.ends_at)
    yield "BEGIN:VEVENT"
    yield f"UID:{entry.source}-{starts}@kourse"
    yield f"DTSTAMP:{_instant(entry.changed_at)}"
    yield f"DTSTART:{starts}"
    if ends > starts:
        yield f"DTEND:{ends}"
    else:
        yield "TRANSP:TRANSPARENT"
    yield f"SUMMARY:{_text(entry.title)}"
    yield "END:VEVENT"


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    return _CONTROL.sub(" ", value.replace("\r\n", "\n")).translate(_SPECIAL)


def _folded(line: str) -> bytes:
    """The line in pieces of at most 75 octets, none of which cuts a character in two."""
    pieces, piece = [], b""
    for char in line:
        octets = char.encode()
        if len(piece) + len(octets) > OCTETS:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
