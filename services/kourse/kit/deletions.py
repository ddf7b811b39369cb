"""Deleting a declared object through the REST API: only what was seen, and never unnoticed."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import DocumentChanged
from kourse.kit import document_rows, documents
from kourse.kit.audit.recording import record
from kourse.kit.documents import Declared
from kourse.kit.ownership import require_free


@dataclass(frozen=True)
class Deletion:
    """Who deletes which object.

    Attributes:
        seen: Digest of the document that the caller has read, or None for any.
    """

    name: str
    actor: UUID
    seen: str | None = None


async def begin(tx: AsyncSession, kind: str, wanted: Deletion) -> Declared:
    """The document in force, locked until the commit; the audit trail will say who deleted it.

    Raises:
        NotFound: There is none.
        DocumentChanged: Something else is in force than the caller has seen.
        OwnedByResource: It is declared by a resource.
    """
    await document_rows.find(tx, kind, wanted.name, lock=True)
    held = await documents.get_in_force(tx, kind, wanted.name)
    if wanted.seen not in {None, held.digest}:
        raise DocumentChanged(f"Read {wanted.name!r} again, and see what became of it.")
    require_free(held)
    action = f"{kind.lower()}.deleted"
    policy = documents.deletion_policy(held)
    await record(tx, action, actor=wanted.actor, target=wanted.name, detail={"policy": policy})
    return held
