"""What one learner is granted beyond everybody else, in all exams of a course or in one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from uuid import UUID

from kourse.rules.dates import Dates, Layer, Source
from kourse.rules.timing import NO_ACCOMMODATION


@dataclass(frozen=True, slots=True)
class Accommodation:
    """A grant; what is None is left as it is.

    Attributes:
        exam_id: The exam, or None for all exams of the course.
        time_factor: Time limit times this, from 1; 5/4 is a quarter more.
        extra_attempts: So many attempts more.
        dates: The learner's own window.
        extra_hours: All assignments of the course are due and close so much later; not for one exam.
        reason: Why, for those who grant.
    """

    learner_id: UUID
    course: str
    exam_id: UUID | None
    time_factor: Fraction | None
    extra_attempts: int | None
    dates: Dates
    reason: str
    extra_hours: int | None = None

    def gives_as(self, other: Accommodation) -> bool:
        """Whether both give the same, whatever the reason."""
        return replace(self, reason="") == replace(other, reason="")


@dataclass(frozen=True, slots=True)
class Granted:
    """What a learner is granted in one exam.

    Attributes:
        time_factor: At least 1.
        extra_attempts: From 0.
        layers: Their own windows, weakest first.
    """

    time_factor: Fraction = NO_ACCOMMODATION
    extra_attempts: int = 0
    layers: tuple[Layer, ...] = ()


def granted(exam_id: UUID, given: Sequence[Accommodation]) -> Granted:
    """What these grants of one learner come to in an exam; the exam's own win field by field."""
    broad = [one for one in given if one.exam_id is None]
    narrow = [one for one in given if one.exam_id == exam_id]
    factor, extra = NO_ACCOMMODATION, 0
    layers = []
    for source, ones in ((Source.ACCOMMODATION, broad), (Source.PERSONAL, narrow)):
        for one in ones:
            factor = one.time_factor if one.time_factor is not None else factor
            extra = one.extra_attempts if one.extra_attempts is not None else extra
            layers.append(Layer(source, one.dates))
    return Granted(factor, extra, tuple(layers))
