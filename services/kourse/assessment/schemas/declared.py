"""Views for authors."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field

from kourse.kit.documents import Applied, Declared
from kourse.kit.http import View


class PendingView(View):
    """What a document still waits for."""

    reason: str
    message: str


class AppliedView(View):
    """A declaration that was accepted."""

    name: str
    id: UUID
    version: int | None
    digest: str
    changed: bool
    status: dict[str, Any]
    pending: list[PendingView]

    @classmethod
    def of(cls, applied: Applied) -> AppliedView:
        """The view of an accepted declaration."""
        return cls.model_validate(applied)


class DeclaredView(View):
    """A declaration as it was applied last."""

    kind: str
    name: str
    id: UUID
    source: str = Field(
        description="`resource` when a Kubernetes resource declares it, else `api`."
    )
    generation: int
    digest: str
    spec: dict[str, Any]

    @classmethod
    def of(cls, declared: Declared) -> DeclaredView:
        """The view of a declaration."""
        return cls.model_validate(declared)
