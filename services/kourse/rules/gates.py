"""Whether a gated chapter is open to a learner, and in words what is missing when it is not.

A gate asks for all of its requirements, and a requirement may be met by any one of several things, so
every condition without "not" can be said: what a learner reaches never closes a gate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kourse.contracts.resources.course import Alternative, Requirement


class Asked(StrEnum):
    """What a requirement looks at."""

    LESSON = "lesson"
    CHAPTER = "chapter"
    EXAM = "exam"
    SKILL = "skill"


@dataclass(frozen=True)
class Standing:
    """What a learner has reached, as far as they may know it: released scores only.

    Attributes:
        lessons: Keys of completed lessons.
        chapters: Share of the main path completed by chapter, in percent.
        exams: Best released score by ExamConfig, in percent.
        skills: Probability of mastery by skill, 0 to 1, where there are answers.
    """

    lessons: frozenset[str] = frozenset()
    chapters: Mapping[str, float] = field(default_factory=dict)
    exams: Mapping[str, float] = field(default_factory=dict)
    skills: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """One thing that is not reached.

    Attributes:
        asked: What it looks at.
        key: The lesson, chapter, exam or skill.
        need: Percent asked for; 100 for a lesson.
        have: Percent reached, or None when there is nothing yet.
    """

    asked: Asked
    key: str
    need: int
    have: float | None = None

    def phrase(self, title: str | None = None) -> str:
        """What the learner should do, in the middle of a sentence, naming the thing by ``title``."""
        name = f"“{title or self.key}”"
        so_far = (
            "nothing yet" if self.have is None else f"you have {int(self.have)} of {self.need} %"
        )
        match self.asked:
            case Asked.LESSON:
                return f"complete the lesson {name}"
            case Asked.CHAPTER:
                return f"complete at least {self.need} % of the chapter {name} ({so_far})"
            case Asked.EXAM:
                return f"score at least {self.need} % in {name} ({so_far})"
            case Asked.SKILL:
                return f"reach at least {self.need} % mastery of {name} ({so_far})"


Naming = Callable[[Wanted], str | None]
"""The title of a thing, where one is known."""


@dataclass(frozen=True)
class Missing:
    """A requirement that is not met.

    Attributes:
        wanted: What would meet it: the one thing, or any one of several.
    """

    wanted: tuple[Wanted, ...]

    def sentence(self, naming: Naming = lambda _: None) -> str:
        """What the learner should do."""
        phrases = [one.phrase(naming(one)) for one in self.wanted]
        text = phrases[0] if len(phrases) == 1 else f"do one of these: {', or '.join(phrases)}"
        return f"{text[0].upper()}{text[1:]}."


def missing(requires: Iterable[Requirement], standing: Standing) -> tuple[Missing, ...]:
    """The requirements that ``standing`` does not meet, in their order; empty when the gate is open."""
    return tuple(lack for entry in requires if (lack := _lack(entry, standing)) is not None)


def asked_of(requires: Iterable[Requirement]) -> Iterator[Wanted]:
    """Everything that a gate looks at, as if nothing of it were reached."""
    for entry in requires:
        for option in entry.any_of or [entry]:
            yield _wanted(option, None)


def _lack(entry: Requirement, standing: Standing) -> Missing | None:
    wanted = []
    for option in entry.any_of or [entry]:
        have = _reached(option, standing)
        if have is not None and _is_enough(option, have):
            return None
        wanted.append(_wanted(option, have))
    return Missing(tuple(wanted))


def _wanted(option: Alternative, have: float | None) -> Wanted:
    asked, key = _subject(option)
    if asked is Asked.LESSON:
        return Wanted(asked, key, 100)
    percent = have if have is None or asked is not Asked.SKILL else have * 100
    return Wanted(asked, key, option.min_percent, percent)


def _is_enough(option: Alternative, have: float) -> bool:
    if option.skill is not None:
        # Compared as probabilities: 0.57 * 100 is less than 57 in floating point.
        return have >= option.min_percent / 100
    return option.lesson is not None or have >= option.min_percent


def _reached(option: Alternative, standing: Standing) -> float | None:
    """Percent, for a skill the probability, that is reached; None when there is nothing yet."""
    asked, key = _subject(option)
    match asked:
        case Asked.LESSON:
            return 100.0 if key in standing.lessons else None
        case Asked.CHAPTER:
            return standing.chapters.get(key)
        case Asked.EXAM:
            return standing.exams.get(key)
        case Asked.SKILL:
            return standing.skills.get(key)


def _subject(option: Alternative) -> tuple[Asked, str]:
    for asked in Asked:
        if (key := getattr(option, asked.value)) is not None:
            return asked, key
    raise ValueError("a requirement names nothing")
