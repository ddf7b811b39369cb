"""Badges over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from kourse.kit.http import View
from kourse.notification.service.collecting import Collection


class HeldBadge(View):
    """A badge that the learner has for good."""

    id: UUID
    key: str
    """Stable within its course, for programs."""
    course: str | None
    """Name of its course; null for one that the platform gives."""
    title: str
    description: str
    won_at: datetime
    """When the last deed for it was done."""


class OpenBadge(View):
    """A badge that the learner can win."""

    id: UUID
    key: str
    course: str | None
    """Name of its course; null for one that the platform gives."""
    title: str
    description: str
    count: int
    """How far the learner is."""
    threshold: int
    """How far they must come."""


class BadgesView(View):
    """A learner's badges."""

    won: list[HeldBadge]
    """Those they have, newest first."""
    open: list[OpenBadge]
    """Those they can still win: of their courses, then those of the platform."""

    @classmethod
    def of(cls, found: Collection) -> Self:
        """As the learner sees them."""
        return cls(
            won=[HeldBadge.model_validate(one) for one in found.held],
            open=[OpenBadge.model_validate(one) for one in found.open],
        )
