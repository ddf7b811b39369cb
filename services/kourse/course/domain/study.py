"""How far a learner is in a course, what is open to them, and what comes next."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kourse.contracts.resources.course import Requirement
from kourse.rules.gates import Asked, Missing, Standing, missing


@dataclass(frozen=True)
class LessonRef:
    """A lesson without its text."""

    id: UUID
    key: str
    title: str
    chapter: str
    minutes: int = 0
    skills: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gate:
    """What a chapter asks for."""

    chapter: str
    requires: tuple[Requirement, ...]

    @property
    def asks_mastery(self) -> bool:
        """Whether it looks at a skill."""
        return any(entry.skill is not None for entry in self.requires)


def gate_of(chapter: str, requires: Sequence[Mapping[str, Any]]) -> Gate:
    """A gate from its stored form."""
    return Gate(chapter, tuple(Requirement.model_validate(entry) for entry in requires))


def locked(
    gates: Iterable[Gate], standing: Standing, begun: Collection[str]
) -> dict[str, tuple[Missing, ...]]:
    """What is missing for each locked chapter.

    Args:
        gates: The course's gates.
        standing: What the learner has reached.
        begun: Chapters in which they began; those are never locked again.
    """
    found = {}
    for gate in gates:
        lacks = () if gate.chapter in begun else missing(gate.requires, standing)
        if lacks:
            found[gate.chapter] = lacks
    return found


def next_lesson(
    lessons: Sequence[LessonRef], completed: Collection[UUID], locked_chapters: Collection[str]
) -> LessonRef | None:
    """The first lesson that is open and not completed; None when there is none."""
    return next(
        (
            lesson
            for lesson in lessons
            if lesson.id not in completed and lesson.chapter not in locked_chapters
        ),
        None,
    )


def is_completed(done: int, total: int, rule: Mapping[str, Any], passed: Collection[str]) -> bool:
    """Whether the course's completion rule (wire form) is met.

    Args:
        done: Lessons of the live version that are completed.
        total: Lessons of the live version.
        rule: ``lessonsPercent`` and ``exams``.
        passed: Exams that the learner has passed.
    """
    enough = done * 100 >= total * int(rule.get("lessonsPercent", 100))
    return enough and set(rule.get("exams", ())) <= set(passed)


@dataclass(frozen=True)
class Titles:
    """What things are called, for sentences."""

    lessons: Mapping[str, str]
    skills: Mapping[str, str]
    exams: Mapping[str, str]

    def sentence(self, lack: Missing) -> str:
        """What the learner should do about something missing."""
        names = {
            Asked.LESSON: self.lessons,
            Asked.SKILL: self.skills,
            Asked.EXAM: self.exams,
        }[lack.asked]
        return lack.sentence(names.get(lack.key))
