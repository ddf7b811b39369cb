"""What to do with events, from where their entities stand: pure decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kourse.kit.delivery import Delivery, delivery_in, delivery_of

Entity = tuple[str, str]
"""Stream and id of an entity, within a tenant."""


class Step(StrEnum):
    """What happens to an event."""

    APPLY = "apply"
    """It is the next one."""
    DUPLICATE = "duplicate"
    """It took effect before."""
    GAP = "gap"
    """Events before it are missing; it is set aside and released by them."""
    BLOCKED = "blocked"
    """The entity waits for an event that failed; this one waits behind it."""


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """An event as it came, from the broker, from where it was parked, or from the archive.

    Two arrivals of one event are not equal.
    """

    delivery: Delivery
    body: bytes

    @classmethod
    def of(cls, headers: Mapping[str, Any], body: bytes) -> Arrival:
        """The event that a message holds.

        Raises:
            UndecodableError: The headers are not those of an event.
        """
        return cls(delivery_of(headers), body)

    @classmethod
    def read(cls, fields: bytes, body: bytes) -> Arrival:
        """The event that a message holds, its header fields still encoded.

        Raises:
            UndecodableError: The headers are not those of an event.
            MalformedError: They are no headers.
        """
        return cls(delivery_in(fields), body)

    @property
    def entity(self) -> Entity:
        """Whom it is about."""
        return self.delivery.stream, self.delivery.entity


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an entity stands for a consumer; ``last_seq`` is 0 before its first event."""

    last_seq: int
    blocked: bool


@dataclass
class Plan:
    """What becomes of a batch.

    Attributes:
        applied: Those that take effect, each entity's in order.
        duplicates: Those that took effect before.
        aside: Those that wait, with the reason.
        reached: Where each entity that is not blocked stands afterwards.
    """

    applied: list[Arrival] = field(default_factory=list)
    duplicates: list[Arrival] = field(default_factory=list)
    aside: list[tuple[Arrival, Step]] = field(default_factory=list)
    reached: dict[Entity, int] = field(default_factory=dict)


def decide(last_seq: int, *, blocked: bool, seq: int, predates: bool) -> Step:
    """What to do with the event numbered ``seq``.

    A consumer that never saw the entity expects number 1. Only an entity that is older than the consumer
    itself may begin in the middle: what came before was published when nobody listened, and is brought
    by a replay from the archive or by a snapshot, not by waiting.

    Args:
        last_seq: Number of the entity's last applied event, 0 when there was none.
        blocked: Whether an event of the entity failed for good and is parked.
        seq: Number of the event at hand, from 1.
        predates: Whether the entity's sequence began before the consumer first ran.
    """
    if seq <= last_seq:
        return Step.DUPLICATE
    if blocked:
        return Step.BLOCKED
    if seq == last_seq + 1 or (last_seq == 0 and predates):
        return Step.APPLY
    return Step.GAP


def plan(
    arrivals: Iterable[Arrival],
    standings: Mapping[Entity, Standing],
    predates: Callable[[Delivery], bool],
) -> Plan:
    """What becomes of these events of one tenant, in whatever order they arrived.

    They are looked at in the order of their numbers, so one that arrived too early for another of the
    batch is no gap.

    Args:
        arrivals: The events; the same may be there more than once.
        standings: Where each of their entities stands.
        predates: As for ``decide``.
    """
    made = Plan()
    made.reached = {entity: now.last_seq for entity, now in standings.items() if not now.blocked}
    waiting: set[tuple[Entity, int]] = set()
    for arrival in sorted(arrivals, key=_number):
        delivery, entity = arrival.delivery, arrival.entity
        blocked = standings[entity].blocked
        last_seq = made.reached.get(entity, standings[entity].last_seq)
        step = decide(last_seq, blocked=blocked, seq=delivery.seq, predates=predates(delivery))
        if step is Step.APPLY:
            made.applied.append(arrival)
            made.reached[entity] = delivery.seq
        elif step is Step.DUPLICATE:
            made.duplicates.append(arrival)
        elif (entity, delivery.seq) not in waiting:
            waiting.add((entity, delivery.seq))
            made.aside.append((arrival, step))
    return made


def _number(arrival: Arrival) -> int:
    return arrival.delivery.seq
