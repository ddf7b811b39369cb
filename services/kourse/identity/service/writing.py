"""Entries of the audit trail as files: lines of JSON, which can be verified, and CSV for spreadsheets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson

from kourse.kit import spreadsheets

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


async def as_ndjson(entries: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[bytes]:
    """A line of JSON for each entry."""
    async for entry in entries:
        yield orjson.dumps(entry) + b"\n"


async def as_csv(entries: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[bytes]:
    """A row for each entry behind a row of names, by RFC 4180."""
    yield spreadsheets.row(COLUMNS)
    async for entry in entries:
        cells = {**entry, "detail": orjson.dumps(entry["detail"]).decode()}
        yield spreadsheets.row(cells[name] for name in COLUMNS)
