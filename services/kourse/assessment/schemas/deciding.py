"""What goes in and out where exams are regraded, extended and adapted to single learners."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from kourse.assessment.domain.accommodations import Accommodation
from kourse.assessment.domain.facts import Attempt
from kourse.assessment.domain.regrades import Mode, Regrade, RegradeState
from kourse.assessment.schemas.parts import Decimal
from kourse.assessment.schemas.reviewing import Reason
from kourse.assessment.service.regrading import Change, Wanted
from kourse.contracts.resources.meta import Name
from kourse.kit.http import Body, View
from kourse.rules import points
from kourse.rules.dates import Dates

MOST_MINUTES = 1440
MOST_EXTRA_ATTEMPTS = 20
MOST_EXTRA_HOURS = 8760

Factor = Annotated[
    str,
    StringConstraints(pattern=r"^([1-4](\.\d{1,2})?|5)$"),
    Field(description="The time limit times this, 1 to 5.", examples=["1.25"]),
]


class CorrectionOrder(Body):
    """A question whose key was corrected in its pool, or that is not to count."""

    pool: Name
    question: Name = Field(description="Key of the question.")
    void: bool = Field(
        False, description="Give everybody full points for it; else its newest key counts."
    )

    def wanted(self) -> Wanted:
        """The same for the use cases."""
        return Wanted(self.pool, self.question, self.void)


class RegradeOrder(Body):
    """Which questions to grade again, and whether anybody may lose points by it."""

    corrections: list[CorrectionOrder] = Field(
        min_length=1, max_length=50, description="What was corrected."
    )
    mode: Mode = Field(
        Mode.HIGHER_ONLY,
        description="`HigherOnly` never takes points away; `Replace` grades everybody by the new keys.",
    )
    reason: Reason


class RegradeView(View):
    """A regrade and how far it has come."""

    id: UUID
    mode: Mode
    reason: str = Field(examples=["The key of the question was wrong."])
    state: RegradeState = Field(
        description="`PLANNED` changes nothing yet; `APPLYING` goes through the attempts."
    )
    examined: int = Field(description="Attempts looked at while applying.")
    changed: int = Field(description="Attempts with another score than before.")
    planned_at: datetime
    applied_at: datetime | None

    @classmethod
    def of(cls, one: Regrade) -> RegradeView:
        """The view of a regrade."""
        return cls.model_validate(one)


class ChangeView(View):
    """What a regrade makes of a graded attempt as it is now."""

    attempt: UUID
    learner_id: UUID
    cohort: str | None
    before: Decimal
    after: Decimal = Field(description="Points by the corrected keys.")
    max_points: Decimal
    counts: bool = Field(description="Whether the attempt is given the points `after`.")
    slots: list[int] = Field(description="Questions that are judged otherwise.", examples=[[3]])
    judging: list[int] = Field(
        description="Slots with a program that the judge has yet to run by the corrected tests; look again."
    )
    unmatched: list[int] = Field(
        description="Corrected questions that had other options in this attempt; they stay as they are.",
        examples=[[]],
    )

    @classmethod
    def of(cls, one: Change) -> ChangeView:
        """The view of a change."""
        return cls(
            attempt=one.attempt.id,
            learner_id=one.attempt.learner_id,
            cohort=one.attempt.cohort,
            before=points.text(one.before),
            after=points.text(one.after),
            max_points=str(one.max_points),
            counts=one.counts,
            slots=list(one.slots),
            judging=list(one.judging),
            unmatched=list(one.unmatched),
        )


class ExtensionOrder(Body):
    """More time for whoever runs, or has run out within that time."""

    minutes: int = Field(ge=1, le=MOST_MINUTES, description="How much later attempts end.")
    cohort: Name | None = Field(None, description="Only learners of this cohort.")
    learner: UUID | None = Field(None, description="Only this learner.")


class ExtendedView(View):
    """An attempt that ends later."""

    attempt: UUID
    learner_id: UUID
    deadline_at: datetime | None

    @classmethod
    def of(cls, one: Attempt) -> ExtendedView:
        """The view of an extended attempt."""
        return cls(attempt=one.id, learner_id=one.learner_id, deadline_at=one.deadline_at)


class ExtensionView(View):
    """The attempts that were extended, reopened ones among them."""

    attempts: list[ExtendedView]


class AccommodationOrder(Body):
    """What a learner is granted; what is left out stays as it is for everybody."""

    time_factor: Factor | None = None
    extra_attempts: int | None = Field(
        None, ge=0, le=MOST_EXTRA_ATTEMPTS, description="So many attempts more."
    )
    opens_at: AwareDatetime | None = Field(None, description="When it opens for them.")
    due_at: AwareDatetime | None = Field(None, description="When it is due for them.")
    closes_at: AwareDatetime | None = Field(None, description="When it closes for them.")
    reason: Reason

    def granted(self, course: str, learner_id: UUID, exam_id: UUID | None) -> Accommodation:
        """The same for the use cases."""
        return Accommodation(
            learner_id=learner_id,
            course=course,
            exam_id=exam_id,
            time_factor=None if self.time_factor is None else Fraction(self.time_factor),
            extra_attempts=self.extra_attempts,
            dates=Dates(self.opens_at, self.due_at, self.closes_at),
            reason=self.reason,
        )


class CourseAccommodationOrder(AccommodationOrder):
    """What a learner is granted in a whole course; dates, attempts and factor hold in its exams."""

    extra_hours: int | None = Field(
        None,
        ge=1,
        le=MOST_EXTRA_HOURS,
        description="So many hours later is every assignment of the course due and closed.",
    )

    def granted(self, course: str, learner_id: UUID, exam_id: UUID | None) -> Accommodation:
        """The same for the use cases."""
        return replace(super().granted(course, learner_id, exam_id), extra_hours=self.extra_hours)


class AccommodationView(View):
    """What a learner is granted, in one exam or in all exams of a course."""

    learner_id: UUID
    course: str
    time_factor: Decimal | None = Field(examples=["1.25"])
    extra_attempts: int | None
    extra_hours: int | None = Field(
        description="Hours more for every assignment of the course.", examples=[48]
    )
    opens_at: datetime | None
    due_at: datetime | None
    closes_at: datetime | None
    reason: str = Field(examples=["Extra time by the school's certificate."])

    @classmethod
    def of(cls, one: Accommodation) -> AccommodationView:
        """The view of an accommodation."""
        return cls(
            learner_id=one.learner_id,
            course=one.course,
            time_factor=None if one.time_factor is None else points.text(one.time_factor),
            extra_attempts=one.extra_attempts,
            extra_hours=one.extra_hours,
            opens_at=one.dates.opens_at,
            due_at=one.dates.due_at,
            closes_at=one.dates.closes_at,
            reason=one.reason,
        )
