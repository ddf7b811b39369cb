"""The incoming half of the event backbone: each event takes effect once, in order per entity."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.events import Event
from kourse.kit.bus import Broker
from kourse.kit.db import Database
from kourse.kit.delivery import Delivery as Delivery

E = TypeVar("E", bound=Event)
Handler = Callable[[AsyncSession, E, Delivery], Awaitable[None]]


class Handlers:
    """The events that one consumer acts on."""

    def __init__(self, consumer: str) -> None:
        self.consumer = consumer

    def on(self, event: type[E]) -> Callable[[Handler[E]], Handler[E]]:
        """Registers the function that applies this event."""
        raise NotImplementedError


class Consumer:
    """Takes one consumer's partitions and applies their events through the inbox."""

    def __init__(self, database: Database, broker: Broker, handlers: Handlers) -> None:
        """``database`` holds the application role's address."""

    async def run(self) -> None:
        """Consumes until ``stop``; survives the loss of database and broker."""

    async def stop(self) -> None:
        """Finishes the messages in hand, then closes the channels."""
