"""The audit trail as the gateway and exported files give it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlencode

from kourse.cli.event_views import moment
from kourse.cli.options import progress
from kourse.cli.session import BrokenOff, CommandError, Session

Row = dict[str, Any]
PAGE = 100
_HEAD = re.compile(r"([0-9]{1,15}):([0-9a-f]{64})")
COLUMNS = {
    "NUMBER": "seq",
    "AT": "at",
    "ACTOR": "actor",
    "ACTION": "action",
    "TARGET": "target",
    "OUTCOME": "outcome",
    "ADDRESS": "address",
}


def filters(
    actor: str | None,
    action: str | None,
    target: str | None,
    outcome: str | None,
    since: str | None,
    until: str | None,
) -> Row:
    """Query of the routes.

    Raises:
        CommandError: A moment is written in no known form.
    """
    wanted = {"actor": actor, "action": action, "target": target, "outcome": outcome}
    wanted |= {"since": _moment(since), "until": _moment(until)}
    return {name: value for name, value in wanted.items() if value is not None}


def head_of(text: str | None) -> tuple[int, str] | None:
    """The number and the hash of a head as ``verify`` prints it.

    Raises:
        CommandError: It is none.
    """
    if text is None:
        return None
    if (found := _HEAD.fullmatch(text.strip())) is None:
        raise CommandError(f"{text!r} is no head; it looks like 1234:hash, as `verify` prints it.")
    return int(found[1]), found[2]


def newest(session: Session, wanted: Mapping[str, Any], limit: int) -> list[Row]:
    """At most so many entries, newest first."""
    rows: list[Row] = []
    following: Row = {}
    while len(rows) < limit:
        asked = {**wanted, "limit": min(PAGE, limit - len(rows)), **following}
        page = session.get(f"/v1/audit/entries?{urlencode(asked)}")
        rows += page["items"]
        if page["next"] is None:
            break
        following = {"after": page["next"]}
    return rows


def entries(session: Session, wanted: Mapping[str, Any] | None = None) -> Iterator[Row]:
    """Entries of the export, oldest first; an answer that breaks off is asked for again from there.

    Raises:
        CommandError: The platform refuses, or breaks off without giving a further entry.
    """
    after, before = 0, -1
    while after > before:
        before = after
        end = session.get("/v1/audit/head")["seq"]
        try:
            for line in session.lines(_export(wanted, after=after)):
                entry: Row = json.loads(line)
                yield entry
                after = entry["seq"]
        except BrokenOff:
            progress(f"{after} of {end} entries")
        else:
            return
    raise CommandError("The export broke off again and again.")


def _export(wanted: Mapping[str, Any] | None, **more: Any) -> str:
    return f"/v1/audit/export?{urlencode({**(wanted or {}), **more})}"


def write(session: Session, wanted: Mapping[str, Any], form: str, file: Path) -> int:
    """Entries written into the file, which nobody else may read.

    Raises:
        CommandError: The platform refuses, or the file cannot be written.
    """
    try:
        file.touch(mode=0o600)
        with file.open("w", encoding="utf-8", newline="") as target:
            if form == "csv":
                return _write_table(session, wanted, target)
            count = 0
            for entry in entries(session, wanted):
                target.write(json.dumps(entry, ensure_ascii=False) + "\n")
                count += 1
            return count
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}.") from None


def _write_table(session: Session, wanted: Mapping[str, Any], target: TextIO) -> int:
    session.get("/v1/audit/head")
    count = -1
    try:
        for line in session.lines(_export(wanted, format="csv")):
            target.write(line + "\r\n")
            count += 1
    except BrokenOff:
        raise CommandError("It broke off; take it in parts, with --since and --until.") from None
    return count


def lines_of(file: Path) -> Iterator[Row]:
    """Entries of an exported file; what is no JSON object comes as an empty entry.

    Raises:
        CommandError: The file cannot be read.
    """
    try:
        with file.open(encoding="utf-8", errors="replace") as source:
            for line in source:
                if line.strip():
                    yield _entry(line)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from None


def _entry(line: str) -> Row:
    with suppress(ValueError):
        found = json.loads(line)
        if isinstance(found, dict):
            return found
    return {}


def _moment(text: str | None) -> str | None:
    if text is None:
        return None
    from kourse.kit.clock import now  # its library takes most of a second to load

    try:
        return moment(text, now()).isoformat()
    except ValueError as error:
        raise CommandError(str(error)) from None
