"""What earns points, and the level that follows from their sum."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isqrt
from uuid import UUID

POINTS_OF_LEVEL = 100
"""Level n + 1 needs n times this more than level n did: 100, 300, 600, 1000, …"""


class Reason(StrEnum):
    """Why points were given; the value is the ``reason`` of an entry and names its sentence."""

    LESSON_COMPLETED = "lesson-completed"
    COURSE_COMPLETED = "course-completed"
    EXAM_PASSED = "exam-passed"


WORTH = {Reason.LESSON_COMPLETED: 10, Reason.COURSE_COMPLETED: 100, Reason.EXAM_PASSED: 50}


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


def level(points: int) -> int:
    """The level that a sum of points reaches, from 1."""
    return (1 + isqrt(1 + 8 * max(points, 0) // POINTS_OF_LEVEL)) // 2


def points_needed(level_number: int) -> int:
    """The least sum of points that reaches a level."""
    return POINTS_OF_LEVEL * level_number * (level_number - 1) // 2


def earned_by_lesson(
    *, lesson_id: UUID, course_id: UUID, title: str, course: str, completed: int, total: int
) -> list[Earned]:
    """Points for a completed lesson, and for the course when it was the last."""
    found = [Earned(Reason.LESSON_COMPLETED, lesson_id, title, course)]
    if completed >= total:
        found.append(Earned(Reason.COURSE_COMPLETED, course_id, course, course))
    return found


def earned_by_score(*, exam_id: UUID, title: str, course: str, passed: bool) -> list[Earned]:
    """Points for an exam that was passed, whichever attempt it was."""
    return [Earned(Reason.EXAM_PASSED, exam_id, title, course)] if passed else []
