"""Which function applies which event, one by one or many at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.events import CATALOG, Event
from kourse.kit.delivery import Delivery, UnknownEventError, event_of
from kourse.kit.handling import span_of
from kourse.kit.inbox.cursor import Arrival, Entity

E = TypeVar("E", bound=Event)
Handler = Callable[[AsyncSession, E, Delivery], Awaitable[None]]
ManyHandler = Callable[[AsyncSession, Sequence[tuple[E, Delivery]]], Awaitable[None]]
FEW, MANY = 256, 1024
"""Most events in a transaction: where some are applied one by one, and where each type is at once."""


@dataclass(frozen=True)
class _Acting:
    act: Callable[..., Awaitable[None]]
    at_once: bool


class Handlers:
    """The events that one consumer acts on; of its streams' other events it only takes note.

    Attributes:
        consumer: Its name in the catalog, and in the names of its queues.
        begins: Where it starts with entities older than itself: ``now``, at the first event that it
            sees, or in the ``archive``, whence it gets all that came before.
    """

    def __init__(self, consumer: str, *, begins: Literal["now", "archive"] = "now") -> None:
        self.consumer = consumer
        self.begins = begins
        self._by_type: dict[str, _Acting] = {}

    def on(self, event: type[E]) -> Callable[[Handler[E]], Handler[E]]:
        """Registers the function that applies this event, in the inbox row's own transaction.

        It may raise ``Unavailable`` (or let a lost connection through) to be called again with the same
        event once the back end is there; any other error is tried five times and then parks the event.
        The transaction may hold the effects of other events too, and is repeated without them on failure.

        Raises:
            ValueError: The catalog does not name this consumer for the event, or there is a function.
        """

        def register(handler: Handler[E]) -> Handler[E]:
            self._register(event, _Acting(handler, at_once=False))
            return handler

        self._admit(event)
        return register

    def on_many(self, event: type[E]) -> Callable[[ManyHandler[E]], ManyHandler[E]]:
        """As ``on``, for a function that applies all that there is of this event in a batch at once.

        It gets pairs of event and delivery of one tenant, an entity's in their order, so that it may
        write them in one statement; rows that other partitions write too, in a stable order.

        Raises:
            ValueError: The catalog does not name this consumer for the event, or there is a function.
        """

        def register(handler: ManyHandler[E]) -> ManyHandler[E]:
            self._register(event, _Acting(handler, at_once=True))
            return handler

        self._admit(event)
        return register

    def _admit(self, event: type[Event]) -> None:
        kind = event.kind
        if self.consumer not in kind.consumers:
            raise ValueError(f"the catalog does not send {kind.name} to {self.consumer}")
        if kind.name in self._by_type:
            raise ValueError(f"{self.consumer} has a function for {kind.name}")

    def _register(self, event: type[Event], acting: _Acting) -> None:
        self._by_type[event.kind.name] = acting

    @property
    def types(self) -> frozenset[str]:
        """Wire names of the events that have a function."""
        return frozenset(self._by_type)

    @property
    def batch(self) -> int:
        """Most events of a partition in one transaction, which must not last for seconds."""
        return MANY if all(acting.at_once for acting in self._by_type.values()) else FEW

    async def apply(self, tx: AsyncSession, arrivals: Iterable[Arrival]) -> None:
        """Calls the functions of these events, each entity's in the order given.

        Raises:
            UnknownEventError: The catalog does not have a type, or only as a plan, so a newer build may
                have a function for it, or a payload is not what the catalog says.
        """
        acted = [arrival for arrival in arrivals if self._is_acted_on(arrival.delivery.type)]
        for group in grouped(acted):
            acting = self._by_type[group[0].delivery.type]
            pairs = [(event_of(each.delivery, each.body), each.delivery) for each in group]
            if acting.at_once:
                await acting.act(tx, pairs)
                continue
            for event, delivery in pairs:
                with span_of(f"consume {delivery.type}", delivery):
                    await acting.act(tx, event, delivery)

    def _is_acted_on(self, type_: str) -> bool:
        if type_ in self._by_type:
            return True
        kind = CATALOG.get(type_)
        if kind is None or kind.planned:
            # A newer build emits it, and may have a function for it that would be skipped here.
            raise UnknownEventError(f"no build up to this one emits {type_}")
        return False


def grouped(arrivals: Iterable[Arrival]) -> list[list[Arrival]]:
    """Few groups of one type each; taken in turn, they keep the order of every entity.

    An event joins the last group of its type, unless another event of its entity is in a later group.
    """
    groups: list[list[Arrival]] = []
    last_of_type: dict[str, int] = {}
    last_of_entity: dict[Entity, int] = {}
    for arrival in arrivals:
        type_, entity = arrival.delivery.type, arrival.entity
        place = last_of_type.get(type_, -1)
        if place < last_of_entity.get(entity, 0):
            place = last_of_type[type_] = len(groups)
            groups.append([])
        groups[place].append(arrival)
        last_of_entity[entity] = place
    return groups
