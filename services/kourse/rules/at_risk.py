"""When a learner is at risk in a course: four rules that the course declares, each with its reason in words.

Each rule looks at something that tells of dropping out weeks before it happens: absence, low mastery with
work due, falling scores, missed work. Days are spans of 24 hours, so that no time zone is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import fmean
from typing import Self

from kourse.contracts.resources.course import AtRisk

SCORES = 3
"""So many scores are compared with so many before."""


class Reason(StrEnum):
    """A rule that applies."""

    INACTIVE = "inactive"
    MASTERY_BEFORE_DUE = "mastery-before-due"
    SCORES_FALL = "scores-fall"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Policy:
    """Where the rules begin to apply.

    Attributes:
        inactive: So long without study, or longer.
        mastery_below: Mean mastery below this, 0 to 1 …
        due_within: … while something is due within this time.
        score_drop: Percentage points by which scores fell, or more.
        missed: So many assignments missed, or more.
    """

    inactive: timedelta = timedelta(days=7)
    mastery_below: float = 0.60
    due_within: timedelta = timedelta(days=7)
    score_drop: float = 15.0
    missed: int = 2

    @classmethod
    def of(cls, declared: AtRisk) -> Self:
        """The policy that a course declares."""
        return cls(
            inactive=timedelta(days=declared.inactive_days),
            mastery_below=declared.mastery_below / 100,
            due_within=timedelta(days=declared.due_within_days),
            score_drop=float(declared.score_drop),
            missed=declared.missed,
        )


@dataclass(frozen=True, slots=True)
class Due:
    """Something to hand in that the learner has not handed in."""

    title: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a learner in a course.

    Attributes:
        active_at: When they last did something in it; when they enrolled, if nothing.
        mastery: Mean over the skills that they have answered questions on, 0 to 1; None: on none.
        due: What they have not handed in.
        scores: Percentages of the released scores, oldest first.
        missed: Assignments that closed without a hand-in of theirs.
    """

    active_at: datetime
    mastery: float | None = None
    due: Sequence[Due] = ()
    scores: Sequence[float] = ()
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Risk:
    """A reason, and the same in a sentence that stays true until the learner does something."""

    reason: Reason
    because: str


def risks(standing: Standing, policy: Policy, now: datetime) -> list[Risk]:
    """The rules that apply now, in the order of their declaration; none: not at risk."""
    return [
        *_inactive(standing, policy, now),
        *_due(standing, policy, now),
        *_fall(standing, policy),
        *_missed(standing, policy),
    ]


def _inactive(standing: Standing, policy: Policy, now: datetime) -> Iterator[Risk]:
    if now - standing.active_at >= policy.inactive:
        yield Risk(Reason.INACTIVE, f"Nothing done since {standing.active_at:%Y-%m-%d}.")


def _due(standing: Standing, policy: Policy, now: datetime) -> Iterator[Risk]:
    soon = [one for one in standing.due if now < one.due_at <= now + policy.due_within]
    if soon and standing.mastery is not None and standing.mastery < policy.mastery_below:
        first = min(soon, key=lambda one: one.due_at)
        yield Risk(
            Reason.MASTERY_BEFORE_DUE,
            f"Mastery is {standing.mastery:.0%}, below {policy.mastery_below:.0%}, and"
            f" “{first.title}” is due on {first.due_at:%Y-%m-%d}.",
        )


def _fall(standing: Standing, policy: Policy) -> Iterator[Risk]:
    if len(standing.scores) < 2 * SCORES:
        return
    last = fmean(standing.scores[-SCORES:])
    before = fmean(standing.scores[-2 * SCORES : -SCORES])
    if before - last >= policy.score_drop:
        yield Risk(
            Reason.SCORES_FALL,
            f"The last {SCORES} scores are {last:.0f} % on average, {before - last:.0f} points below"
            f" the {SCORES} before.",
        )


def _missed(standing: Standing, policy: Policy) -> Iterator[Risk]:
    if standing.missed >= policy.missed:
        plural = "s were" if standing.missed > 1 else " was"
        yield Risk(Reason.MISSED, f"{standing.missed} assignment{plural} missed.")


def next_change(standing: Standing, policy: Policy, now: datetime) -> datetime | None:
    """When the clock alone changes what applies; None: never."""
    moments = [standing.active_at + policy.inactive]
    for one in standing.due:
        moments += [one.due_at - policy.due_within, one.due_at]
    return min((at for at in moments if at > now), default=None)
