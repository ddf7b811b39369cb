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
    """An exam in the grade book."""

    exam: str
    title: str
    counts: Counting = Field(description="Which of several graded attempts counts.")
    graded: int = Field(description="Graded attempts to choose from.")
    attempt: UUID | None
    points: Decimal | None
    max_points: Decimal | None
    percent: Decimal | None
    passed: bool | None
    released: bool
    dropped: bool = Field(description="Whether it is among the lowest that do not count.")

    @classmethod
    def of(cls, entry: Entry) -> GradeEntry:
        """The view of an entry."""
        score = entry.chosen.score if entry.chosen else None
        return cls(
            exam=entry.exam,
            title=entry.title,
            counts=entry.counts,
            graded=entry.graded,
            attempt=score.attempt_id if score else None,
            points=points.text(score.points) if score else None,
            max_points=str(score.max_points) if score else None,
            percent=None if entry.percent is None else points.text(entry.percent),
            passed=score.passed if score else None,
            released=score is not None and score.released_at is not None,
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
