"""The rows behind the ledger of declared objects, and the knock on the operator's door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import orjson
from sqlalchemy import Row as SqlRow
from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.kit.db import statement

WAKE_CHANNEL = "kourse_wake"
"""Notification channel; the payload is ``{"tenant", "kind", "name"}``."""

_COLUMNS = (
    "kind, name, id, source, uid, generation, digest, spec, retired_at IS NOT NULL AS retired"
)
_INSERT = """
INSERT INTO {schema}.document (tenant, kind, name, id, source, uid, generation, digest, spec)
VALUES (:tenant, :kind, :name, :id, :source, :uid, :generation, :digest, CAST(:spec AS jsonb))
ON CONFLICT (tenant, kind, name) DO NOTHING RETURNING 1
"""
_INSERT_NEW = """
INSERT INTO {schema}.document (tenant, kind, name, id, source, uid, generation, digest, spec)
SELECT :tenant, kind, name, id, source, uid, generation, digest, spec
FROM json_populate_recordset(CAST(NULL AS {schema}.document), CAST(:rows AS json))
ON CONFLICT (tenant, kind, name) DO NOTHING RETURNING name
"""
_UPDATE = """
UPDATE {schema}.document SET source = :source, uid = :uid, generation = :generation,
  digest = :digest, spec = CAST(:spec AS jsonb), retired_at = NULL, updated_at = clock_timestamp()
WHERE tenant = :tenant AND kind = :kind AND name = :name
  AND (source, coalesce(uid, ''), generation, digest, retired_at IS NULL)
    IS DISTINCT FROM (:source, coalesce(CAST(:uid AS text), ''), :generation, :digest, true)
