"""Parts that several views share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from kourse.assessment.domain.presentation import ShownQuestion
from kourse.contracts.resources.pool import QuestionType
from kourse.kit.http import View
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
]
Answer = Annotated[
    dict[str, Any],
    Field(
        examples=ANSWERS,
        description=(
            "By the question's type: SingleChoice `option`, MultipleChoice `options`, Numeric "
            "`value`, ShortText and Essay `text`, Matching `pairs` (left id to right id), Ordering `order`. "
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


class QuestionView(View):
    """A question before it is answered."""

    type: QuestionType
    prompt: str
    hint: str | None = None
    unit: str | None = None
    options: list[EntryView]
    lefts: list[EntryView]
    rights: list[EntryView]

    @classmethod
    def of(cls, question: ShownQuestion) -> QuestionView:
        """The view of a shown question."""
        return cls.model_validate(question)
