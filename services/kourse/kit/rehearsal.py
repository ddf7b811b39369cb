"""Rehearses documents: the code that applies them runs, and everything it wrote is rolled back.

So a plan is never a second opinion on what an apply does. Documents that are rehearsed together see each
other, in whatever order they refer to one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import DependencyNotReady
from kourse.contracts.plans import RowChange
from kourse.contracts.resources import BY_KIND
from kourse.kit import documents
from kourse.kit.documents import Applied, ApplyOne, Declared, Doc, OnRefusal, Refused, Result
from kourse.kit.tables import PLATFORM_TABLES

_COUNT_ROWS = text(
    "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_user_tables"
    " WHERE schemaname = :schema AND NOT relname = ANY(:platform) ORDER BY relname"
)
_UNKNOWN_UID = "to-be-given"
"""Stands for the ``metadata.uid`` that the API server will give."""
Counts = dict[str, tuple[int, int, int]]


class Piece(NamedTuple):
    """A document and the code that applies it."""

    kind: str
    doc: Doc[Any]
    apply_one: ApplyOne[Any]
    on_refusal: OnRefusal[Any] | None = None


@dataclass(frozen=True)
class Rehearsed:
    """What would become of a document.

    Attributes:
        piece: The document.
        held: What the ledger holds for its name, or None.
        before: What applying the document in force gives, or None where nothing else is in force.
        result: What applying the document gives.
        rows: Content rows that it would write, as the database counted them.
    """

    piece: Piece
    held: Declared | None
    before: Applied | None
    result: Result
    rows: tuple[RowChange, ...] = ()


async def rehearse(tx: AsyncSession, pieces: Sequence[Piece]) -> list[Rehearsed]:
    """What applying these documents together would give, in their order.

    What waits for a dependency is tried again after the others, as the operator does.

    Args:
        tx: A transaction that will be rolled back.
        pieces: The documents, as a resource would bring them; each name once within a kind.
    """
    waiting = [await _prepared(tx, piece) for piece in pieces]
    done: dict[tuple[str, str], Rehearsed] = {}
    while waiting:
        tried = [await _apply(tx, one) for one in waiting]
        done |= {(one.piece.kind, one.piece.doc.name): one for one in tried}
        again = [one for one in tried if _waits(one.result)]
        if len(again) == len(waiting):
            break
        waiting = again
    return [done[piece.kind, piece.doc.name] for piece in pieces]


def _waits(result: Result) -> bool:
    return isinstance(result, Refused) and isinstance(result.error, DependencyNotReady)


async def _prepared(tx: AsyncSession, piece: Piece) -> Rehearsed:
    held = await documents.find(tx, piece.kind, piece.doc.name)
    uid, generation = _UNKNOWN_UID, 1
    if held is not None and held.source == "resource" and held.uid is not None:
        uid, generation = held.uid, held.generation + 1
    doc = replace(piece.doc, source="resource", uid=uid, generation=generation)
    before = None
    if held is not None and _differs(held, doc):
        before = await _in_force(tx, piece, held)
    unknown = Refused(doc.name, DependencyNotReady())
    return Rehearsed(piece._replace(doc=doc), held, before, unknown)


def _differs(held: Declared, doc: Doc[Any]) -> bool:
    """Whether something else is in force; what equals it is only to be applied once."""
    return not held.retired and held.digest != documents.digest_of(doc.spec)


async def _in_force(tx: AsyncSession, piece: Piece, held: Declared) -> Applied | None:
    """What applying the document in force once more gives; None where it no longer can be."""
    try:
        spec = BY_KIND[piece.kind].spec.model_validate(held.spec)
    except ValidationError:
        return None
    doc = Doc(held.name, spec, held.source, uid=held.uid, generation=held.generation)
    savepoint = await tx.begin_nested()
    try:
        found = await documents.apply_in_savepoint(tx, piece.kind, doc, piece.apply_one)
    finally:
        await savepoint.rollback()
    return found if isinstance(found, Applied) else None


async def _apply(tx: AsyncSession, one: Rehearsed) -> Rehearsed:
    kind, doc, apply_one, on_refusal = one.piece
    before = await _count_rows(tx)
    result = await documents.apply_in_savepoint(tx, kind, doc, apply_one, on_refusal)
    if isinstance(result, Refused):
        return replace(one, result=result)
    rows = _written(before, await _count_rows(tx))
    if one.held is not None and one.held.digest == documents.digest_of(doc.spec):
        return replace(one, before=None if one.held.retired else result, result=result, rows=rows)
    return replace(one, result=result, rows=rows)


async def _count_rows(tx: AsyncSession) -> Counts:
    values = {"schema": tx.info["schema"], "platform": list(PLATFORM_TABLES)}
    return {row[0]: (row[1], row[2], row[3]) for row in await tx.execute(_COUNT_ROWS, values)}


def _written(before: Counts, after: Counts) -> tuple[RowChange, ...]:
    changes = (
        (
            table,
            [now - then for now, then in zip(counts, before.get(table, (0, 0, 0)), strict=True)],
        )
        for table, counts in after.items()
    )
    return tuple(
        RowChange(table=table, inserted=inserted, updated=updated, deleted=deleted)
        for table, (inserted, updated, deleted) in changes
        if inserted or updated or deleted
    )
