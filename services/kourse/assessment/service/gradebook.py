"""The grade book: a learner's own, and a teacher's of the learners in their scope."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import Course, Enrolment, Exam
from kourse.assessment.repository import content, replicas, scores
from kourse.assessment.repository.scores import ExamScore
from kourse.assessment.service.access import get_membership
from kourse.contracts.errors import NotFound
from kourse.contracts.resources.exam import Counting, Purpose
from kourse.rules import points
from kourse.rules.gradebook import (
    Attempted,
    Category,
    CategoryGrade,
    category_grade,
    counting_attempt,
    course_percent,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An exam in a learner's grade book.

    Attributes:
        counts: Which of several attempts counts.
        graded: How many graded attempts there are to choose from.
        chosen: The score of the attempt that counts, or None while there is none.
        percent: Its exact percentage.
        dropped: Whether it is among the lowest that do not count.
    """

    exam: str
    title: str
    counts: Counting
    graded: int
    chosen: ExamScore | None
    percent: Fraction | None
    dropped: bool


@dataclass(frozen=True, slots=True)
class Section:
    """A grade category with its exams."""

    category: Category
    title: str
    percent: Fraction | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """One learner's grades in one run of a course; exact percentages, None while nothing counts."""

    course: str
    learner_id: UUID
    cohort: str | None
    percent: Fraction | None
    sections: tuple[Section, ...]


async def own_book(tx: AsyncSession, learner_id: UUID, course: str) -> Book:
    """The learner's own grades, from released scores only.

    Raises:
        NotEnrolled: The learner is not enrolled in the course, as far as is known here.
    """
    known, enrolment = await get_membership(tx, learner_id, course)
    (book,) = await _books(tx, known, [enrolment], released_only=True)
    return book


async def list_books(
    tx: AsyncSession,
    course: str,
    *,
    cohorts: Collection[str] | None,
    after: UUID | None,
    limit: int,
) -> list[Book]:
    """Grades of a course's learners for a teacher, withheld scores included, by learner.

    Args:
        tx: The transaction.
        course: The course.
        cohorts: Only learners of these cohorts; everybody when None.
        after: Only learners after this one.
        limit: Most learners.

    Raises:
        NotFound: There is no such course.
    """
    known = await replicas.find_course(tx, course)
    if known is None:
        raise NotFound(f"There is no course {course!r}.")
    enrolments = await replicas.list_course_enrolments(
        tx, course, cohorts=cohorts, after=after, limit=limit
    )
    return await _books(tx, known, enrolments, released_only=False)


async def _books(
    tx: AsyncSession, course: Course, enrolments: Sequence[Enrolment], *, released_only: bool
) -> list[Book]:
    exams = [
        exam
        for exam in await content.list_exams(tx, course.name)
        if not exam.retired and exam.purpose != Purpose.PRACTICE and exam.policy.category
    ]
    learners = [enrolment.learner_id for enrolment in enrolments]
    found = await scores.list_scores(tx, learners, course.name, released_only=released_only)
    by_enrolment: dict[UUID, list[ExamScore]] = {}
    for score in found:
        by_enrolment.setdefault(score.enrolment_id, []).append(score)
    return [_book(course, one, exams, by_enrolment.get(one.id, [])) for one in enrolments]


def _book(
    course: Course, enrolment: Enrolment, exams: Sequence[Exam], found: Sequence[ExamScore]
) -> Book:
    categories = [Category(one.key, one.weight, one.drop_lowest) for one in course.categories]
    titles = {one.key: one.title for one in course.categories}
    sections, grades = [], []
    for category in categories:
        entries = [
            _entry(exam, [score for score in found if score.exam_id == exam.id])
            for exam in exams
            if exam.policy.category == category.key
        ]
        section, grade = _section(category, titles[category.key], entries)
        sections.append(section)
        grades.append(grade)
    percent = course_percent(categories, grades)
    return Book(course.name, enrolment.learner_id, enrolment.cohort, percent, tuple(sections))


def _section(
    category: Category, title: str, entries: Sequence[Entry]
) -> tuple[Section, CategoryGrade]:
    graded = [(at, entry.percent) for at, entry in enumerate(entries) if entry.percent is not None]
    grade = category_grade(category, [percent for _, percent in graded])
    dropped = {graded[position][0] for position in grade.dropped}
    marked = tuple(
        Entry(
            entry.exam,
            entry.title,
            entry.counts,
            entry.graded,
            entry.chosen,
            entry.percent,
            at in dropped,
        )
        for at, entry in enumerate(entries)
    )
    return Section(category, title, grade.percent, marked), grade


def _entry(exam: Exam, found: Sequence[ExamScore]) -> Entry:
    percents = {one.number: _percent(one) for one in found}
    counting = counting_attempt(
        (Attempted(number, percent) for number, percent in percents.items()),
        exam.policy.attempts.counts,
    )
    chosen = next((one for one in found if counting and one.number == counting.number), None)
    return Entry(
        exam=exam.name,
        title=exam.title,
        counts=exam.policy.attempts.counts,
        graded=len(found),
        chosen=chosen,
        percent=None if counting is None else counting.percent,
        dropped=False,
    )


def _percent(one: ExamScore) -> Fraction:
    return points.percent(one.score.points, Fraction(one.score.max_points))
