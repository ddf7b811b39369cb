"""What the statistics of a question say of it, once enough learners have answered."""

from __future__ import annotations

from enum import StrEnum

MIN_ATTEMPTS = 30
"""Below so many attempts a figure says more of chance than of the question."""
EASY_FROM = 0.95
"""Mean share from which a question is too easy to tell learners apart."""
WEAK_BELOW = 0.2
"""Discrimination below which a question hardly tells learners apart."""


class Verdict(StrEnum):
    """What an author should make of a question's figures."""

    TOO_FEW = "too few"
    MISLEADING = "misleading"
    EASY = "easy"
    WEAK = "weak"
    GOOD = "good"


def verdict(attempts: int, facility: float, discrimination: float | None) -> Verdict:
    """What the figures say.

    Args:
        attempts: First attempts that had the question.
        facility: Mean share of its points, 0 to 1.
        discrimination: Correlation with the rest of the exam, -1 to 1, or None where all learners did
            alike.

    Returns:
        ``TOO_FEW`` below 30 attempts; ``MISLEADING`` where those who know less do better, so that the key
        should be looked at; ``EASY`` or ``WEAK`` where it hardly tells learners apart.

    Source:
        PrairieLearn, assessment statistics: a discrimination below 20 % is low unless the mean score is
        95 % or above.
    """
    if attempts < MIN_ATTEMPTS:
        return Verdict.TOO_FEW
    if discrimination is not None and discrimination < 0:
        return Verdict.MISLEADING
    if facility >= EASY_FROM:
        return Verdict.EASY
    if discrimination is None or discrimination < WEAK_BELOW:
        return Verdict.WEAK
    return Verdict.GOOD
