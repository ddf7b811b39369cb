"""The grade book: a learner's own, and a teacher's of the learners in their scope."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import Course, Enrolment, Exam
from kourse.assessment.domain.gradables import Assignment, Gradable, Run
from kourse.assessment.repository import content, gradables, replicas, scores
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
class Chosen:
    """The attempt or hand-in that counts; points are exact.

    Attributes:
        id: The attempt, or the submission.
        deduction: Points that lateness took; 0 for exams.
        passed: Whether an exam's pass mark was reached; None for assignments.
        released: Whether the learner sees it.
    """

    id: UUID
    points: Fraction
    max_points: int
    deduction: Fraction
    passed: bool | None
    released: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """An exam or an assignment in a learner's grade book.

    Attributes:
        exam: Name of the exam; None where it is an assignment.
        assignment: Key of the assignment; None where it is an exam.
        counts: Which of several attempts or hand-ins counts.
        graded: How many graded ones there are to choose from.
        chosen: What counts, or None while there is nothing.
        dropped: Whether it is among the lowest that do not count.
    """

    exam: str | None
    assignment: str | None
    title: str
    counts: Counting
    graded: int
    chosen: Chosen | None
    dropped: bool = False

    @property
    def percent(self) -> Fraction | None:
        """The exact percentage of what counts, or None while there is nothing."""
        if self.chosen is None:
            return None
        return points.percent(self.chosen.points, Fraction(self.chosen.max_points))


@dataclass(frozen=True, slots=True)
class Section:
    """A grade category with its exams and assignments."""

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
    works = await gradables.list_assignments(tx, course.name)
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
            [(exam.policy.category, _of_exam(exam, by_enrolment.get(one.id, []))) for exam in exams]
            + [
                (work.category, _of_assignment(work, handed_in.get(one.id, {}).get(work.key)))
                for work in works
            ],
        )
        for one in enrolments
    ]


def _book(
    course: Course, enrolment: Enrolment, entries: Sequence[tuple[str | None, Entry]]
) -> Book:
    categories = [Category(one.key, one.weight, one.drop_lowest) for one in course.categories]
    titles = {one.key: one.title for one in course.categories}
    sections, grades = [], []
    for category in categories:
        of_category = [entry for key, entry in entries if key == category.key]
        section, grade = _section(category, titles[category.key], of_category)
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
    marked = tuple(replace(entry, dropped=at in dropped) for at, entry in enumerate(entries))
    return Section(category, title, grade.percent, marked), grade


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
