"""The ledger of declared objects: who owns a name, at which generation, with which content."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import KourseError
from kourse.contracts.resources import Document
from kourse.kit.db import Database

S = TypeVar("S", bound=Document)


@dataclass(frozen=True)
class Doc(Generic[S]):
    """A document that somebody wants to be so."""

    name: str
    spec: S
    source: Literal["resource", "api"]
    uid: str | None = None
    generation: int = 0
    adopt: bool = False


@dataclass(frozen=True)
class Pending:
    """Something that still keeps a document from being live, or from being retired."""

    reason: str
    message: str


@dataclass(frozen=True)
class Applied:
    """A document that was accepted."""

    name: str
    changed: bool
    id: UUID
    version: int | None
    digest: str
    status: dict[str, Any] = field(default_factory=dict)
    pending: tuple[Pending, ...] = ()


@dataclass(frozen=True)
class Refused:
    """A document that was not accepted, and why."""

    name: str
    error: KourseError


Result = Applied | Refused


@dataclass(frozen=True)
class Claim:
    """The right to write a document's content in this transaction."""

    id: UUID
    digest: str
    changed: bool
    previous_spec: dict[str, Any] | None
    created: bool
    revived: bool = False


@dataclass(frozen=True)
class Declared:
    """A document as the ledger holds it."""

    kind: str
    name: str
    id: UUID
    source: Literal["resource", "api"]
    uid: str | None
    generation: int
    digest: str
    spec: dict[str, Any]
    retired: bool


async def claim(tx: AsyncSession, kind: str, doc: Doc[Any]) -> Claim:
    """Takes the name for this document, locks it until the commit, and says what changed."""
    raise NotImplementedError


async def release(
    tx: AsyncSession, kind: str, name: str, uid: str | None, *, forget: bool = False
) -> bool:
    """The name is free again; False when it was not this owner's to give."""
    raise NotImplementedError


async def find(tx: AsyncSession, kind: str, name: str) -> Declared | None:
    """The document under this name, retired ones included, or None."""
    raise NotImplementedError


async def find_all(
    tx: AsyncSession, kind: str, names: Sequence[str] | None = None
) -> list[Declared]:
    """The documents of a kind, in order of name, retired ones included."""
    raise NotImplementedError


async def wake(tx: AsyncSession, tenant: str, kind: str, name: str) -> None:
    """The operator looks at that object again soon after the commit."""
    raise NotImplementedError


async def wake_waiting(tx: AsyncSession) -> int:
    """Wakes every document of the tenant that waits for a dependency; how many."""
    raise NotImplementedError


async def apply_each(
    database: Database,
    tenant: str,
    kind: str,
    docs: Sequence[Doc[S]],
    apply_one: Callable[[AsyncSession, Doc[S]], Awaitable[Applied]],
) -> list[Result]:
    """Applies documents in one transaction, a savepoint for each; results in the order of ``docs``."""
    raise NotImplementedError
