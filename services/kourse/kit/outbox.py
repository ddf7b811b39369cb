"""The outgoing half of the event backbone: a fact and its event are one transaction."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.events import Event
from kourse.kit.bus import Broker
from kourse.kit.db import Database


async def emit(tx: AsyncSession, event: Event, *, event_id: UUID | None = None) -> UUID:
    """Writes the event into the outbox of ``tx``; it leaves when the transaction commits."""
    raise NotImplementedError


class Relay:
    """Publishes one service's outbox, in order per entity, and never skips ahead."""

    def __init__(self, database: Database, broker: Broker) -> None:
        """``database`` holds the worker role's address."""

    async def run(self) -> None:
        """Relays until ``stop``; survives the loss of database and broker."""

    async def stop(self) -> None:
        """Finishes the batch in hand and gives the partitions back."""
