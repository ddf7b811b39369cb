"""A roster as CSV: who is to be a member with which roles, line by line, with what is wrong where."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kourse.contracts.permissions import Role
from kourse.identity.domain.accounts import normalised_email

COLUMNS = ("email", "displayName", "roles", "locale")
"""The first two are needed; roles are separated by spaces and ``learner`` by default."""
NEEDED = COLUMNS[:2]
MOST_LINES = 500
LONGEST_NAME = 100


@dataclass(frozen=True)
class Entry:
    """Somebody whom a line names.

    Attributes:
        line: Number of the line, the header being line 1.
        email: Normalised address.
    """

    line: int
    email: str
    display_name: str
    roles: tuple[Role, ...]
    locale: str


@dataclass(frozen=True)
class Fault:
    """A line that names nobody, and why."""

    line: int
    email: str
    message: str


def read(text: str) -> list[Entry | Fault]:
    """What each line says, in their order; an address that comes twice is a fault the second time.

    Raises:
        ValueError: The header is not what it should be, or there are more than 500 lines.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        header = reader.fieldnames or []
        if not set(NEEDED) <= set(header) <= set(COLUMNS) or len(set(header)) != len(header):
            raise ValueError(f"The first line must name the columns {', '.join(COLUMNS)}.")
        found = list(_lines(reader))
    except csv.Error as error:
        raise ValueError(f"Line {reader.line_num} is no CSV: {error}.") from error
    if len(found) > MOST_LINES:
        raise ValueError(f"Send at most {MOST_LINES} lines at a time.")
    return found


def _lines(reader: csv.DictReader[str]) -> Iterator[Entry | Fault]:
    seen: set[str] = set()
    for row in reader:
        found = _entry(reader.line_num, row)
        if isinstance(found, Entry) and found.email in seen:
            found = Fault(found.line, found.email, "This address is on an earlier line already.")
        seen.add(found.email)
        yield found


def _entry(line: int, row: Mapping[str | None, str | list[str] | None]) -> Entry | Fault:
    cells = {name: (row.get(name) or "") for name in COLUMNS}
    email, display_name, roles, locale = (str(cells[name]).strip() for name in COLUMNS)
    if None in row:
        return Fault(line, email, "There are more cells than columns.")
    if not 0 < len(display_name) <= LONGEST_NAME or not display_name.isprintable():
        return Fault(line, email, f"Give a name of 1 to {LONGEST_NAME} printable characters.")
    try:
        held = tuple(dict.fromkeys(Role(name) for name in (roles or Role.LEARNER.value).split()))
    except ValueError:
        known = ", ".join(role.value for role in Role)
        return Fault(line, email, f"Roles are {known}.")
    try:
        address = normalised_email(email)
    except ValueError as error:
        return Fault(line, email, str(error))
    if locale and not locale.replace("-", "").isalpha():
        return Fault(line, email, "A locale is a language tag like `en` or `de-AT`.")
    return Entry(line, address, display_name, held, locale or "en")
