"""Grading of programs by tests: a pure function from what each test came to, to a share of the points.

A program is run once for each test, elsewhere; what came of it is stored. So it can be graded again at any
time without running anything, and gives the same share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from kourse.contracts.resources.pool import CodeTest, PartialCredit, Question


class Outcome(StrEnum):
    """What a program came to in a test."""

    PASSED = "passed"
    WRONG_OUTPUT = "wrong-output"
    TOO_SLOW = "too-slow"
    NOT_COMPILED = "not-compiled"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Trial:
    """What a program came to in one test.

    Attributes:
        outcome: Whether it passed, or how it failed.
        seconds: Processor time.
        output: What it wrote, cut; kept of tests that learners may see.
        error: What the compiler or the program said of its failure, cut; of the program only in such tests.
    """

    outcome: Outcome
    seconds: float = 0.0
    output: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A program as it was judged by the tests of one version of its question.

    Attributes:
        results: By the tests' keys.
        problem: Why it could not be judged, so that a person has to; empty when it was.
    """

    results: Mapping[str, Trial]
    problem: str = ""


def share_passed(question: Question, judged: Judged) -> Fraction:
    """The share of the points that a judged program earns, 0 to 1, exact.

    The weights of the tests passed over those of all; without partial credit all or nothing.
    """
    tests: Sequence[CodeTest] = question.code.tests if question.code else ()
    passed = sum(test.weight for test in tests if _passed(judged, test))
    share = Fraction(passed, sum(test.weight for test in tests) or 1)
    if question.partial_credit is PartialCredit.NONE and share != 1:
        return Fraction(0)
    return share


def _passed(judged: Judged, test: CodeTest) -> bool:
    result = judged.results.get(test.key)
    return result is not None and result.outcome is Outcome.PASSED
