"""Entries of the audit trail as files: lines of JSON, which can be verified, and CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson

COLUMNS = (
    "seq",
    "at",
    "actor",
    "action",
    "target",
    "outcome",
    "address",
    "source",
    "correlation",
    "detail",
    "sealedAt",
    "id",
    "hash",
)
_FORMULA = frozenset("=+-@\t\r")


async def as_ndjson(entries: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[bytes]:
    """A line of JSON for each entry."""
    async for entry in entries:
        yield orjson.dumps(entry) + b"\n"


async def as_csv(entries: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[bytes]:
    """A row for each entry behind a row of names, by RFC 4180."""
    yield _row(COLUMNS)
    async for entry in entries:
        cells = {**entry, "detail": orjson.dumps(entry["detail"]).decode()}
        yield _row([_cell(cells[name]) for name in COLUMNS])


def _cell(value: Any) -> str:
    """The value as text that no spreadsheet takes for a formula (CWE-1236)."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in _FORMULA else text


def _row(cells: Any) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue().encode()
