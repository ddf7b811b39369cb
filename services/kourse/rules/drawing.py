"""Drawing questions for an attempt, fair and reproducible from a stored seed.

Every choice is an order by keyed BLAKE2b digests, not a stateful generator: the same seed gives the
same exam on every machine, Python version and order of the rows read, and another seed an independent
one. Seeds are secret while an attempt runs; digests under them reveal nothing about what they order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

OPAQUE_BYTES = 6


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question that may be drawn.

    Attributes:
        id: Identity; no exam has it twice.
        stratum: What a draw spreads over, for example pool and skill.
    """

    id: str
    stratum: str


@dataclass(frozen=True, slots=True)
class DrawRule:
    """Take ``count`` of ``candidates``."""

    key: str
    count: int
    candidates: tuple[Candidate, ...]


class TooFewQuestions(ValueError):
    """A draw asks for more distinct questions than the draws before it leave over.

    Attributes:
        draw: Key of the draw that comes out short.
        missing: How many questions are missing.
    """

    def __init__(self, draw: str, missing: int) -> None:
        super().__init__(f"{draw} is {missing} short")
        self.draw = draw
        self.missing = missing


def digest(seed: bytes, *path: str, size: int = 16) -> bytes:
    """A number that depends on the seed and every part of the path, ``size`` bytes long."""
    return blake2b("\x1f".join(path).encode(), key=seed, digest_size=size).digest()


def opaque_id(seed: bytes, *path: str) -> str:
    """A token for something in one attempt; it says nothing without the seed."""
    return digest(seed, "id", *path, size=OPAQUE_BYTES).hex()


def shuffled(
    seed: bytes, purpose: str, items: Iterable[T], key: Callable[[T], str] = str
) -> list[T]:
    """The items in an order that depends only on the seed, the purpose and their keys."""
    return sorted(items, key=lambda item: digest(seed, purpose, key(item)))


def draw(seed: bytes, rules: Sequence[DrawRule]) -> list[list[str]]:
    """Distinct questions for every rule, in its order of preference under the seed.

    Each rule spreads over its strata as evenly as its candidates allow. Where rules overlap, an
    earlier one gives a question up if only so a later one can be filled (augmenting paths, Kuhn
    1955), so a drawing is found whenever there is one.

    Args:
        seed: 1 to 64 bytes.
        rules: In the exam's order.

    Returns:
        For each rule the ids drawn, exactly ``count`` and nowhere twice.

    Raises:
        TooFewQuestions: No set of distinct questions satisfies all rules.
    """
    wishes = [_by_preference(seed, rule) for rule in rules]
    owner: dict[str, int] = {}
    for number, rule in enumerate(rules):
        for taken in range(rule.count):
            if not _take(number, wishes, owner, set()):
                raise TooFewQuestions(rule.key, rule.count - taken)
    return [
        [question for question in wish if owner.get(question) == number]
        for number, wish in enumerate(wishes)
    ]


def _by_preference(seed: bytes, rule: DrawRule) -> list[str]:
    """The rule's candidates, one of each stratum in turn, strata and members in seeded order."""
    strata: dict[str, list[str]] = defaultdict(list)
    for candidate in shuffled(seed, f"{rule.key}/question", set(rule.candidates), lambda c: c.id):
        strata[candidate.stratum].append(candidate.id)
    order = shuffled(seed, f"{rule.key}/stratum", strata)
    rounds = max((len(members) for members in strata.values()), default=0)
    return [
        strata[stratum][turn]
        for turn in range(rounds)
        for stratum in order
        if turn < len(strata[stratum])
    ]


def _take(number: int, wishes: list[list[str]], owner: dict[str, int], asked: set[int]) -> bool:
    """Whether rule ``number`` got one more question, if need be from a rule not asked yet."""
    asked.add(number)
    free = next((question for question in wishes[number] if question not in owner), None)
    if free is not None:
        owner[free] = number
        return True
    for question in wishes[number]:
        if owner[question] not in asked and _take(owner[question], wishes, owner, asked):
            owner[question] = number
            return True
    return False
