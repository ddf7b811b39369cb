"""A learner's way through a course: which lessons are open, what would open the others, what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from uuid import UUID

from kourse.course.domain.study import Content, Gate, LessonRef, Titles, locked
from kourse.rules import bands
from kourse.rules.gates import Missing, Standing
from kourse.rules.mastery import Band, Mastery, Thresholds


@dataclass(frozen=True)
class Footprint:
    """What a learner has done and reached in a course, as far as they may know it.

    Attributes:
        completed: When each lesson was completed, by its id; also of lessons that are gone.
        visited: The chapter of each lesson begun, as it stood then, by the lesson's id.
        exams: Best released score by exam, in percent.
        passed: Exams passed, by released scores.
        mastery: Mastery by skill, where there are answers.
    """

    completed: Mapping[UUID, datetime] = field(default_factory=dict)
    visited: Mapping[UUID, str] = field(default_factory=dict)
    exams: Mapping[str, float] = field(default_factory=dict)
    passed: frozenset[str] = frozenset()
    mastery: Mapping[str, Mastery] = field(default_factory=dict)


class Reason(StrEnum):
    """Why a lesson comes next."""

    REMEDIATION = "remediation"
    IN_ORDER = "in-order"
    CHALLENGE = "challenge"


@dataclass(frozen=True)
class Next:
    """What to study now, and why, for the learner to read."""

    lesson: LessonRef
    reason: Reason
    because: str


@dataclass(frozen=True)
class Way:
    """A learner before a course.

    Attributes:
        content: The live version.
        gates: What its chapters ask for.
        titles: Names for sentences.
        made: What the learner did and reached.
    """

    content: Content
    gates: tuple[Gate, ...]
    titles: Titles
    made: Footprint

    @cached_property
    def locked(self) -> Mapping[str, tuple[Missing, ...]]:
        """What is missing for each locked chapter."""
        return locked(self.gates, self.standing, set(self.made.visited.values()))

    @cached_property
    def standing(self) -> Standing:
        """What gates look at."""
        completed, lessons = self.made.completed, self.content.lessons
        return Standing(
            lessons=frozenset(lesson.key for lesson in lessons if lesson.id in completed),
            chapters=self.content.chapters_done(completed),
            exams=self.made.exams,
            skills={skill: state.probability for skill, state in self.made.mastery.items()},
        )

    def gate_of(self, lesson: LessonRef) -> list[str]:
        """What opens the lesson's chapter, in words; empty when it is open."""
        return [self.titles.sentence(lack) for lack in self.locked.get(lesson.chapter, ())]

    def band_of(self, lesson: LessonRef) -> str | None:
        """What opens the lesson by mastery, in words; None when it is open, or begun and so stays open."""
        if lesson.id in self.made.visited or self._is_for(lesson):
            return None
        deciding = bands.lowest(lesson.skills, self.made.mastery)
        if deciding is None:
            return "No skill decides on this lesson."
        skill = self.content.skills.get(deciding.skill)
        limits = skill.thresholds if skill else Thresholds()
        title = self.titles.skill(deciding.skill)
        return bands.what_opens(lesson.path, deciding, limits, title)

    def closed(self, lesson: LessonRef) -> list[str]:
        """Everything that would have to be done for the lesson to open; empty when it is open."""
        by_band = self.band_of(lesson)
        return [*self.gate_of(lesson), *([by_band] if by_band else [])]

    @cached_property
    def next(self) -> Next | None:
        """The lesson to study now; None when all that is open is done.

        First comes remediation that the learner needs, then lessons in the order of the course, challenges
        at their place among them; a lesson that builds on a skill in need of remediation lets others pass.
        """
        todo = [lesson for lesson in self._open() if lesson.id not in self.made.completed]
        for lesson in todo:
            if not lesson.is_main and bands.PATHS[lesson.path] is Band.REMEDIATION:
                return self._beside(lesson, Reason.REMEDIATION)
        for lesson in todo:
            if lesson.is_main and self._weak_ground(lesson) is not None:
                continue
            if lesson.is_main:
                return self._in_order(lesson)
            return self._beside(lesson, Reason.CHALLENGE)
        return self._in_order(todo[0]) if todo else None

    def _open(self) -> Iterator[LessonRef]:
        for lesson in self.content.lessons:
            if lesson.chapter not in self.locked and self._is_for(lesson):
                yield lesson

    def _is_for(self, lesson: LessonRef) -> bool:
        return bands.is_for(lesson.path, lesson.skills, self.made.mastery)

    def _weak_ground(self, lesson: LessonRef) -> str | None:
        """A skill to know before the lesson that needs remediation, or None."""
        for key in lesson.skills:
            skill = self.content.skills.get(key)
            for before in skill.prerequisites if skill else ():
                known = self.made.mastery.get(before)
                if known is not None and known.band is Band.REMEDIATION:
                    return before
        return None

    def _beside(self, lesson: LessonRef, reason: Reason) -> Next:
        deciding = bands.lowest(lesson.skills, self.made.mastery)
        if deciding is None:
            raise ValueError(f"no skill decides on the lesson {lesson.key!r}")
        title = self.titles.skill(deciding.skill)
        return Next(lesson, reason, bands.why_open(lesson.path, deciding, title))

    def _in_order(self, lesson: LessonRef) -> Next:
        because = "It is the first lesson of the course that is open and not completed."
        before = self._before(lesson)
        if before is not None:
            because = f"It comes after “{before.title}”, which you have completed."
        weak = self._weak_ground(lesson)
        if weak is not None:
            because += f" Practise “{self.titles.skill(weak)}” beside it: it builds on that."
        return Next(lesson, Reason.IN_ORDER, because)

    def _before(self, lesson: LessonRef) -> LessonRef | None:
        """The last lesson before it that was completed, or None."""
        found = None
        for one in self.content.lessons:
            if one.id == lesson.id:
                break
            found = one if one.id in self.made.completed else found
        return found
