"""Parts that several views share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from kourse.assessment.domain.presentation import ShownQuestion
from kourse.contracts.resources.pool import CodeLanguage, CodeTest, Question, QuestionType
from kourse.kit.http import View
from kourse.rules.code import Judged, Outcome, Trial
from kourse.rules.points import text
from kourse.rules.rubric import Mark

Decimal = Annotated[str, Field(examples=["7.5"])]
"""An exact decimal, or one rounded to six places where there is none."""

GivenPoints = Annotated[
    str,
    StringConstraints(pattern=r"^\d{1,5}(\.\d{1,4})?$"),
    Field(description="Points as a decimal.", examples=["7.5"]),
]
"""Points that a grader gives."""

ANSWERS: list[dict[str, Any]] = [
    {"option": "5f0c6a1e9b3d"},
    {"options": ["5f0c6a1e9b3d", "a81b2c3d4e5f"]},
    {"value": "9.81"},
    {"text": "median"},
    {"pairs": {"5f0c6a1e9b3d": "0a1b2c3d4e5f"}},
    {"order": ["5f0c6a1e9b3d", "a81b2c3d4e5f", "0a1b2c3d4e5f"]},
    {"text": "The median, as two long delays pull the mean up."},
    {"source": "print(sum(map(int, input().split())))"},
    {"files": [{"id": "0192f1c4-5b1a-7c3e-9d52-3f1f6a0c4e11"}]},
]
Answer = Annotated[
    dict[str, Any],
    Field(
        examples=ANSWERS,
        description=(
            "By the question's type: SingleChoice `option`, MultipleChoice `options`, Numeric "
            "`value`, ShortText and Essay `text`, Matching `pairs` (left id to right id), Ordering `order`, "
            "Code `source`, File `files` (ids of confirmed files; digest and version come with them). "
            "Ids are those shown with the question."
        ),
    ),
]


class MarkView(View):
    """What was decided for a criterion of a rubric: a level, or points instead."""

    level: str | None = Field(examples=["clear"])
    points: Decimal | None

    @classmethod
    def of_all(cls, marks: Mapping[str, Mark]) -> dict[str, MarkView]:
        """The views of marks, by criterion."""
        return {
            key: cls(level=one.level, points=None if one.points is None else text(one.points))
            for key, one in marks.items()
        }


class EntryView(View):
    """Something to choose, to match or to put in order."""

    id: str
    text: str


class VisibleTestView(View):
    """A test of which learners see what the program reads and has to write."""

    key: str
    title: str | None
    stdin: str
    expected: str
    weight: int


class CodeView(View):
    """What is asked of a program; hidden tests are told by their number alone."""

    language: CodeLanguage
    starter: str = Field(examples=["total = 0\n"])
    cpu_seconds: int
    memory_mib: int
    tests: list[VisibleTestView]
    hidden_tests: int


class TrialView(View):
    """What a program came to in one test."""

    title: str = Field(examples=["Two whole numbers"])
    hidden: bool
    outcome: Outcome | None = Field(description="Null while the program waits for the judge.")
    weight: int = Field(description="Its part in the points.")
    seconds: float = Field(description="Processor time.")
    stdin: str | None = Field(description="What the program read; null where that is hidden.")
    expected: str | None = Field(description="What it had to write; null where that is hidden.")
    output: str | None = Field(description="What it wrote, cut; null where that is hidden.")
    error: str = Field(description="What the compiler or the program said of its failure, cut.")

    @classmethod
    def of_all(
        cls, question: Question, judged: Judged | None, *, all_seen: bool = False
    ) -> list[TrialView]:
        """The views of a program's tests in their order; none for other questions.

        Args:
            question: The question with its tests.
            judged: What the judge said, or None before it did.
            all_seen: Whether hidden tests are shown too, as they are to graders.
        """
        tests = question.code.tests if question.code else []
        results = judged.results if judged else {}
        return [cls._of(test, results.get(test.key), all_seen=all_seen) for test in tests]

    @classmethod
    def _of(cls, test: CodeTest, trial: Trial | None, *, all_seen: bool) -> TrialView:
        seen = all_seen or not test.hidden
        return cls(
            title=test.title or test.key,
            hidden=test.hidden,
            outcome=trial.outcome if trial else None,
            weight=test.weight,
            seconds=trial.seconds if trial else 0.0,
            stdin=test.stdin if seen else None,
            expected=test.expected if seen else None,
            output=trial.output if trial and not test.hidden else None,
            error=trial.error if trial else "",
        )


class FileRulesView(View):
    """Which files answer a question."""

    extensions: list[str] = Field(
        description="Accepted file name endings; any when empty.", examples=[["pdf", "csv"]]
    )
    max_size_mib: int = Field(description="Most MiB, all files.")
    max_files: int


class QuestionView(View):
    """A question before it is answered."""

    type: QuestionType
    prompt: str
    hint: str | None = None
    unit: str | None = None
    options: list[EntryView]
    lefts: list[EntryView]
    rights: list[EntryView]
    code: CodeView | None = Field(None, description="What is asked of a program, for type Code.")
    file: FileRulesView | None = None

    @classmethod
    def of(cls, question: ShownQuestion) -> QuestionView:
        """The view of a shown question."""
        return cls.model_validate(question)
