"""What must hold in a pool or an exam beyond the shape of its fields.

The API server checks part of this with CEL; documents that come by REST meet it here only. Each check
yields sentences that begin with the field's path.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from kourse.contracts.resources.exam import Draw, ExamConfigSpec, Purpose
from kourse.contracts.resources.meta import Moment, Window
from kourse.contracts.resources.pool import PartialCredit, Question, QuestionPoolSpec, QuestionType
from kourse.rules import dates
from kourse.rules.dates import Frame
from kourse.rules.grading import REVIEWED
from kourse.rules.rubric import most

CHOICES = frozenset({QuestionType.SINGLE_CHOICE, QuestionType.MULTIPLE_CHOICE})
MIN_CHOICES = 2
MIN_PAIRS = 2
MIN_ENTRIES = 3


def pool_problems(spec: QuestionPoolSpec) -> Iterator[str]:
    """What is wrong with a pool, a sentence for each problem."""
    yield from _repeated("questions", [question.key for question in spec.questions])
    for question in spec.questions:
        for problem in _question_problems(question):
            yield f"questions/{question.key}: {problem}"


def exam_problems(spec: ExamConfigSpec, frame: Frame) -> Iterator[str]:
    """What is wrong with an exam, a sentence for each problem.

    Args:
        spec: The exam.
        frame: The course's time zone, in which its wall-clock times are read.

    Raises:
        InvalidDates: A date does not exist, or a window ends before it begins.
    """
    yield from _repeated("zones", [zone.key for zone in spec.zones])
    yield from _repeated("overrides", [override.label for override in spec.overrides])
    if spec.purpose is not Purpose.PRACTICE and spec.category is None:
        yield "category: a quiz or an exam needs the key of a grade category"
    for zone in spec.zones:
        for index, draw in enumerate(zone.draws):
            for problem in _draw_problems(draw):
                yield f"zones/{zone.key}/draws/{index}: {problem}"
    yield from _window_problems("dates", spec.dates, frame)
    for override in spec.overrides:
        if override.dates is not None:
            where = f"overrides/{override.label}/dates"
            yield from _window_problems(where, override.dates, frame)


def _draw_problems(draw: Draw) -> Iterator[str]:
    if bool(draw.pools) == (draw.pool_label is not None):
        yield "name the pools to draw from in 'pools' or by 'poolLabel', not both"
    if draw.min_difficulty > draw.max_difficulty:
        yield "'minDifficulty' must not exceed 'maxDifficulty'"


def _window_problems(where: str, window: Window, frame: Frame) -> Iterator[str]:
    for name in ("opens", "due", "closes"):
        moment: Moment | None = getattr(window, name)
        if moment is None:
            continue
        if (moment.at is None) == (moment.day is None):
            yield f"{where}/{name}: give either 'at' or 'day', not both"
        if moment.time is not None and moment.day is None:
            yield f"{where}/{name}: 'time' goes with 'day'"
    dates.dates_of(window, frame)


def _question_problems(question: Question) -> Iterator[str]:
    options = [option.key for option in question.options or ()]
    yield from _repeated("options", options)
    yield from _repeated("options", [option.text for option in question.options or ()], "text")
    yield from _repeated("pairs", [pair.key for pair in question.pairs or ()])
    yield from _misplaced(question)
    yield from _rubric_problems(question)
    if question.type in CHOICES:
        yield from _choice_problems(question, options)
    elif question.correct is not None:
        yield "'correct' goes with choice questions only"
    if question.type is QuestionType.ORDERING and len(options) < MIN_ENTRIES:
        yield "an Ordering question needs at least three 'options' in the right order"
    if question.type is QuestionType.MATCHING and len(question.pairs or ()) < MIN_PAIRS:
        yield "a Matching question needs at least two 'pairs'"
    if question.numeric and Fraction(question.numeric.tolerance) < 0:
        yield "numeric/tolerance must not be negative"
    if question.code is not None:
        yield from _repeated("code/tests", [test.key for test in question.code.tests])
    if question.short_text and not all(text.strip() for text in question.short_text.accepted):
        yield "shortText/accepted must not hold an empty text"


def _misplaced(question: Question) -> Iterator[str]:
    """Answer fields that the type does not have, or lacks."""
    if (question.type is QuestionType.NUMERIC) != (question.numeric is not None):
        yield "'numeric' goes with type Numeric, and only there"
    if (question.type is QuestionType.SHORT_TEXT) != (question.short_text is not None):
        yield "'shortText' goes with type ShortText, and only there"
    if (question.type is QuestionType.CODE) != (question.code is not None):
        yield "'code' goes with type Code, and only there"
    if question.type is not QuestionType.MATCHING and question.pairs:
        yield "'pairs' goes with type Matching only"
    if (question.type in REVIEWED) != bool(question.rubric):
        yield "'rubric' goes with types Essay and File, and only there"
    if (question.type is QuestionType.FILE) != (question.file is not None):
        yield "'file' goes with type File, and only there"
    if question.options and question.type not in CHOICES | {QuestionType.ORDERING}:
        yield "'options' goes with choice and ordering questions only"
    graded_whole = {
        QuestionType.SINGLE_CHOICE,
        QuestionType.NUMERIC,
        QuestionType.SHORT_TEXT,
        *REVIEWED,
    }
    if question.partial_credit is PartialCredit.PROPORTIONAL and question.type in graded_whole:
        yield f"a {question.type} question has no partial credit by rule; leave out 'partialCredit'"


def _rubric_problems(question: Question) -> Iterator[str]:
    rubric = question.rubric or []
    yield from _repeated("rubric", [criterion.key for criterion in rubric])
    for criterion in rubric:
        where = f"rubric/{criterion.key}/levels"
        yield from _repeated(where, [level.key for level in criterion.levels])
    if rubric and not any(most(criterion) for criterion in rubric):
        yield "rubric: at least one level must be worth points"


def _choice_problems(question: Question, options: Sequence[str]) -> Iterator[str]:
    if len(options) < MIN_CHOICES or question.correct is None:
        yield "a choice question needs at least two 'options' and the right ones in 'correct'"
        return
    yield from _repeated("correct", question.correct)
    for key in question.correct:
        if key not in options:
            yield f"'correct' names {key!r}, which is no option"
    if question.type is QuestionType.SINGLE_CHOICE and len(question.correct) != 1:
        yield "a SingleChoice question has exactly one key in 'correct'"


def _repeated(where: str, values: Iterable[str], what: str = "key") -> Iterator[str]:
    for value, count in Counter(values).items():
        if count > 1:
            yield f"{where}: the {what} {value!r} stands there {count} times"
