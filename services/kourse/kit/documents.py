"""The ledger of declared objects: who owns a name, at which generation, with which content.

A declared object is (tenant, kind, name), whichever door made it. Owners of a kind call ``claim`` before
they write its content, ``release`` when it is retired, and drive many documents with ``apply_each``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

import orjson
import structlog
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts import names
from kourse.contracts.errors import (
    DependencyNotReady,
    DocumentChanged,
    KourseError,
    Unavailable,
)
from kourse.contracts.resources import DeletionPolicy, Document
from kourse.kit import document_rows
from kourse.kit.audit.recording import record
from kourse.kit.db import Database, is_transient
from kourse.kit.document_rows import (
    WAKE_CHANNEL,
    Declared,
    find,
    find_all,
    get_in_force,
    wake,
    wake_waiting,
)
from kourse.kit.ownership import check_ownership, require_free

__all__ = [
    "WAKE_CHANNEL",
    "Applied",
    "Claim",
    "Declared",
    "Doc",
    "Pending",
    "Refused",
    "Result",
    "apply_each",
    "apply_in_savepoint",
    "claim",
    "claim_new",
    "digest_of",
    "find",
    "find_all",
    "get_in_force",
    "release",
    "wake",
    "wake_waiting",
]

log = structlog.get_logger(__name__)
S = TypeVar("S", bound=Document)


@dataclass(frozen=True)
class Doc(Generic[S]):
    """A document that somebody wants to be so.

    Attributes:
        name: Its name, unique for (tenant, kind).
        spec: What it says.
        source: The door it came through: a Kubernetes resource or the REST API.
        uid: ``metadata.uid`` of the resource.
        generation: ``metadata.generation``; compared only within one uid.
        adopt: Whether the resource takes over a name made through the API.
        seen: Digest of the spec that must still be in force, or None for any.
        actor: Who wants it, for the audit trail; None for a resource.
    """

    name: str
    spec: S
    source: Literal["resource", "api"]
    uid: str | None = None
    generation: int = 0
    adopt: bool = False
    seen: str | None = None
    actor: UUID | None = None


@dataclass(frozen=True)
class Pending:
    """What still keeps a document from being live or from being retired: a condition's reason and message."""

    reason: str
    message: str


@dataclass(frozen=True)
class Applied:
    """A document that was accepted.

    Attributes:
        name: Its name.
        changed: Whether anything was written for it.
        id: Its id.
        version: Number of the live content version, where the kind has versions.
        digest: Digest of the live content.
        status: Further fields of the resource's status, camelCase.
        pending: What it still waits for; empty once it is live.
    """

    name: str
    changed: bool
    id: UUID
    version: int | None
    digest: str
    status: dict[str, Any] = field(default_factory=dict)
    pending: tuple[Pending, ...] = ()


@dataclass(frozen=True)
class Refused:
    """A document that was not accepted; ``Rejected`` errors stall it, all others are tried again."""

    name: str
    error: KourseError


Result = Applied | Refused


@dataclass(frozen=True)
class Claim:
    """The right to write a document's content in this transaction; its row is locked until the commit.

    Attributes:
        id: The object's id, derived from (tenant, kind, name).
        digest: Digest of the whole spec.
        changed: Whether the spec differs from what was applied last, or the object was retired.
        previous_spec: The spec applied last, in wire form, or None for a new name.
        created: Whether the name is new.
        revived: Whether the object had been retired and is taken up again with its data.
    """

    id: UUID
    digest: str
    changed: bool
    previous_spec: dict[str, Any] | None
    created: bool
    revived: bool = False


def digest_of(spec: BaseModel) -> str:
    """SHA-256 of a spec's meaning, hexadecimal: fields at their defaults and the order of keys do not count."""
    meaning = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return hashlib.sha256(orjson.dumps(meaning, option=orjson.OPT_SORT_KEYS)).hexdigest()


