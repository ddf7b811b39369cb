"""Views of the grade book."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from kourse.assessment.domain.gradebook import (
    Book,
    Entry,
    EntryReason,
    Reasons,
    Section,
    SectionReason,
    Standing,
)
from kourse.assessment.schemas.parts import Decimal
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


class EntryReasonView(GradeEntry):
    """An exam or an assignment with the reason why it counts or not."""

    standing: Standing = Field(description="What became of it in its category.")
    sentence: str = Field(
        description="The same in words.",
        examples=["7 of 10 points are 70 %, by the highest of 2 attempts."],
    )

    @classmethod
    def told(cls, one: EntryReason) -> EntryReasonView:
        """The view of a reason."""
        shown = GradeEntry.of(one.entry).model_dump()
        return cls(**shown, standing=one.standing, sentence=one.sentence)


class SectionReasonView(View):
    """A grade category: what it adds to the total, and what was dropped of it."""

    key: str
    title: str
    weight: int = Field(description="Percent of the course grade, as declared.")
    drop_lowest: int
    percent: Decimal | None
    share: Decimal | None = Field(
        description="Percent of the total that it decides once categories without a score are left out."
    )
    adds: Decimal | None = Field(description="Percentage points of the total that come from it.")
    sentence: str = Field(
        description="The same in words.",
        examples=["The mean of 80 %, 100 % is 90 %; it decides 40 % of the total and adds 36."],
    )
    entries: list[EntryReasonView]

    @classmethod
    def told(cls, one: SectionReason) -> SectionReasonView:
        """The view of a category's reasons."""
        return cls(
            **GradeSection.of(one.section).model_dump(exclude={"entries"}),
            share=None if one.share is None else points.text(one.share),
            adds=None if one.adds is None else points.text(one.adds),
            sentence=one.sentence,
            entries=[EntryReasonView.told(entry) for entry in one.entries],
        )


class GradeReasonsView(View):
    """How a learner's total in a course came about."""

    course: str
    learner_id: UUID
    cohort: str | None
    percent: Decimal | None
    sentence: str = Field(
        description="The total in words.",
        examples=["The total is 84 %: 36 (Assignments) + 48 (Exams)."],
    )
    categories: list[SectionReasonView]

    @classmethod
    def told(cls, found: Reasons) -> GradeReasonsView:
        """The view of the reasons."""
        return cls(
            **GradebookView.of(found.book).model_dump(exclude={"categories"}),
            sentence=found.sentence,
            categories=[SectionReasonView.told(one) for one in found.sections],
        )
