"""What a course is made of to those who study it, what its gates lock, and when it is completed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any
from uuid import UUID

from kourse.contracts.resources.course import LessonPath, Requirement
from kourse.rules.gates import Asked, Missing, Standing, Wanted, asked_of, missing
from kourse.rules.mastery import Thresholds


@dataclass(frozen=True)
class LessonRef:
    """A lesson without its text."""

    id: UUID
    key: str
    title: str
    chapter: str
    minutes: int = 0
    skills: tuple[str, ...] = ()
    path: LessonPath = LessonPath.MAIN

    @property
    def is_main(self) -> bool:
        """Whether it is for everybody, and so counts in progress."""
        return self.path is LessonPath.MAIN


@dataclass(frozen=True)
class Chapter:
    """Lessons that belong together."""

    key: str
    title: str
    summary: str | None = None


@dataclass(frozen=True)
class Skill:
    """What a lesson can teach, what to know before, and the bands that hold for it."""

    key: str
    title: str
    prerequisites: tuple[str, ...] = ()
    thresholds: Thresholds = field(default_factory=Thresholds)


@dataclass(frozen=True)
class Content:
    """A published version without its texts; it never changes."""

    chapters: tuple[Chapter, ...]
    lessons: tuple[LessonRef, ...]
    skills: Mapping[str, Skill]

    @cached_property
    def main(self) -> tuple[LessonRef, ...]:
        """The lessons that count in progress."""
        return tuple(lesson for lesson in self.lessons if lesson.is_main)

    @cached_property
    def by_key(self) -> Mapping[str, LessonRef]:
        """The lessons by key."""
        return {lesson.key: lesson for lesson in self.lessons}

    def done(self, completed: Collection[UUID]) -> int:
        """How many lessons of the main path are among those completed."""
        return sum(lesson.id in completed for lesson in self.main)

    def chapters_done(self, completed: Collection[UUID]) -> dict[str, float]:
        """Percent of the main path completed by chapter, of chapters that were begun."""
        every: dict[str, list[bool]] = {}
        for lesson in self.main:
            every.setdefault(lesson.chapter, []).append(lesson.id in completed)
        return {key: 100 * sum(met) / len(met) for key, met in every.items() if any(met)}


@dataclass(frozen=True)
class Gate:
    """What a chapter asks for."""

    chapter: str
    requires: tuple[Requirement, ...]

    @property
    def asks_mastery(self) -> bool:
        """Whether it looks at a skill."""
        return any(one.asked is Asked.SKILL for one in asked_of(self.requires))


@lru_cache(maxsize=512)
def read_gates(stored: str) -> tuple[Gate, ...]:
    """The gates from their stored form: JSON, a list of pairs of a chapter and what it requires."""
    return tuple(
        Gate(chapter, tuple(Requirement.model_validate(entry) for entry in requires))
        for chapter, requires in json.loads(stored)
    )


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


def is_completed(done: int, total: int, rule: Mapping[str, Any], passed: Collection[str]) -> bool:
    """Whether the course's completion rule (wire form) is met.

    Args:
        done: Lessons of the live version's main path that are completed.
        total: Lessons of the live version's main path.
        rule: ``lessonsPercent`` and ``exams``.
        passed: Exams that the learner has passed.
    """
    enough = done * 100 >= total * int(rule.get("lessonsPercent", 100))
    return enough and set(rule.get("exams", ())) <= set(passed)


@dataclass(frozen=True)
class Titles:
    """What things are called, for sentences."""

    content: Content
    exams: Mapping[str, str]

    def name(self, wanted: Wanted) -> str | None:
        """The title of what is asked for, or None where none is known."""
        match wanted.asked:
            case Asked.LESSON:
                known = self.content.by_key.get(wanted.key)
                return known.title if known else None
            case Asked.CHAPTER:
                titles = (one.title for one in self.content.chapters if one.key == wanted.key)
                return next(titles, None)
            case Asked.EXAM:
                return self.exams.get(wanted.key)
            case Asked.SKILL:
                return self.skill(wanted.key)

    def skill(self, key: str) -> str:
        """What a skill is called."""
        known = self.content.skills.get(key)
        return known.title if known else key

    def sentence(self, lack: Missing) -> str:
        """What the learner should do about something missing."""
        return lack.sentence(self.name)
