"""What a check says, and how checks are told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SHOWN = 5


@dataclass(frozen=True)
class Verdict:
    """One promise, held against what was found.

    Attributes:
        promise: In a sentence.
        looked_at: Over how many things it was checked.
        breaches: How many of them break it.
        examples: The first of those.
    """

    promise: str
    looked_at: int
    breaches: int = 0
    examples: tuple[str, ...] = ()

    @property
    def kept(self) -> bool:
        """Whether nothing breaks the promise, and there was something that could have."""
        return self.breaches == 0 and self.looked_at > 0


def judge(promise: str, looked_at: int, breaches: Iterable[object]) -> Verdict:
    """The verdict with the breaches counted.

    Args:
        promise: In a sentence.
        looked_at: Over how many things it was checked.
        breaches: What breaks it.
    """
    found = [str(breach) for breach in breaches]
    return Verdict(promise, looked_at, len(found), tuple(found[:SHOWN]))
