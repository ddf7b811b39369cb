"""Views of the grade book."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from kourse.assessment.schemas.parts import Decimal
from kourse.assessment.service.gradebook import Book, Entry, Section
from kourse.contracts.resources.exam import Counting
from kourse.kit.http import View
from kourse.rules import points


class GradeEntry(View):
    """An exam or an assignment in the grade book."""

    exam: str | None = Field(description="Name of the exam; null where it is an assignment.")
    assignment: str | None = Field(description="Key of the assignment; null where it is an exam.")
    title: str
    counts: Counting = Field(description="Which of several attempts or hand-ins counts.")
    graded: int = Field(description="Graded ones to choose from.")
    attempt: UUID | None
    submission_id: UUID | None
    points: Decimal | None
    max_points: Decimal | None
    deduction: Decimal | None = Field(description="Points that lateness took; in `points` already.")
    percent: Decimal | None
    passed: bool | None
    released: bool
    dropped: bool = Field(description="Whether it is among the lowest that do not count.")

    @classmethod
    def of(cls, entry: Entry) -> GradeEntry:
        """The view of an entry."""
        chosen = entry.chosen
        return cls(
            exam=entry.exam,
            assignment=entry.assignment,
            title=entry.title,
            counts=entry.counts,
            graded=entry.graded,
            attempt=chosen.id if chosen and entry.exam else None,
            submission_id=chosen.id if chosen and entry.assignment else None,
            points=points.text(chosen.points) if chosen else None,
            max_points=str(chosen.max_points) if chosen else None,
            deduction=points.text(chosen.deduction) if chosen else None,
            percent=None if entry.percent is None else points.text(entry.percent),
            passed=chosen.passed if chosen else None,
            released=chosen is not None and chosen.released,
            dropped=entry.dropped,
        )


class GradeSection(View):
    """A grade category: the mean of its percentages that count."""

    key: str
    title: str
    weight: int = Field(description="Percent of the course grade.")
    drop_lowest: int
    percent: Decimal | None
    entries: list[GradeEntry]

    @classmethod
    def of(cls, section: Section) -> GradeSection:
        """The view of a section."""
        return cls(
            key=section.category.key,
            title=section.title,
            weight=section.category.weight,
            drop_lowest=section.category.drop_lowest,
            percent=None if section.percent is None else points.text(section.percent),
            entries=[GradeEntry.of(entry) for entry in section.entries],
        )


class GradebookView(View):
    """A learner's grades in a course."""

    course: str
    learner_id: UUID
    cohort: str | None
    percent: Decimal | None = Field(
        description="Weighted mean of the categories that have a score; null before the first."
    )
    categories: list[GradeSection]

    @classmethod
    def of(cls, book: Book) -> GradebookView:
        """The view of a grade book."""
        return cls(
            course=book.course,
            learner_id=book.learner_id,
            cohort=book.cohort,
            percent=None if book.percent is None else points.text(book.percent),
            categories=[GradeSection.of(section) for section in book.sections],
        )
