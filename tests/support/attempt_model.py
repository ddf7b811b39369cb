"""What one learner's attempts at an exam promise, as a model that tests hold the platform against."""

from dataclasses import dataclass, field

from kourse.assessment.errors import AttemptClosed, AttemptsUsedUp, NothingToExtend, StaleAnswer
from kourse.contracts.errors import NotFound

MOST = 3
"""Attempts that the exam allows."""


@dataclass
class Taken:
    """What the model knows of one attempt."""

    state: str = "IN_PROGRESS"
    overdue: bool = False
    clock: bool = False
    saved: tuple[int, str | None] = (0, None)
    """The highest number and its text."""
    decided: int | None = None
    """The number of the answer that a person judged."""
    runs: int = 0


@dataclass
class Model:
    """What one learner's attempts promise; each deed changes it and answers as the platform does."""

    taken: list[Taken] = field(default_factory=list)

    @property
    def last(self):
        return self.taken[-1] if self.taken else None

    def start(self):
        self._expire()
        if self.last is not None and self.last.state == "IN_PROGRESS":
            return "running"
        if sum(one.state != "VOIDED" for one in self.taken) >= MOST:
            return AttemptsUsedUp
        self.taken.append(Taken())
        return "started"

    def save(self, seq, written):
        if self.last is None:
            return NotFound
        if self.last.state != "IN_PROGRESS" or self.last.overdue:
            return AttemptClosed
        if seq > self.last.saved[0]:
            self.last.saved = (seq, written)
        return "saved" if self.last.saved == (seq, written) else StaleAnswer

    def submit(self):
        if self.last is None:
            return NotFound
        if self.last.state == "IN_PROGRESS":
            self.last.state, self.last.clock = "SUBMITTED", self.last.overdue
        return self.last.state

    def run_out(self):
        if self.last is not None and self.last.state == "IN_PROGRESS":
            self.last.overdue = True

    def sweep(self):
        self._expire()

    def _expire(self):
        if self.last is not None and self.last.state == "IN_PROGRESS" and self.last.overdue:
            self.last.state, self.last.clock = "SUBMITTED", True

    def grade(self):
        if self.last is not None and self.last.state == "SUBMITTED":
            waits = self.last.saved[1] is not None and self.last.decided != self.last.saved[0]
            self._settle("UNDER_REVIEW" if waits else "GRADED")

    def _settle(self, state):
        self.last.state = state
        self.last.runs += state == "GRADED"

    def extend(self):
        one = self.last
        runs = one is not None and one.state == "IN_PROGRESS"
        ended = one is not None and one.clock and one.state not in {"IN_PROGRESS", "VOIDED"}
        if not runs and not ended:
            return NothingToExtend
        one.state, one.overdue, one.clock = "IN_PROGRESS", False, False
        return "extended"

    def void(self):
        if self.last is None:
            return NotFound
        self.last.state = "VOIDED"
        return "VOIDED"

    def review(self):
        one = self.last
        if one is None or one.state != "UNDER_REVIEW":
            return NotFound
        one.decided = one.saved[0]
        self._settle("GRADED")
        return "decided"


def summary(model):
    """What the model's attempts look like in the database."""
    return [(one.state, one.saved[0] or None, one.saved[1], one.runs) for one in model.taken]