"""
_FIND = (
    "SELECT {columns} FROM {schema}.document"
    " WHERE tenant = :tenant AND kind = :kind AND name = :name"
).replace("{columns}", _COLUMNS)
_FIND_ALL = (
    "SELECT {columns} FROM {schema}.document WHERE tenant = :tenant AND kind = :kind"
    " AND (CAST(:names AS text[]) IS NULL OR name = ANY(:names)) ORDER BY name"
).replace("{columns}", _COLUMNS)
_RETIRE = """
UPDATE {schema}.document SET retired_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE tenant = :tenant AND kind = :kind AND name = :name AND retired_at IS NULL
"""
_FORGET = "DELETE FROM {schema}.document WHERE tenant = :tenant AND kind = :kind AND name = :name"
_WAIT = """
INSERT INTO {schema}.document_wait (tenant, kind, name) VALUES (:tenant, :kind, :name)
ON CONFLICT DO NOTHING
"""
_STOP_WAITING = """
DELETE FROM {schema}.document_wait
WHERE tenant = :tenant AND kind = :kind AND name = ANY(:names)
"""
_KNOWN = """
SELECT name FROM {schema}.document
WHERE tenant = :tenant AND kind = :kind AND name = ANY(:names)
"""
_WAITING = "DELETE FROM {schema}.document_wait WHERE tenant = :tenant RETURNING kind, name"
_NOTIFY = "SELECT pg_notify(:channel, :payload)"


@dataclass(frozen=True)
class Row:
    """What the ledger is to hold for a name."""

    kind: str
    name: str
    id: UUID
    source: Literal["resource", "api"]
    uid: str | None
    generation: int
    digest: str
    spec: dict[str, Any]


@dataclass(frozen=True)
class Declared(Row):
    """What the ledger holds for a name."""

    retired: bool


def _sql(tx: AsyncSession, template: str) -> TextClause:
    return statement(tx.info["schema"], template)


def _name(tx: AsyncSession, kind: str, name: str) -> dict[str, Any]:
    return {"tenant": tx.info["tenant"], "kind": kind, "name": name}


def _names(tx: AsyncSession, kind: str, names: Sequence[str]) -> dict[str, Any]:
    return {"tenant": tx.info["tenant"], "kind": kind, "names": list(names)}


def _values(tx: AsyncSession, row: Row) -> dict[str, Any]:
    return _name(tx, row.kind, row.name) | {
        "id": row.id,
        "source": row.source,
        "uid": row.uid,
        "generation": row.generation,
        "digest": row.digest,
        "spec": orjson.dumps(row.spec).decode(),
    }


def _declared(row: SqlRow[Any]) -> Declared:
    return Declared(**row._mapping)  # noqa: SLF001  SQLAlchemy's documented way to a mapping


async def insert_or_lock(tx: AsyncSession, row: Row) -> Declared | None:
    """Inserts the row, or locks and returns the one that holds the name; None when it was inserted."""
    held = await find(tx, row.kind, row.name, lock=True)
    if held is not None:
        return held
    inserted = await tx.execute(_sql(tx, _INSERT), _values(tx, row))
    if inserted.one_or_none() is not None:
        return None
    return await find(tx, row.kind, row.name, lock=True)


async def insert_new(tx: AsyncSession, rows: Sequence[Row]) -> set[str]:
    """Inserts those rows whose name nobody holds, in one statement; the names of those inserted."""
    values = {"tenant": tx.info["tenant"], "rows": orjson.dumps(list(map(vars, rows))).decode()}
    return set(await tx.scalars(_sql(tx, _INSERT_NEW), values))


async def update(tx: AsyncSession, row: Row) -> None:
    """The ledger holds this row, in force; nothing is written when it does already."""
    await tx.execute(_sql(tx, _UPDATE), _values(tx, row))


async def find(tx: AsyncSession, kind: str, name: str, *, lock: bool = False) -> Declared | None:
    """The object under this name, retired ones included, or None.

    Args:
        tx: A transaction of the owner, bound to the tenant.
        kind: The kind.
        name: The name.
        lock: Whether the row stays locked until the commit.
    """
    template = _FIND + (" FOR UPDATE" if lock else "")
    row = (await tx.execute(_sql(tx, template), _name(tx, kind, name))).one_or_none()
    return None if row is None else _declared(row)


async def get_in_force(tx: AsyncSession, kind: str, name: str) -> Declared:
    """The object that is declared under this name now.

    Raises:
        NotFound: There is none, or it is retired.
    """
    found = await find(tx, kind, name)
    if found is None or found.retired:
        raise NotFound(f"There is no {kind.lower()} {name!r} here.")
    return found


async def known(tx: AsyncSession, kind: str, names: Sequence[str]) -> set[str]:
    """Those of the names that somebody holds or held."""
    return set(await tx.scalars(_sql(tx, _KNOWN), _names(tx, kind, names)))


async def find_all(
    tx: AsyncSession, kind: str, names: Sequence[str] | None = None
) -> list[Declared]:
    """The objects of a kind in order of name, retired ones included; all of them or those named."""
    wanted = None if names is None else list(names)
    values = {"tenant": tx.info["tenant"], "kind": kind, "names": wanted}
    return [_declared(row) for row in await tx.execute(_sql(tx, _FIND_ALL), values)]


async def retire(tx: AsyncSession, kind: str, name: str, *, forget: bool) -> None:
    """The object is no longer in force, or no longer known."""
    await tx.execute(_sql(tx, _FORGET if forget else _RETIRE), _name(tx, kind, name))
    await stop_waiting(tx, kind, [name])


async def wait(tx: AsyncSession, kind: str, name: str) -> None:
    """The object waits for something that is not known here yet."""
    await tx.execute(_sql(tx, _WAIT), _name(tx, kind, name))


async def stop_waiting(tx: AsyncSession, kind: str, names: Sequence[str]) -> None:
    """The objects wait no longer."""
    await tx.execute(_sql(tx, _STOP_WAITING), _names(tx, kind, names))


async def wake(tx: AsyncSession, tenant: str, kind: str, name: str) -> None:
    """The operator looks at that object again soon after the commit; a hint, which may get lost."""
    payload = orjson.dumps({"tenant": tenant, "kind": kind, "name": name}).decode()
    await tx.execute(_sql(tx, _NOTIFY), {"channel": WAKE_CHANNEL, "payload": payload})


async def wake_waiting(tx: AsyncSession) -> int:
    """Wakes every object of the tenant that waits for a dependency; how many there were."""
    tenant = tx.info["tenant"]
    waiting = (await tx.execute(_sql(tx, _WAITING), {"tenant": tenant})).all()
    for kind, name in waiting:
        await wake(tx, tenant, kind, name)
    return len(waiting)
