"""What this process knows of its own leadership, asked before everything that it writes."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from kourse_operator import metrics
from kourse_operator.errors import NotLeading


class Term(NamedTuple):
    """One leadership, as a fencing token.

    Attributes:
        lease: The uid of the Lease; terms of different Leases are not comparable.
        number: Its ``leaseTransitions``; of two terms of one Lease the higher one is later.

    Source:
        Kleppmann (2016), How to do distributed locking.
    """

    lease: str
    number: int


class Leadership:
    """The present term and the moment until which it surely lasts."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """Makes that of a process which does not lead; ``clock`` gives seconds that only grow.

        The clock must go on while the process is stopped, as the system's monotonic clock does.
        """
        self._clock = clock
        self._term: Term | None = None
        self._until = -math.inf

    def extend(self, term: Term, until: float) -> None:
        """The term lasts until that time of the clock at least."""
        self._term, self._until = term, until
        metrics.LEADING.labels("kourse-operator").set(1)

    def end(self) -> None:
        """This process leads no more."""
        self._until = -math.inf
        metrics.LEADING.labels("kourse-operator").set(0)

    @property
    def left_s(self) -> float:
        """Seconds that the term surely lasts yet; not positive when it does not."""
        return self._until - self._clock()

    def require(self) -> Term:
        """The term under which something may be written now.

        Raises:
            NotLeading: There is none.
        """
        if self._term is None or self.left_s <= 0:
            raise NotLeading("This process does not lead; whoever does will do it.")
        return self._term
