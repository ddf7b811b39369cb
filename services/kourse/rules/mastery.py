"""Mastery of a skill: Bayesian knowledge tracing over the answer log, and the bands drawn from it.

Mastery is a fold: the same answers in the same order give the same state, so a regrade or new
parameters are applied by folding again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

CALCULATION = "bkt/1"
"""Name and version of these rules; kept with every fold."""

RIGHT_FROM = Fraction(4, 5)
"""Share of a question's points from which its answer counts as right."""

MIN_ANSWERS = 3
"""Below so many answers a learner stays on the main path."""

UPDATES_TO_FALL = 2
"""Successive updates below its band that move a learner down."""

CEILING = 1 - 1e-9
"""Probabilities stop here: in floating point 1 would be absorbing, and no answer could lower it."""


class Band(StrEnum):
    """The path a learner is on; declared from low to high."""

    REMEDIATION = "remediation"
    MAIN = "main"
    CHALLENGE = "challenge"


RANK = {band: rank for rank, band in enumerate(Band)}
"""Bands from low to high."""


@dataclass(frozen=True, slots=True)
class SkillParameters:
    """Parameters of one skill, each a probability, 0 to 1.

    Attributes:
        prior: Known before the first answer.
        learn: Learnt from one opportunity.
        guess: Right although not known; above 0.
        slip: Wrong although known; above 0.
    """

    prior: float = 0.30
    learn: float = 0.15
    guess: float = 0.20
    slip: float = 0.10


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the bands meet, each 0 to 1: ``[0, remediation_below)``, main, ``[challenge_from, 1]``."""

    remediation_below: float = 0.80
    challenge_from: float = 0.95


@dataclass(frozen=True, slots=True)
class Mastery:
    """What is known about one learner and skill.

    Attributes:
        probability: That the skill is known, 0 to 1.
        answers: How many were folded in.
        band: The path that follows.
        below: Successive updates that ended below ``band``.
    """

    probability: float
    answers: int = 0
    band: Band = Band.MAIN
    below: int = 0


def is_right(share: Fraction) -> bool:
    """Whether a share of a question's points, 0 to 1, counts as a right answer: at least 80 %."""
    return share >= RIGHT_FROM


def posterior_mastery(p_mastery: float, correct: bool, skill: SkillParameters) -> float:  # noqa: FBT001
    """Probability that the skill is known after one more answer, one learning step included.

    Args:
        p_mastery: Probability that it was known before, 0 to 1.
        correct: Whether the answer was right.
        skill: The skill's parameters.

    Returns:
        The updated probability, 0 to just below 1.

    Source:
        Corbett and Anderson (1995), Knowledge tracing: Modeling the acquisition of procedural
        knowledge, User Modeling and User-Adapted Interaction 4, 253-278.
    """
    if_known = (1 - skill.slip) if correct else skill.slip
    if_unknown = skill.guess if correct else (1 - skill.guess)
    known = p_mastery * if_known
    given_answer = known / (known + (1 - p_mastery) * if_unknown)
    return min(given_answer + (1 - given_answer) * skill.learn, CEILING)


def band_of(probability: float, thresholds: Thresholds) -> Band:
    """The band in which a probability lies, without regard to the past."""
    if probability >= thresholds.challenge_from:
        return Band.CHALLENGE
    return Band.REMEDIATION if probability < thresholds.remediation_below else Band.MAIN


def initial_mastery(skill: SkillParameters) -> Mastery:
    """The state before the first answer."""
    return Mastery(probability=skill.prior)


def updated_mastery(
    state: Mastery,
    correct: bool,  # noqa: FBT001 - an answer is right or wrong
    skill: SkillParameters,
    thresholds: Thresholds,
) -> Mastery:
    """The state after one more answer.

    Moving up happens at once, moving down only after two successive updates below the band; with
    fewer than three answers the band is main.
    """
    probability = posterior_mastery(state.probability, correct, skill)
    reached = band_of(probability, thresholds)
    below = state.below + 1 if RANK[reached] < RANK[state.band] else 0
    moved = replace(state, probability=probability, answers=state.answers + 1, below=below)
    if moved.answers < MIN_ANSWERS or (0 < below < UPDATES_TO_FALL):
        return moved
    return replace(moved, band=reached, below=0)


def folded_mastery(
    answers: Iterable[bool], skill: SkillParameters, thresholds: Thresholds
) -> Mastery:
    """The state after all answers, oldest first."""
    state = initial_mastery(skill)
    for correct in answers:
        state = updated_mastery(state, correct, skill, thresholds)
    return state
