"""Dates as a course or exam declares them, for those who tell the dates of one learner from them."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, Field

from kourse.contracts.resources.meta import Window


class DeclaredMoment(BaseModel):
    """A point in time: a wall-clock time, or a day of the learner's run."""

    at: Annotated[
        str | None,
        Field(
            description="Wall-clock time in the course's time zone, or an instant with an offset.",
            examples=["2027-03-01T17:00"],
        ),
    ] = None
    day: Annotated[
        int | None, Field(description="Whole days after the day the run starts.", examples=[14])
    ] = None
    time: Annotated[
        str | None, Field(description="Time of that day; null: 23:59.", examples=["17:00"])
    ] = None


class DeclaredDates(BaseModel):
    """When something opens, is due and closes, as declared; each may be left out."""

    opens: Annotated[DeclaredMoment | None, Field(description="Not visible before.")] = None
    due: Annotated[DeclaredMoment | None, Field(description="Full credit until here.")] = None
    closes: Annotated[DeclaredMoment | None, Field(description="Nothing is taken after.")] = None

    @classmethod
    def of(cls, window: Window) -> Self:
        """The dates of a resource's window."""
        return cls.model_validate(window.model_dump())

    def window(self) -> Window:
        """The window that they stand for, from which ``rules.dates`` tells instants.

        Raises:
            ValueError: A moment is written as no resource could have it.
        """
        return Window.model_validate(self.model_dump())


Declared = Annotated[
    DeclaredDates,
    Field(description="Its dates as declared, from which those of each learner's run follow."),
]


class LabelDates(BaseModel):
    """Dates for enrolments that carry a label, as declared."""

    label: Annotated[str, Field(description="The label.", examples=["extra-time"])]
    dates: Declared


Overrides = Annotated[
    list[LabelDates], Field(description="Dates of those who carry a label; later ones win.")
]
