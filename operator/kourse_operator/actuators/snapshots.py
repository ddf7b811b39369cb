"""What the rows of one declared object hold, and how two such pictures differ.

The tables are found in the catalog: those that the operator may write and that name the object, so a
table that a later release adds is looked at as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.kit.db import statement
from kourse_operator.plans.steps import Drift

Row = Mapping[str, Any]
Picture = dict[tuple[str, ...], Row]
"""Rows by table and primary key."""
_NAMES = {"Course": "course", "QuestionPool": "pool", "ExamConfig": "exam", "Cohort": "cohort"}
_UNTOLD = frozenset({"tenant", "created_at", "updated_at"})
_LONGEST = 60
_TABLES = text(
    "SELECT c.relname, a.attname, ARRAY(SELECT k.attname::text FROM pg_index i"
    "  JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = ANY (i.indkey)"
    "  WHERE i.indrelid = c.oid AND i.indisprimary ORDER BY k.attnum)"
    " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped"
    " WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind = 'r'"
    " AND (a.attname = :reference OR (c.relname = :table AND a.attname = 'id'))"
    " AND has_table_privilege(c.oid, 'SELECT, INSERT') ORDER BY c.relname"
)


async def take(tx: AsyncSession, kind: str, object_id: UUID) -> Picture:
    """The object's rows as they are now."""
    name = _NAMES[kind]
    values = {"schema": tx.info["schema"], "table": name, "reference": f"{name}_id"}
    picture: Picture = {}
    for table, column, keys in (await tx.execute(_TABLES, values)).all():
        query = f'SELECT to_jsonb(t) FROM {{schema}}."{table}" t WHERE t."{column}" = :id'  # noqa: S608 -- names of the catalog
        for row in await tx.scalars(statement(tx.info["schema"], query), {"id": object_id}):
            picture[(table, *(str(row[key]) for key in keys))] = row
    return picture


def differences(found: Picture, wanted: Picture) -> list[Drift]:
    """What led from one picture to the other, row by row and column by column."""
    return [drift for key in sorted({*found, *wanted}) for drift in _row(key, found, wanted)]


def _row(key: tuple[str, ...], found: Picture, wanted: Picture) -> Iterator[Drift]:
    before, after = found.get(key), wanted.get(key)
    if before is None or after is None:
        was, is_ = ("absent", "present") if before is None else ("present", "absent")
        yield Drift(f"row {_called(key, after or before or {})}", was, is_)
        return
    for column in sorted({*before, *after} - _UNTOLD):
        if before.get(column) != after.get(column):
            what = f"{_called(key, after)}, column {column}"
            yield Drift(what, _shown(before.get(column)), _shown(after.get(column)))


def _called(key: tuple[str, ...], row: Row) -> str:
    """The table, with the name or key that people know the row by."""
    known = row.get("name") or row.get("key") or " ".join(key[1:])
    return f"{key[0]} {known}"


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
