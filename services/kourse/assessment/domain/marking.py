"""How an answer is judged: by the key that counts, by a person's decision, or not at all when voided.

Pure: what a grading run stores of each slot is all that is needed to reach the same share again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from uuid import UUID

from kourse.assessment.domain.facts import Item
from kourse.assessment.domain.presentation import Layout
from kourse.contracts.resources.pool import Question, QuestionType
from kourse.rules import rubric
from kourse.rules.code import Judged, share_passed
from kourse.rules.grading import REVIEWED, read_answer, share_earned
from kourse.rules.rubric import Mark

ONE, ZERO = Fraction(1), Fraction(0)


class Basis(StrEnum):
    """What a share rests on."""

    KEY = "key"
    RUBRIC = "rubric"
    OVERRIDE = "override"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided of a slot, for the answer with this ``seq``.

    Attributes:
        number: From 1; the newest counts.
        kind: By the rubric, or an override.
        version_id: The question version whose rubric was used.
        marks: By criterion; empty for an override.
        share: Exact share of the slot's points.
        comment: Words for the learner.
        reason: Why the points were set by hand; kept and audited.
    """

    slot: int
    number: int
    kind: Basis
    seq: int
    version_id: UUID
    marks: Mapping[str, Mark]
    share: Fraction
    comment: str | None
    reason: str | None
    grader_id: UUID
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Marking:
    """How a slot was judged in a run.

    Attributes:
        share: Exact share of its points.
        version_id: The question version whose key was used.
        basis: What the share rests on.
        decision: Number of the decision, where a person decided.
    """

    share: Fraction
    version_id: UUID
    basis: Basis
    decision: int | None = None


@dataclass(frozen=True, slots=True)
class KeyUse:
    """Which version's key counts for a slot; voided ones earn everybody full points.

    Attributes:
        version_id: The version.
        question: The question as it is in that version.
        voided: Whether it counts for nobody.
        judged: What the answer, a program, came to in its tests; None before the judge has said.
    """

    version_id: UUID
    question: Question
    voided: bool = False
    judged: Judged | None = None


def needs_judging(item: Item, key: KeyUse, decision: Decision | None) -> bool:
    """Whether the answer is a program that the judge has to run before the attempt can be graded."""
    return _is_open(item, key, decision) and _is_code(item) and key.judged is None


def needs_review(item: Item, key: KeyUse, decision: Decision | None) -> bool:
    """Whether a person has to judge the answer before the attempt can be graded."""
    if not _is_open(item, key, decision):
        return False
    unjudgeable = key.judged is not None and bool(key.judged.problem)
    return item.question.type in REVIEWED or (_is_code(item) and unjudgeable)


def _is_open(item: Item, key: KeyUse, decision: Decision | None) -> bool:
    return item.answer is not None and not key.voided and decision is None


def _is_code(item: Item) -> bool:
    return item.question.type is QuestionType.CODE


def marking(item: Item, key: KeyUse, decision: Decision | None) -> Marking:
    """How the slot is judged: a voided question first, then a person's decision, then the key.

    Raises:
        LookupError: A person or the judge has to decide, and did not.
    """
    if needs_review(item, key, decision) or needs_judging(item, key, decision):
        raise LookupError(f"slot {item.slot} is not decided")
    if key.voided:
        return Marking(ONE, key.version_id, Basis.VOIDED)
    if decision is not None:
        return Marking(decision.share, key.version_id, decision.kind, decision.number)
    if item.answer is None or item.question.type in REVIEWED:
        return Marking(ZERO, key.version_id, Basis.KEY)
    if key.judged is not None:
        return Marking(share_passed(key.question, key.judged), key.version_id, Basis.KEY)
    answer = read_answer(key.question, item.answer)
    return Marking(share_earned(key.question, answer), key.version_id, Basis.KEY)


def rubric_share(question: Question, marks: Mapping[str, Mark]) -> Fraction:
    """The share of the points that marks by the question's rubric earn, exact.

    Raises:
        MarkMismatch: The marks do not fit the rubric.
    """
    criteria = question.rubric or []
    return rubric.share(criteria, rubric.marked(criteria, marks))


def is_replaceable(shown: Question, layout: Layout, corrected: Question) -> bool:
    """Whether the answers to a question can be judged by another version's key.

    Options and pairs are matched by key: the same ones must be there, their texts may differ. A program
    stays in its language.
    """
    options = {key for _, key in layout.options}
    pairs = {key for _, key in layout.lefts}
    return (
        corrected.type is shown.type
        and _language(corrected) == _language(shown)
        and {one.key for one in corrected.options or ()} == options
        and {one.key for one in corrected.pairs or ()} == pairs
    )


def _language(question: Question) -> str | None:
    return None if question.code is None else question.code.language.value