def deletion_policy(held: Declared) -> DeletionPolicy:
    """What the document says of its end, also one that an older release accepted and this one would not."""
    return DeletionPolicy(held.spec.get("deletionPolicy", DeletionPolicy.RETAIN))


async def claim(tx: AsyncSession, kind: str, doc: Doc[Any]) -> Claim:
    """Takes the name for this document, locks it until the commit, and says what changed.

    Raises:
        OwnedByResource: The API may not change what a resource declares.
        OwnedByApi: The resource did not ask to adopt a name made through the API.
        StaleGeneration: A newer generation of this very resource was applied.
        DocumentChanged: Something else is in force than the caller has seen.
    """
    row = _row(tx, kind, doc)
    held = await document_rows.insert_or_lock(tx, row)
    _check_seen(held, doc)
    if held is None:
        return Claim(row.id, row.digest, changed=True, previous_spec=None, created=True)
    check_ownership(held, doc)
    await document_rows.update(tx, row)
    return Claim(
        row.id,
        row.digest,
        changed=held.retired or held.digest != row.digest,
        previous_spec=held.spec,
        created=False,
        revived=held.retired,
    )


def _check_seen(held: Declared | None, doc: Doc[Any]) -> None:
    if doc.seen is not None and (held is None or held.retired or held.digest != doc.seen):
        raise DocumentChanged(f"Read {doc.name!r} again, and see what became of it.")


async def claim_new(tx: AsyncSession, kind: str, docs: Sequence[Doc[Any]]) -> dict[str, Claim]:
    """Takes those of the documents' names that nobody holds; claims by name, for these alone."""
    rows = [_row(tx, kind, doc) for doc in sorted(docs, key=lambda doc: doc.name)]
    taken = await document_rows.insert_new(tx, rows) if rows else set()
    return {
        row.name: Claim(row.id, row.digest, changed=True, previous_spec=None, created=True)
        for row in rows
        if row.name in taken
    }


def _row(tx: AsyncSession, kind: str, doc: Doc[Any]) -> document_rows.Row:
    return document_rows.Row(
        kind=kind,
        name=doc.name,
        id=names.declared_id(tx.info["tenant"], kind, doc.name),
        source=doc.source,
        uid=doc.uid,
        generation=doc.generation,
        digest=digest_of(doc.spec),
        spec=doc.spec.model_dump(mode="json", by_alias=True, exclude_none=True),
    )


async def release(
    tx: AsyncSession, kind: str, name: str, uid: str | None, *, forget: bool = False
) -> bool:
    """The object is retired and its name free; what it holds stays unless its owner deletes it.

    Args:
        tx: The owner's transaction.
        kind: The kind.
        name: The name.
        uid: ``metadata.uid`` of the deleted resource, or None when the API deletes.
        forget: Whether the ledger drops it too, since its data are deleted.

    Returns:
        False when there is nothing to retire for this caller: the name is unknown, or is held through
        the other door, or by a resource of another uid.

    Raises:
        OwnedByResource: The API may not delete what a resource declares.
    """
    held = await document_rows.find(tx, kind, name, lock=True)
    if held is None:
        return False
    if not held.retired:
        if uid is None:
            require_free(held)
        if uid is not None and (held.source == "api" or held.uid != uid):
            return False
    elif uid != held.uid:
        return False
    await document_rows.retire(tx, kind, name, forget=forget)
    return True


ApplyOne = Callable[[AsyncSession, Doc[S]], Awaitable[Applied]]
"""Claims and writes one document."""
OnRefusal = Callable[[AsyncSession, Doc[S], KourseError], Awaitable[None]]
"""What is kept of a document although it was refused."""
CreateAll = Callable[[AsyncSession, Sequence[Doc[S]]], Awaitable[Sequence[Applied]]]
"""Claims and writes all at once those of the documents that are new and simple enough for that."""


