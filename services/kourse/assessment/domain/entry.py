"""Whether a learner may start an attempt: one decision for the route, for plans and for explanations."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from kourse.assessment.domain.facts import Attempt, AttemptState
from kourse.assessment.domain.terms import Terms
from kourse.assessment.errors import AttemptsUsedUp, ExamClosed
from kourse.contracts.errors import KourseError


def used(taken: Iterable[Attempt]) -> int:
    """How many of these attempts count against the learner's number; voided ones do not."""
    return sum(attempt.state is not AttemptState.VOIDED for attempt in taken)


def obstacles(terms: Terms, taken: int, now: datetime) -> list[KourseError]:
    """Why a learner who may know of the exam can start no new attempt; empty when they can.

    Args:
        terms: What holds for the learner.
        taken: Attempts that they used within this enrolment.
        now: The database's time.
    """
    found: list[KourseError] = []
    if terms.is_closed(now):
        found.append(ExamClosed(terms.closes_at))
    if taken >= terms.attempts:
        found.append(AttemptsUsedUp(f"All {terms.attempts} attempts at this exam are used up."))
    return found


def can_take(terms: Terms, taken: int, now: datetime, *, running: bool) -> bool:
    """Whether the learner sees the exam and can start it, or go on with the attempt they have."""
    return terms.is_visible(now) and (running or not obstacles(terms, taken, now))
