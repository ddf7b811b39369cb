"""Tables as CSV (RFC 4180) that no spreadsheet takes for formulas (CWE-1236)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = frozenset("=+-@\t\r")


def as_csv(rows: Iterable[Sequence[object]]) -> bytes:
    """The rows, the names of the columns first; None is an empty cell."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows([_cell(cell) for cell in row] for row in rows)
    return buffer.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, str) and value[:1] in _FORMULA:
        return f"'{value}"
    return value
