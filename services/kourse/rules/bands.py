"""Which lessons beside the main path a learner's mastery opens, and in words why.

A lesson's lowest skill decides: remediation is for those whose lowest skill is in that band, a challenge
for those who have every skill in the highest. Skills without enough answers count as main.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kourse.contracts.resources.course import LessonPath
from kourse.rules.mastery import MIN_ANSWERS, RANK, Band, Mastery, Thresholds

PATHS = {LessonPath.REMEDIATION: Band.REMEDIATION, LessonPath.CHALLENGE: Band.CHALLENGE}
"""The band for which lessons beside the main path are."""
UNKNOWN = Mastery(0.0)
"""Stands for a skill about which nothing is known."""


@dataclass(frozen=True)
class Lowest:
    """The skill that decides on a lesson, and where the learner stands in it."""

    skill: str
    state: Mastery


def lowest(skills: Sequence[str], mastery: Mapping[str, Mastery]) -> Lowest | None:
    """The skill that decides; of equal bands the least mastered, then the first. None without skills."""
    found = [Lowest(skill, mastery.get(skill, UNKNOWN)) for skill in skills]
    return min(found, key=lambda one: (RANK[one.state.band], one.state.probability), default=None)


def band_of_lesson(skills: Sequence[str], mastery: Mapping[str, Mastery]) -> Band:
    """The path that a learner takes at a lesson with these skills; main where nothing decides."""
    deciding = lowest(skills, mastery)
    return Band.MAIN if deciding is None else deciding.state.band


def is_for(path: LessonPath, skills: Sequence[str], mastery: Mapping[str, Mastery]) -> bool:
    """Whether a lesson on that path is open to the learner now; the main path is to everybody."""
    return path is LessonPath.MAIN or band_of_lesson(skills, mastery) is PATHS[path]


def what_opens(path: LessonPath, deciding: Lowest, thresholds: Thresholds, title: str) -> str:
    """In words, what opens a lesson beside the main path that is closed.

    Args:
        path: Its path, not the main one.
        deciding: The skill that decides.
        thresholds: That skill's bands.
        title: What that skill is called.
    """
    state, have = deciding.state, int(deciding.state.probability * 100)
    if path is LessonPath.REMEDIATION:
        below = _percent(thresholds.remediation_below)
        so_far = f"you have {have} %" if state.answers else "nothing yet"
        return f"Opens when your mastery of “{title}” falls below {below} % ({so_far})."
    if state.answers < MIN_ANSWERS:
        return f"Answer at least {MIN_ANSWERS} questions on “{title}” (you have answered {state.answers})."
    need = _percent(thresholds.challenge_from)
    return f"Reach at least {need} % mastery of “{title}” (you have {have} of {need} %)."


def why_open(path: LessonPath, deciding: Lowest, title: str) -> str:
    """In words, why a lesson beside the main path is open."""
    have = int(deciding.state.probability * 100)
    if path is LessonPath.REMEDIATION:
        return f"Your mastery of “{title}” is {have} %: go over it once more."
    return f"Your mastery of “{title}” is {have} %: you are ready for a challenge."


def _percent(share: float) -> int:
    return round(share * 100)
