"""Whether a gated chapter is open to a learner, and in words what is missing when it is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kourse.contracts.resources.course import Requirement


class Asked(StrEnum):
    """What a requirement looks at."""

    LESSON = "lesson"
    EXAM = "exam"
    SKILL = "skill"


@dataclass(frozen=True)
class Standing:
    """What a learner has reached, as far as they may know it: released scores only.

    Attributes:
        lessons: Keys of completed lessons.
        exams: Best released score by ExamConfig, in percent.
        skills: Probability of mastery by skill, in percent; None where it is not known.
    """

    lessons: frozenset[str] = frozenset()
    exams: Mapping[str, float] = field(default_factory=dict)
    skills: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Missing:
    """One requirement that is not met.

    Attributes:
        asked: What it looks at.
        key: The lesson, exam or skill.
        need: Percent asked for; 100 for a lesson.
        have: Percent reached, or None when there is nothing yet.
    """

    asked: Asked
    key: str
    need: int
    have: float | None = None

    def sentence(self, title: str | None = None) -> str:
        """What the learner should do, naming the thing by ``title`` where one is known."""
        name = f"“{title or self.key}”"
        if self.asked is Asked.LESSON:
            return f"Complete the lesson {name}."
        verb = "Score" if self.asked is Asked.EXAM else "Reach"
        what = f"in {name}" if self.asked is Asked.EXAM else f"mastery of {name}"
        so_far = "nothing yet" if self.have is None else f"{int(self.have)} % so far"
        return f"{verb} at least {self.need} % {what} ({so_far})."


def missing(requires: Iterable[Requirement], standing: Standing) -> tuple[Missing, ...]:
    """The requirements that ``standing`` does not meet, in their order; empty when the gate is open."""
    return tuple(lack for entry in requires if (lack := _lack(entry, standing)) is not None)


def _lack(entry: Requirement, standing: Standing) -> Missing | None:
    if entry.lesson is not None:
        met = entry.lesson in standing.lessons
        return None if met else Missing(Asked.LESSON, entry.lesson, 100)
    asked, key, reached = (
        (Asked.EXAM, entry.exam, standing.exams)
        if entry.exam is not None
        else (Asked.SKILL, entry.skill, standing.skills)
    )
    if key is None:
        return None
    have = reached.get(key)
    if have is not None and have >= entry.min_percent:
        return None
    return Missing(asked, key, entry.min_percent, have)
