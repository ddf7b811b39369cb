"""What to do with an event, from where its entity stands: a pure decision."""

from __future__ import annotations

from enum import StrEnum


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
