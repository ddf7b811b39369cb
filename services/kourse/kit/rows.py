"""Makes the rows of a declared object equal what its document says, touching only those that differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Table,
    TextClause,
    and_,
    delete,
    insert,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

Row = Mapping[str, Any]


async def equalise(
    tx: AsyncSession, table: Table, scope: Row, wanted: Sequence[Row], *, new: bool = False
) -> int:
    """The rows of ``table`` within ``scope`` are those wanted; returns how many were not.

    Columns that no wanted row names are left as they are.

    Args:
        tx: The transaction; the caller holds the lock that keeps other writers out.
        table: A table with a primary key.
        scope: Column values that all rows in question share, as narrow as can be; wanted rows do not
            repeat them.
        wanted: The rows, each with the same columns.
        new: Whether the scope is new, so that no row can be there and none is looked for.
    """
    if new:
        return await _fill(tx, table, scope, wanted)
    keys = [column.name for column in table.primary_key if column.name not in scope]
    columns = [table.c[name] for name in (wanted[0] if wanted else keys)]
    found = await tx.execute(select(*columns).where(_within(table, scope)))
    present = {_key(row, keys): row for row in map(dict, found.mappings())}
    desired = {_key(row, keys): dict(row) for row in wanted}
    extra = [key for key in present if key not in desired]
    missing = [row for key, row in desired.items() if key not in present]
    changed = [row for key, row in desired.items() if key in present and present[key] != row]
    if extra:
        await tx.execute(delete(table).where(_within(table, scope), _any_of(table, keys, extra)))
    await _fill(tx, table, scope, missing)
    for row in changed:
        where = and_(_within(table, scope), _any_of(table, keys, [_key(row, keys)]))
        await tx.execute(update(table).where(where).values(**row))
    return len(extra) + len(missing) + len(changed)


async def insert_all(tx: AsyncSession, table: Table, rows: Sequence[Row]) -> None:
    """Inserts rows in one statement with one parameter, however many they are.

    Args:
        tx: The transaction.
        table: The table; columns that the rows do not name get their defaults.
        rows: The rows, each with the same columns, of values that JSON can carry to a column's type.
    """
    if rows:
        told = orjson.dumps([dict(row) for row in rows]).decode()
        await tx.execute(_insertion(table, tuple(rows[0])), {"rows": told})


@cache
def _insertion(table: Table, columns: tuple[str, ...]) -> TextClause:
    named = ", ".join(f'"{name}"' for name in columns)
    place = f'"{table.schema}"."{table.name}"'
    told = f"json_populate_recordset(CAST(NULL AS {place}), CAST(:rows AS json))"
    return text(f"INSERT INTO {place} ({named}) SELECT {named} FROM {told}")  # noqa: S608 -- our names


async def _fill(tx: AsyncSession, table: Table, scope: Row, rows: Sequence[Row]) -> int:
    if rows:
        await tx.execute(insert(table), [{**scope, **row} for row in rows])
    return len(rows)


def _key(row: Mapping[str, Any], keys: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in keys)


def _within(table: Table, scope: Row) -> ColumnElement[bool]:
    return and_(*(table.c[name] == value for name, value in scope.items()))


def _any_of(
    table: Table, keys: Sequence[str], values: Sequence[tuple[Any, ...]]
) -> ColumnElement[bool]:
    if not keys:
        return true()
    return or_(
        *(
            and_(*(table.c[name] == part for name, part in zip(keys, value, strict=True)))
            for value in values
        )
    )
