"""Grading of the objective question types: a pure function from key and answer to a share.

Answers come in their stored form, with the stable keys of options and pairs, so an attempt can be
graded again at any time and gives the same share.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from kourse.contracts.resources.meta import Decimal
from kourse.contracts.resources.pool import (
    Numeric,
    PartialCredit,
    Question,
    QuestionType,
    ShortText,
    TextMatching,
    ToleranceKind,
)

GRADER = "objective/1"
"""Name and version of these rules; kept with every grading run."""

ZERO = Fraction(0)
ONE = Fraction(1)

Key = Annotated[str, StringConstraints(min_length=1, max_length=63)]


class Answer(BaseModel):
    """Base of the answers; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SingleChoiceAnswer(Answer):
    """The option chosen."""

    option: Key


class MultipleChoiceAnswer(Answer):
    """The options chosen, each once; none is an answer too."""

    options: list[Key] = Field(max_length=12)


class NumericAnswer(Answer):
    """A decimal number with a point, at most 12 digits before and after it."""

    value: Decimal


class ShortTextAnswer(Answer):
    """A word or short phrase."""

    text: str = Field(max_length=1000)


class MatchingAnswer(Answer):
    """For each left side, by its pair's key, the pair whose right side was chosen."""

    pairs: dict[Key, Key] = Field(max_length=12)


class OrderingAnswer(Answer):
    """Every option, first to last."""

    order: list[Key] = Field(max_length=12)


class EssayAnswer(Answer):
    """A text that a person reads and grades."""

    text: str = Field(min_length=1, max_length=20_000, pattern=r"^[^\x00]*$")


class CodeAnswer(Answer):
    """A program in the question's language."""

    source: str = Field(min_length=1, max_length=65_536, pattern=r"^[^\x00]*$")


class FileReference(Answer):
    """A file that was sent for the question, in exactly the version that counts.

    Attributes:
        id: Its id.
        sha256: Digest of its bytes, hexadecimal; computed from what the store has.
        version: The store's id of the version, where it keeps any.
    """

    id: str = Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    version: str | None = Field(None, max_length=1024, pattern=r"^[^\x00]*$")


class FileAnswer(Answer):
    """Files that a person looks at and grades."""

    files: list[FileReference] = Field(min_length=1, max_length=10)


ANSWERS: Mapping[QuestionType, type[Answer]] = MappingProxyType(
    {
        QuestionType.SINGLE_CHOICE: SingleChoiceAnswer,
        QuestionType.MULTIPLE_CHOICE: MultipleChoiceAnswer,
        QuestionType.NUMERIC: NumericAnswer,
        QuestionType.SHORT_TEXT: ShortTextAnswer,
        QuestionType.MATCHING: MatchingAnswer,
        QuestionType.ORDERING: OrderingAnswer,
        QuestionType.ESSAY: EssayAnswer,
        QuestionType.CODE: CodeAnswer,
        QuestionType.FILE: FileAnswer,
    }
)

REVIEWED = frozenset({QuestionType.ESSAY, QuestionType.FILE})
"""Types whose answers no rule can judge: a person does, by the question's rubric."""


class AnswerMismatch(ValueError):
    """The answer does not fit the question; the message says how, without hinting at the key."""


def read_shape(type_: QuestionType, payload: Mapping[str, Any]) -> Answer:
    """The answer, checked against the shape of the type alone.

    Raises:
        AnswerMismatch: A field is missing, unknown or wrong.
    """
    try:
        return ANSWERS[type_].model_validate(dict(payload))
    except ValidationError as error:
        raise AnswerMismatch(_first_problem(error)) from None


def read_answer(question: Question, payload: Mapping[str, Any]) -> Answer:
    """The answer, checked against the shape of the question's type and its options.

    Args:
        question: The question with its keys.
        payload: The answer with the stable keys of options and pairs.

    Raises:
        AnswerMismatch: A field is missing, unknown or wrong, or names something not offered.
    """
    answer = read_shape(question.type, payload)
    _check_offered(question, answer)
    return answer


