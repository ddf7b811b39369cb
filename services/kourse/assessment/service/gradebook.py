"""The grade book: a learner's own, and a teacher's of the learners in their scope."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import Course, Enrolment, Exam
from kourse.assessment.domain.gradables import Assignment, Gradable, Run
from kourse.assessment.domain.gradebook import Book, Chosen, Entry, Section, sheet_head, sheet_row
from kourse.assessment.repository import content, gradables, replicas, scores
from kourse.assessment.repository.scores import ExamScore
from kourse.assessment.service.access import get_membership
from kourse.contracts.errors import NotFound
from kourse.contracts.resources.exam import Counting, Purpose
from kourse.kit import spreadsheets
from kourse.kit.db import Database
from kourse.rules import points
from kourse.rules.gradebook import (
    Attempted,
    Category,
    CategoryGrade,
    category_grade,
    counting_attempt,
    course_percent,
)

EXPORT_PAGE = 200
"""Learners in one read of an export."""


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
    known = await _course(tx, course)
    enrolments = await replicas.list_course_enrolments(
        tx, course, cohorts=cohorts, after=after, limit=limit
    )
    return await _books(tx, known, enrolments, released_only=False)


async def columns(tx: AsyncSession, course: str) -> Sequence[Section]:
    """The categories of a course with what counts in them, nobody's scores in them.

    Raises:
        NotFound: There is no such course.
    """
    known = await _course(tx, course)
    exams, works = await _counted(tx, course)
    return _sections(known, _entries(exams, works, (), {}))


async def export(
    database: Database,
    tenant: str,
    course: str,
    sections: Sequence[Section],
    cohorts: Collection[str] | None,
) -> AsyncIterator[bytes]:
    """Grades of a course's learners as CSV, withheld scores included, by learner.

    Learners are read page by page, so the memory it needs does not grow with the course.

    Args:
        database: Where pages are read.
        tenant: The tenant.
        course: The course.
        sections: What stands in columns, as ``columns`` tells.
        cohorts: Only learners of these cohorts; everybody when None.
    """
    yield spreadsheets.row(sheet_head(sections))
    after = None
    while True:
        async with database.transaction(tenant) as tx:
            books = await list_books(tx, course, cohorts=cohorts, after=after, limit=EXPORT_PAGE)
        for book in books:
            yield spreadsheets.row(sheet_row(sections, book))
        if len(books) < EXPORT_PAGE:
            return
        after = books[-1].learner_id


async def _course(tx: AsyncSession, name: str) -> Course:
    known = await replicas.find_course(tx, name)
    if known is None:
        raise NotFound(f"There is no course {name!r}.")
    return known


async def _counted(tx: AsyncSession, course: str) -> tuple[list[Exam], list[Assignment]]:
    """What has a place in the grade book."""
    exams = [
        exam
        for exam in await content.list_exams(tx, course)
        if not exam.retired and exam.purpose != Purpose.PRACTICE and exam.policy.category
    ]
    return exams, await gradables.list_assignments(tx, course)


async def _books(
    tx: AsyncSession, course: Course, enrolments: Sequence[Enrolment], *, released_only: bool
) -> list[Book]:
    exams, works = await _counted(tx, course.name)
    learners = [enrolment.learner_id for enrolment in enrolments]
    found = await scores.list_scores(tx, learners, course.name, released_only=released_only)
    by_enrolment: dict[UUID, list[ExamScore]] = {}
    for score in found:
        by_enrolment.setdefault(score.enrolment_id, []).append(score)
    handed_in: dict[UUID, dict[str, tuple[Gradable, Run]]] = {}
    ids = [enrolment.id for enrolment in enrolments]
    for enrolment_id, of, run in await gradables.list_scores(
        tx, ids, course.name, released_only=released_only
    ):
        handed_in.setdefault(enrolment_id, {})[of.assignment] = (of, run)
    return [
        _book(
            course,
            one,
            _entries(exams, works, by_enrolment.get(one.id, ()), handed_in.get(one.id, {})),
        )
        for one in enrolments
    ]


def _entries(
    exams: Sequence[Exam],
    works: Sequence[Assignment],
    of_learner: Sequence[ExamScore],
    handed_in: Mapping[str, tuple[Gradable, Run]],
) -> list[tuple[str | None, Entry]]:
    """Everything that counts, each with its category."""
    return [(exam.policy.category, _of_exam(exam, of_learner)) for exam in exams] + [
        (work.category, _of_assignment(work, handed_in.get(work.key))) for work in works
    ]


def _book(
    course: Course, enrolment: Enrolment, entries: Sequence[tuple[str | None, Entry]]
) -> Book:
    sections = _sections(course, entries)
    categories = [one.category for one in sections]
    grades = [CategoryGrade(one.category.key, one.percent, frozenset()) for one in sections]
    percent = course_percent(categories, grades)
    return Book(course.name, enrolment.learner_id, enrolment.cohort, percent, sections)


def _sections(course: Course, entries: Sequence[tuple[str | None, Entry]]) -> tuple[Section, ...]:
    return tuple(
        _section(
            Category(one.key, one.weight, one.drop_lowest),
            one.title,
            [entry for key, entry in entries if key == one.key],
        )
        for one in course.categories
    )


def _section(category: Category, title: str, entries: Sequence[Entry]) -> Section:
    graded = [(at, entry.percent) for at, entry in enumerate(entries) if entry.percent is not None]
    grade = category_grade(category, [percent for _, percent in graded])
    dropped = {graded[position][0] for position in grade.dropped}
    marked = tuple(replace(entry, dropped=at in dropped) for at, entry in enumerate(entries))
    return Section(category, title, grade.percent, marked)


def _of_exam(exam: Exam, of_learner: Sequence[ExamScore]) -> Entry:
    found = [one for one in of_learner if one.exam_id == exam.id]
    percents = {one.number: _percent(one) for one in found}
    counting = counting_attempt(
        (Attempted(number, percent) for number, percent in percents.items()),
        exam.policy.attempts.counts,
    )
    chosen = next((one for one in found if counting and one.number == counting.number), None)
    return Entry(
        exam=exam.name,
        assignment=None,
        title=exam.title,
        counts=exam.policy.attempts.counts,
        graded=len(found),
        chosen=None if chosen is None else _attempt(chosen),
    )


def _attempt(one: ExamScore) -> Chosen:
    score = one.score
    return Chosen(
        id=score.attempt_id,
        points=score.points,
        max_points=score.max_points,
        deduction=Fraction(0),
        passed=score.passed,
        released=score.released_at is not None,
    )


def _of_assignment(work: Assignment, found: tuple[Gradable, Run] | None) -> Entry:
    chosen = None
    if found is not None:
        of, run = found
        chosen = Chosen(
            id=of.submission_id,
            points=run.points,
            max_points=run.max_points,
            deduction=run.outcome.deduction if run.override is None else Fraction(0),
            passed=None,
            released=run.run <= of.released_run,
        )
    return Entry(
        exam=None,
        assignment=work.key,
        title=work.title,
        counts=Counting.LATEST,
        graded=0 if chosen is None else 1,
        chosen=chosen,
    )


def _percent(one: ExamScore) -> Fraction:
    return points.percent(one.score.points, Fraction(one.score.max_points))
