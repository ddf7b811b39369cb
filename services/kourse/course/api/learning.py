"""Routes for learners: the catalogue, enrolment, lessons, progress and assignments."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response

from kourse.contracts.errors import Malformed
from kourse.contracts.permissions import Permission
from kourse.contracts.resources.course import Level
from kourse.contracts.resources.meta import LanguageTag, Name
from kourse.course import schemas
from kourse.course.api import views
from kourse.course.service import assignments, catalogue, enrolments, progress, study
from kourse.kit.auth import Actor, allow
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit, Page
from kourse.kit.idempotency import IdempotencyKey, idempotency
from kourse.kit.runtime import CurrentRuntime

router = APIRouter(tags=["courses"])
CourseName = Annotated[str, Path(max_length=63, description="Name of the course.")]
LessonKey = Annotated[str, Path(max_length=63, description="Key of the lesson.")]
Reader = Annotated[Actor, allow(Permission.CATALOGUE_READ)]
Student = Annotated[Actor, allow(Permission.COURSE_STUDY)]


async def _filters(
    tag: Annotated[Name | None, Query(description="A tag that the course has.")] = None,
    level: Annotated[Level | None, Query(description="How much to know already.")] = None,
    language: Annotated[LanguageTag | None, Query(description="Language of the course.")] = None,
) -> catalogue.Filters:
    return catalogue.Filters(tag, level, language)


@router.get("/v1/courses", summary="The catalogue")
async def list_courses(
    actor: Reader,  # noqa: ARG001 - membership is all that it takes
    tx: Transaction,
    filters: Annotated[catalogue.Filters, Depends(_filters)],
    q: Annotated[
        str | None,
        Query(
            max_length=200,
            description="Words, or beginnings of words; mistyped ones are found as well.",
            examples=["statist"],
        ),
    ] = None,
    limit: Limit = 20,
    after: After = None,
) -> Page[schemas.CourseCard]:
    """Courses that everybody in the tenant finds: by name, or with ``q`` those that fit best first."""
    if q is None:
        key = Cursor.decode(after, 1)
        start = str(key[0]) if key else None
        found = await catalogue.list_courses(tx, filters, start, limit + 1)
        items, following = Cursor.page(found, limit, key=lambda row: (row.name,))
    else:
        rank = _rank(after)
        found = await catalogue.search(tx, q, filters, rank, limit + 1)
        items, following = Cursor.page(found, limit, key=lambda row: (row.rank, row.name))
    return Page(items=[views.card(row) for row in items], next=following)


def _rank(after: str | None) -> tuple[float, str] | None:
    key = Cursor.decode(after, 2)
    if key is not None and not isinstance(key[0], float | int):
        raise Malformed("`after` is not a cursor of this list.")
    return (float(key[0]), str(key[1])) if key else None


@router.get("/v1/courses/{course}", summary="A course and its outline")
async def read_course(actor: Reader, tx: Transaction, course: CourseName) -> schemas.CourseView:
    """Chapters and lessons of the version that learners have; unlisted courses too, by name."""
    return views.course(await catalogue.read_course(tx, course, actor.user_id))


@router.post(
    "/v1/courses/{course}/enrolments",
    status_code=201,
    summary="Enrol",
    responses={200: {"description": "You were enrolled already."}},
)
async def enrol(
    actor: Annotated[Actor, allow(Permission.COURSE_ENROL)],
    tx: Transaction,
    key: Annotated[IdempotencyKey, idempotency(required=True)],
    response: Response,
    course: CourseName,
) -> schemas.EnrolmentView:
    """You study the course from now on, when it is open to everybody."""
    made = await enrolments.enrol(tx, actor.user_id, course)
    response.status_code = 201 if made.is_new else 200
    view = views.enrolment(made.row, course, made.title)
    return await key.remember(tx, response.status_code, view)


@router.get("/v1/enrolments", summary="Your enrolments")
async def list_enrolments(
    actor: Student, tx: Transaction, limit: Limit = 20, after: After = None
) -> Page[schemas.EnrolmentView]:
    """The courses that you study or studied, the newest enrolment first."""
    found = await enrolments.list_own(tx, actor.user_id, _enrolment(after), limit + 1)
    items, following = Cursor.page(found, limit, key=lambda row: (row.id,))
    return Page(
        items=[views.enrolment(row, row.course, row.title) for row in items], next=following
    )


def _enrolment(after: str | None) -> UUID | None:
    key = Cursor.decode(after, 1)
    try:
        return UUID(str(key[0])) if key else None
    except ValueError:
        raise Malformed("`after` is not a cursor of this list.") from None


@router.get("/v1/courses/{course}/lessons/{lesson}", summary="Read a lesson")
async def read_lesson(
    runtime: CurrentRuntime, actor: Student, course: CourseName, lesson: LessonKey
) -> schemas.LessonView:
    """Text and files of a lesson that is open to you; it and its chapter are never locked again."""
    return views.lesson(await study.read_lesson(runtime, actor, course, lesson))


@router.post("/v1/courses/{course}/lessons/{lesson}/completion", summary="Complete a lesson")
async def complete_lesson(
    actor: Student,
    tx: Transaction,
    key: Annotated[IdempotencyKey, idempotency()],
    course: CourseName,
    lesson: LessonKey,
) -> schemas.CompletionView:
    """The lesson counts as completed; repeating it changes nothing."""
    done = await study.complete_lesson(tx, actor.user_id, course, lesson)
    return await key.remember(tx, 200, schemas.CompletionView.model_validate(done))


@router.get("/v1/courses/{course}/progress", summary="Your progress in a course")
async def read_progress(
    actor: Student, tx: Transaction, course: CourseName
) -> schemas.ProgressView:
    """What is done, what is open, what would open the rest, and what comes next and why."""
    return views.progress(await progress.overview(tx, actor.user_id, course))


@router.get("/v1/courses/{course}/assignments", summary="Your assignments in a course")
async def list_assignments(
    actor: Student, tx: Transaction, course: CourseName
) -> list[schemas.AssignmentView]:
    """Those that have opened, with the dates that hold for you."""
    return [
        views.assignment(work) for work in await assignments.list_work(tx, actor.user_id, course)
    ]
