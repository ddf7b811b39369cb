"""How events that stand aside look on a terminal, and how people write moments; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

_AGO = re.compile(r"^(\d+)([smhd])$")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
ERROR_WIDTH = 60

PARKED_COLUMNS = {
    "EVENT": "eventId",
    "SERVICE": "service",
    "TYPE": "type",
    "ENTITY": "entity",
    "SEQ": "seq",
    "WHY": "reason",
    "TRIES": "tries",
    "SINCE": "parkedAt",
    "ERROR": "error",
}
DEAD_COLUMNS = {
    "KEY": "key",
    "SERVICE": "service",
    "TYPE": "type",
    "TENANT": "tenant",
    "WHY": "reason",
    "FROM": "queue",
    "SINCE": "diedAt",
    "BYTES": "size",
}


def moment(text: str, now: datetime) -> datetime:
    """The moment that ``2h`` (ago), ``2026-01-31`` or ``2026-01-31T08:00:00Z`` names; UTC without an offset.

    Raises:
        ValueError: It names none.
    """
    if (ago := _AGO.match(text)) is not None:
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no moment: write 30m, 2h or 7d for so long ago, or 2026-01-31T08:00:00Z."
        ) from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def table(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    """The rows under their headings, in columns as wide as they need; "" without rows."""
    cells = [[_cell(row.get(field)) for field in columns.values()] for row in rows]
    if not cells:
        return ""
    lines = [list(columns), *cells]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    return "\n".join(_aligned(line, widths) for line in lines)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
    return "  ".join(cells).rstrip()


def _cell(value: Any) -> str:
    text = " ".join(str("" if value is None else value).split())
    return text if len(text) <= ERROR_WIDTH else text[: ERROR_WIDTH - 1] + "…"


def whole(event: Mapping[str, Any]) -> str:
    """One parked event for people: what it is, why it is here, where it stands, what waits behind it."""
    lines = [
        f"{event['type']} {event['eventId']}",
        f"  of          {event['stream']} {event['entity']}, number {event['seq']}",
        f"  set aside   by {event['service']} at {event['parkedAt']}, {_why(event)}",
        f"  stands at   number {event['lastSeq']}{_missing(event['missing'])}",
    ]
    if event["error"]:
        lines.append(f"  error       {event['error']} (tried {event['tries']} times)")
    lines += [f"  before it   {_neighbour(one)}" for one in event["before"]]
    lines += [f"  behind it   {_neighbour(one)}" for one in event["behind"]]
    lines += ["  payload", _indented(event["payload"]), "  headers", _indented(event["headers"])]
    return "\n".join(lines)


def letter(dead: Mapping[str, Any]) -> str:
    """One dead letter for people: what it says it is, why it is here, and how its payload begins."""
    since = dead["diedAt"] or "a time that the broker does not say"
    lines = [
        f"{dead['type'] or 'A message without a type'} {dead['key']}",
        f"  of tenant   {dead['tenant'] or 'unknown'}",
        f"  set aside   for {dead['service']} at {since}, {dead['reason'] or 'reason unknown'}",
        f"  came from   {dead['queue'] or 'unknown'}",
        f"  payload     {dead['size']} bytes",
    ]
    return "\n".join([*lines, *(f"    {line}" for line in dead["payload"].splitlines())])


def _why(event: Mapping[str, Any]) -> str:
    return {
        "poison": "since it failed",
        "blocked": "behind an event that failed",
        "gap": "since an earlier one has not come",
    }.get(event["reason"], str(event["reason"]))


def _missing(count: int) -> str:
    return f"; {count} earlier ones have not come" if count else ""


def _neighbour(one: Mapping[str, Any]) -> str:
    return f"number {one['seq']}, {one['type']} {one['eventId']} ({one['reason']})"


def _indented(value: Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return "\n".join(f"    {line}" for line in text.splitlines())