def share_earned(question: Question, answer: Answer | None) -> Fraction:
    """The share of the question's points that an answer earns, 0 to 1, exact.

    1 means the answer is right in full. Without partial credit anything else earns 0; no answer
    always does.
    """
    if answer is None:
        return ZERO
    share = _share(question, answer)
    if question.partial_credit is PartialCredit.NONE and share != ONE:
        return ZERO
    return share


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"answer.{where}: {problem['msg']}" if where else problem["msg"]


def _check_offered(question: Question, answer: Answer) -> None:
    options = [option.key for option in question.options or ()]
    pairs = {pair.key for pair in question.pairs or ()}
    match answer:
        case SingleChoiceAnswer(option=option):
            _require({option} <= set(options), "answer.option: no such option")
        case MultipleChoiceAnswer(options=chosen):
            _require(set(chosen) <= set(options), "answer.options: no such option")
            _require(len(set(chosen)) == len(chosen), "answer.options: name each option once")
        case MatchingAnswer(pairs=chosen_pairs):
            _require(chosen_pairs.keys() <= pairs, "answer.pairs: no such left side")
            _require(set(chosen_pairs.values()) <= pairs, "answer.pairs: no such right side")
        case OrderingAnswer(order=order):
            _require(
                sorted(order) == sorted(options), "answer.order: name every option exactly once"
            )
        case _:
            return


def _require(holds: bool, problem: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not holds:
        raise AnswerMismatch(problem)


def _share(question: Question, answer: Answer) -> Fraction:
    match answer:
        case SingleChoiceAnswer(option=option):
            return Fraction([option] == question.correct)
        case MultipleChoiceAnswer(options=options):
            return _multiple_choice(set(question.correct or ()), set(options))
        case NumericAnswer(value=value):
            return Fraction(question.numeric is not None and _is_near(question.numeric, value))
        case ShortTextAnswer(text=text):
            return Fraction(question.short_text is not None and _fits(question.short_text, text))
        case MatchingAnswer(pairs=pairs):
            return _matching({pair.key: pair.right for pair in question.pairs or ()}, pairs)
        case OrderingAnswer(order=order):
            return _ordering([option.key for option in question.options or ()], order)
    raise TypeError(f"no rule grades a {type(answer).__name__}")


def _multiple_choice(right: set[str], chosen: set[str]) -> Fraction:
    """Right choices less wrong ones, as a share of the right options, never below 0.

    Ticking everything therefore earns nothing where half of the options are wrong.
    """
    if not right or chosen == right:
        return Fraction(chosen == right)
    return max(ZERO, Fraction(len(chosen & right) - len(chosen - right), len(right)))


def _is_near(key: Numeric, value: str) -> bool:
    right, tolerance = Fraction(key.value), abs(Fraction(key.tolerance))
    if key.tolerance_kind is ToleranceKind.PERCENT:
        tolerance *= abs(right) / 100
    return abs(Fraction(value) - right) <= tolerance


def _fits(key: ShortText, text: str) -> bool:
    accepted = {_comparable(right, key.matching) for right in key.accepted}
    return _comparable(text, key.matching) in accepted


def _comparable(text: str, matching: TextMatching) -> str:
    spaced = " ".join(unicodedata.normalize("NFC", text).split())
    return spaced if matching is TextMatching.EXACT else spaced.casefold()


def _matching(right_sides: Mapping[str, str], pairs: Mapping[str, str]) -> Fraction:
    """Share of the pairs put together; equal right sides may stand in for each other."""
    met = sum(right_sides[left] == right_sides[right] for left, right in pairs.items())
    return Fraction(met, len(right_sides))


def _ordering(right: list[str], order: list[str]) -> Fraction:
    """Share of the neighbours that follow each other as they should.

    An order that is right but for one entry out of place keeps most of its credit, wherever that
    entry stands; comparing positions would take all of it.
    """
    met = len(set(pairwise(right)) & set(pairwise(order)))
    return Fraction(met, len(right) - 1)