async def apply_each(
    database: Database,
    tenant: str,
    kind: str,
    docs: Sequence[Doc[S]],
    apply_one: ApplyOne[S],
    on_refusal: OnRefusal[S] | None = None,
    create_all: CreateAll[S] | None = None,
) -> list[Result]:
    """Applies documents in one transaction, with a savepoint for each, so one that fails harms no other.

    New ones go together first, if they can; when one of them fails, they too are applied one by one.

    A document refused with ``DependencyNotReady`` is remembered, and ``wake_waiting`` wakes it.

    Args:
        database: The owner's.
        tenant: Whose documents.
        kind: The kind.
        docs: The documents, each name once.
        apply_one: Claims and writes one document.
        on_refusal: Called after a document was refused and what it wrote undone.
        create_all: Claims and writes many new ones.

    Returns:
        A result for each document, in the order of ``docs``.

    Raises:
        Unavailable: The database is not there; nothing was applied.
    """
    results: dict[str, Result] = {}
    async with database.transaction(tenant) as tx:
        if create_all is not None:
            results |= await _created(tx, kind, docs, create_all)
        # In order of name, so that two callers lock rows in the same order.
        for doc in sorted(docs, key=lambda doc: doc.name):
            if doc.name not in results:
                results[doc.name] = await apply_in_savepoint(tx, kind, doc, apply_one, on_refusal)
            await _audit(tx, kind, doc, results[doc.name])
    return [results[doc.name] for doc in docs]


async def _audit(tx: AsyncSession, kind: str, doc: Doc[Any], result: Result) -> None:
    """What a person changed is told to the audit trail; resources have the one of their cluster."""
    if doc.actor is None or isinstance(result, Refused) or not result.changed:
        return
    told = {"version": result.version, "lifecycle": result.status.get("lifecycle")}
    detail = {name: value for name, value in told.items() if value is not None}
    action = f"{kind.lower()}.declared"
    await record(tx, action, actor=doc.actor, target=doc.name, detail=detail)


async def _created(
    tx: AsyncSession, kind: str, docs: Sequence[Doc[S]], create_all: CreateAll[S]
) -> dict[str, Result]:
    """What was created at once, by name; nothing when one of the documents spoiled it.

    Raises:
        Unavailable: The database is not there, or a statement may succeed later.
    """
    known = await document_rows.known(tx, kind, [doc.name for doc in docs])
    fresh = [doc for doc in docs if doc.name not in known and doc.seen is None]
    if not fresh:
        return {}
    try:
        async with tx.begin_nested():
            applied = await create_all(tx, fresh)
            await document_rows.stop_waiting(tx, kind, [one.name for one in applied])
            return {one.name: one for one in applied}
    except Unavailable:
        raise
    except Exception as error:
        if is_transient(error):
            raise
        log.info("documents.not_created_at_once", kind=kind, error=type(error).__name__)
        return {}


async def apply_in_savepoint(
    tx: AsyncSession,
    kind: str,
    doc: Doc[S],
    apply_one: ApplyOne[S],
    on_refusal: OnRefusal[S] | None = None,
) -> Result:
    """What became of one document; a refused one leaves nothing but what ``on_refusal`` writes.

    Raises:
        Unavailable: The database is not there, or a statement may succeed later.
    """
    try:
        async with tx.begin_nested():
            applied = await apply_one(tx, doc)
            await document_rows.stop_waiting(tx, kind, [doc.name])
            return applied
    except Unavailable:
        raise
    except KourseError as error:
        if isinstance(error, DependencyNotReady):
            await document_rows.wait(tx, kind, doc.name)
        if on_refusal is not None:
            await on_refusal(tx, doc, error)
        return Refused(doc.name, error)
    except Exception as error:
        if is_transient(error):
            raise
        log.exception("document.failed", kind=kind, name=doc.name)
        return Refused(doc.name, KourseError(f"Applying {kind} {doc.name!r} failed unexpectedly."))
