"""What earns points, and the ledger that they are folded from.

An entry of the ledger is one event's deed, under an id that follows from the event. Entries are added and
never changed, so a ledger is a growing set: however often, in whatever order and in whatever portions its
events come, it ends up the same, and with it all that is folded from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from kourse.contracts.names import part_id


class Reason(StrEnum):
    """Why points were given; the value is the ``reason`` of an entry and names its sentence."""

    LESSON_COMPLETED = "lesson-completed"
    COURSE_COMPLETED = "course-completed"
    EXAM_TAKEN = "exam-taken"
    EXAM_PASSED = "exam-passed"


WORTH = {
    Reason.LESSON_COMPLETED: 10,
    Reason.COURSE_COMPLETED: 100,
    Reason.EXAM_TAKEN: 5,
    Reason.EXAM_PASSED: 50,
}
STUDY = frozenset({Reason.LESSON_COMPLETED, Reason.EXAM_TAKEN})
"""What a learner did at that very moment, so that it makes a day of study; a score is released by others."""


@dataclass(frozen=True)
class Earned:
    """Points for one deed; the same deed never earns twice.

    Attributes:
        subject: What it was done with: lesson, course or exam.
        title: Its name for people.
        course: Name of the course.
    """

    reason: Reason
    subject: UUID
    title: str
    course: str

    @property
    def points(self) -> int:
        """What the deed is worth."""
        return WORTH[self.reason]


@dataclass(frozen=True)
class Entry:
    """A line of a learner's ledger: points that were given, and what for.

    Attributes:
        earned_at: When it happened, not when it was heard of.
        source_event: The event that told of it.
    """

    reason: Reason
    subject: UUID
    points: int
    title: str
    course: str
    earned_at: datetime
    source_event: UUID

    @property
    def id(self) -> UUID:
        """The same in every ledger that is made from the event."""
        return part_id(self.source_event, self.reason)


def entries_of(earned: Iterable[Earned], *, source_event: UUID, earned_at: datetime) -> list[Entry]:
    """The lines that an event adds to its learner's ledger."""
    return [
        Entry(one.reason, one.subject, one.points, one.title, one.course, earned_at, source_event)
        for one in earned
    ]


def counted(ledger: Iterable[Entry]) -> list[Entry]:
    """The entries that count, oldest first: of each deed the first that happened.

    A lesson of a repeated run, or a second exam that was passed, stays in the ledger and earns nothing.
    """
    first: dict[tuple[Reason, UUID], Entry] = {}
    for entry in in_order(ledger):
        first.setdefault((entry.reason, entry.subject), entry)
    return list(first.values())


def in_order(ledger: Iterable[Entry]) -> list[Entry]:
    """The entries as they happened; at the same moment, by their events' ids and reasons."""
    return sorted(ledger, key=lambda one: (one.earned_at, one.source_event, one.reason))


def earned_by_lesson(
    *, lesson_id: UUID, course_id: UUID, title: str, course: str, completed: int, total: int
) -> list[Earned]:
    """Points for a completed lesson, and for the course when it was the last."""
    found = [Earned(Reason.LESSON_COMPLETED, lesson_id, title, course)]
    if completed >= total:
        found.append(Earned(Reason.COURSE_COMPLETED, course_id, course, course))
    return found


def earned_by_attempt(*, exam_id: UUID, title: str, course: str, by_learner: bool) -> list[Earned]:
    """Points for an exam that the learner handed in, passed or not; running out of time earns none."""
    return [Earned(Reason.EXAM_TAKEN, exam_id, title, course)] if by_learner else []


def earned_by_score(*, exam_id: UUID, title: str, course: str, passed: bool) -> list[Earned]:
    """Points for an exam that was passed, whichever attempt it was; no regrade takes them back."""
    return [Earned(Reason.EXAM_PASSED, exam_id, title, course)] if passed else []
