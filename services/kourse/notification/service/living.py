"""Leaves those out whose accounts are gone: what is still on its way about them brings nobody back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.kit.inbox import Delivery
from kourse.notification.repository import former


class OfLearner(Protocol):
    """An event about one learner."""

    @property
    def learner_id(self) -> UUID:
        """Whom it is about."""


E = TypeVar("E", bound=OfLearner)


async def of_the_living(
    tx: AsyncSession, told: Sequence[tuple[E, Delivery]]
) -> list[tuple[E, Delivery]]:
    """The events whose learners' accounts are there; the answer holds until the transaction ends."""
    learners = sorted({event.learner_id for event, _ in told})
    living = set(await former.without_former(tx, learners))
    return [(event, delivery) for event, delivery in told if event.learner_id in living]
