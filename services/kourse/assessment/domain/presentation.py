"""What a learner sees of a question: its texts in a set order under opaque ids, never a key.

A layout pairs each opaque id with the stable key it stands for. It is stored with the attempt, so
answers are kept by stable key and can be graded again after the question has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kourse.contracts.resources.pool import (
    Code,
    CodeTest,
    FileRules,
    Question,
    QuestionType,
)
from kourse.rules import drawing
from kourse.rules.grading import (
    Answer,
    AnswerMismatch,
    CodeAnswer,
    EssayAnswer,
    FileAnswer,
    MatchingAnswer,
    MultipleChoiceAnswer,
    NumericAnswer,
    OrderingAnswer,
    ShortTextAnswer,
    SingleChoiceAnswer,
    read_answer,
    read_shape,
)

Placed = tuple[str, str]
"""An opaque id and the stable key it stands for."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Options, or the two sides of a matching question, in the order shown."""

    options: tuple[Placed, ...] = ()
    lefts: tuple[Placed, ...] = ()
    rights: tuple[Placed, ...] = ()

    def stored(self) -> dict[str, Any]:
        """The layout as JSON; sides without entries are left out."""
        sides = {"options": self.options, "lefts": self.lefts, "rights": self.rights}
        return {name: [list(placed) for placed in side] for name, side in sides.items() if side}

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Layout:
        """The layout that ``stored`` gave."""
        return cls(
            **{name: tuple((id_, key) for id_, key in side) for name, side in stored.items()}
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry with its opaque id and its text."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class ShownCode:
    """What a learner may see of what is asked of their program: tests that are hidden only by their number."""

    language: str
    starter: str
    cpu_seconds: int
    memory_mib: int
    tests: tuple[CodeTest, ...]
    hidden_tests: int

    @classmethod
    def of(cls, code: Code) -> ShownCode:
        """What may be seen of it."""
        visible = tuple(test for test in code.tests if not test.hidden)
        return cls(
            language=code.language.value,
            starter=code.starter or "",
            cpu_seconds=code.cpu_seconds,
            memory_mib=code.memory_mib,
            tests=visible,
            hidden_tests=len(code.tests) - len(visible),
        )


@dataclass(frozen=True, slots=True)
class ShownQuestion:
    """Everything of a question that may be seen before it is answered."""

    type: QuestionType
    prompt: str
    hint: str | None
    unit: str | None
    options: tuple[Shown, ...]
    lefts: tuple[Shown, ...]
    rights: tuple[Shown, ...]
    code: ShownCode | None = None
    file: FileRules | None = None


def layout_of(question: Question, seed: bytes, path: str, *, shuffle: bool) -> Layout:
    """The order and the ids under which a question is shown.

    Right sides of a matching question and the entries of an ordering one are always shuffled, and
    entries never start in the right order: the declared order is the key.

    Args:
        question: The question.
        seed: The attempt's secret seed.
        path: Tells questions of one attempt apart.
        shuffle: Whether choices are shuffled too.
    """
    options = [option.key for option in question.options or ()]
    pairs = [pair.key for pair in question.pairs or ()]

    def placed(side: str, keys: Sequence[str]) -> tuple[Placed, ...]:
        return tuple((drawing.opaque_id(seed, path, side, key), key) for key in keys)

    if question.type is QuestionType.ORDERING:
        options = _disordered(seed, path, options)
    elif shuffle:
        options = drawing.shuffled(seed, f"{path}/options", options)
    lefts = drawing.shuffled(seed, f"{path}/lefts", pairs) if shuffle else pairs
    rights = drawing.shuffled(seed, f"{path}/rights", pairs)
    return Layout(placed("option", options), placed("left", lefts), placed("right", rights))


def shown(question: Question, layout: Layout, *, hint: bool) -> ShownQuestion:
    """The question as a learner sees it, with or without its hint."""
    options = {option.key: option.text for option in question.options or ()}
    lefts = {pair.key: pair.left for pair in question.pairs or ()}
    rights = {pair.key: pair.right for pair in question.pairs or ()}
    return ShownQuestion(
        type=question.type,
        prompt=question.prompt,
        hint=question.hint if hint else None,
        unit=question.numeric.unit if question.numeric else None,
        options=tuple(Shown(id_, options[key]) for id_, key in layout.options),
        lefts=tuple(Shown(id_, lefts[key]) for id_, key in layout.lefts),
        rights=tuple(Shown(id_, rights[key]) for id_, key in layout.rights),
        code=None if question.code is None else ShownCode.of(question.code),
        file=question.file,
    )


def received(question: Question, layout: Layout, payload: Mapping[str, Any]) -> Answer:
    """A learner's answer, by opaque ids, as an answer by stable keys.

    Raises:
        AnswerMismatch: It does not fit the question, or names an id that was not shown.
    """
    stable = _translated(
        read_shape(question.type, payload),
        option=_lookup(layout.options, "no such option"),
        left=_lookup(layout.lefts, "no such left side"),
        right=_lookup(layout.rights, "no such right side"),
    )
    return read_answer(question, stable)


def returned(question: Question, layout: Layout, stored: Mapping[str, Any]) -> dict[str, Any]:
    """An answer by stable keys as the learner gave it, by opaque ids."""
    return _translated(
        read_shape(question.type, stored),
        option=_lookup(_swapped(layout.options), "not shown"),
        left=_lookup(_swapped(layout.lefts), "not shown"),
        right=_lookup(_swapped(layout.rights), "not shown"),
    )


def solution(question: Question, layout: Layout) -> dict[str, Any]:
    """The right answer in the shape of an answer, by opaque ids; for learners after release only.

    A numeric solution also tells its tolerance, a short text all accepted texts; an essay has the rubric
    by which it was graded instead, and a program has its tests, which are told elsewhere.
    """
    if question.numeric is not None:
        tolerance, kind = question.numeric.tolerance, question.numeric.tolerance_kind.value
        return {
            "value": question.numeric.value,
            "tolerance": tolerance,
            "toleranceKind": kind,
        }
    if question.short_text is not None:
        return {"accepted": list(question.short_text.accepted)}
    if question.code is not None:
        return {}
    if question.rubric is not None:
        return {"rubric": [one.model_dump(mode="json", by_alias=True) for one in question.rubric]}
    return returned(question, layout, _right_answer(question))


def _right_answer(question: Question) -> dict[str, Any]:
    match question.type:
        case QuestionType.SINGLE_CHOICE:
            return {"option": (question.correct or [""])[0]}
        case QuestionType.MULTIPLE_CHOICE:
            return {"options": list(question.correct or ())}
        case QuestionType.MATCHING:
            return {"pairs": {pair.key: pair.key for pair in question.pairs or ()}}
        case QuestionType.ORDERING:
            return {"order": [option.key for option in question.options or ()]}
        case _:
            raise TypeError(f"{question.type} has no right answer by keys")


def _translated(
    answer: Answer,
    *,
    option: Callable[[str], str],
    left: Callable[[str], str],
    right: Callable[[str], str],
) -> dict[str, Any]:
    match answer:
        case SingleChoiceAnswer(option=chosen):
            return {"option": option(chosen)}
        case MultipleChoiceAnswer(options=several):
            return {"options": [option(one) for one in several]}
        case MatchingAnswer(pairs=pairs):
            return {"pairs": {left(one): right(other) for one, other in pairs.items()}}
        case OrderingAnswer(order=order):
            return {"order": [option(one) for one in order]}
        case NumericAnswer() | ShortTextAnswer() | EssayAnswer() | CodeAnswer() | FileAnswer():
            return answer.model_dump()
    raise TypeError(f"no translation of a {type(answer).__name__}")


def _lookup(placed: Sequence[Placed], problem: str) -> Callable[[str], str]:
    known = dict(placed)

    def find(id_: str) -> str:
        if id_ not in known:
            raise AnswerMismatch(f"answer: {problem}")
        return known[id_]

    return find


def _swapped(placed: Sequence[Placed]) -> list[Placed]:
    return [(key, id_) for id_, key in placed]


def _disordered(seed: bytes, path: str, keys: list[str]) -> list[str]:
    order = drawing.shuffled(seed, f"{path}/options", keys)
    return order if order != keys else [*order[1:], order[0]]
