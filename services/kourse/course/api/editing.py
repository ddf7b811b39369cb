"""Routes for authors: single chapters and lessons of a course, its versions and their lives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from kourse.contracts.errors import Invalid, Malformed
from kourse.contracts.permissions import Permission
from kourse.contracts.resources import CourseSpec
from kourse.contracts.resources.meta import Lifecycle, Name
from kourse.course import authoring, schemas
from kourse.course.api.authors import (
    Author,
    CourseName,
    Publisher,
    require_may_publish,
)
from kourse.course.domain import editing
from kourse.course.service import authors
from kourse.kit.auth import Actor, allow
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit, Page
from kourse.kit.http.etags import IfMatch, digest_of, etag_of
from kourse.kit.runtime import CurrentRuntime, Runtime

router = APIRouter(tags=["authoring"])
ChapterKey = Annotated[Name, Path(description="Key of the chapter.")]
LessonKey = Annotated[Name, Path(description="Key of the lesson.")]
Position = Annotated[
    int | None, Query(ge=0, le=64, description="Place from 0; where it was, or last, if left out.")
]
Stage = Annotated[
    Lifecycle | None,
    Query(description="Where the course stands then; where it stood, if left out."),
]
CHAPTER = "/v1/authoring/courses/{course}/chapters/{chapter}"
LESSON = f"{CHAPTER}/lessons/{{lesson}}"


@router.get("/v1/authoring/courses", summary="Courses that you write")
async def list_authored(
    actor: Annotated[Actor, allow(Permission.COURSE_AUTHOR, scoped=True)],
    tx: Transaction,
    limit: Limit = 20,
    after: After = None,
) -> Page[schemas.AuthoredView]:
    """Courses in service whatever their lifecycle, by name."""
    key = Cursor.decode(after, 1)
    found = await authors.list_authored(tx, actor, str(key[0]) if key else None, limit + 1)
    items, following = Cursor.page(found, limit, key=lambda row: (row.name,))
    return Page(items=[schemas.AuthoredView.model_validate(row) for row in items], next=following)


@router.get("/v1/authoring/courses/{course}/versions", summary="Versions of a course")
async def list_versions(
    actor: Author,  # noqa: ARG001 - being an author of the course is all that it takes
    tx: Transaction,
    course: CourseName,
    limit: Limit = 20,
    after: After = None,
) -> Page[schemas.VersionView]:
    """All versions that there were, newest first."""
    key = Cursor.decode(after, 1)
    if key is not None and not isinstance(key[0], int):
        raise Malformed("`after` is not a cursor of this list.")
    found = await authors.list_versions(tx, course, int(key[0]) if key else None, limit + 1)
    items, following = Cursor.page(found, limit, key=lambda row: (row.number,))
    return Page(items=[schemas.VersionView.model_validate(row) for row in items], next=following)


@router.get("/v1/authoring/courses/{course}/versions/{version}", summary="A version of a course")
async def read_version(
    actor: Author,  # noqa: ARG001 - being an author of the course is all that it takes
    tx: Transaction,
    course: CourseName,
    version: Annotated[int, Path(ge=1, le=2_000_000_000, description="Its number.", examples=[1])],
) -> schemas.VersionDetail:
    """The content of a version, which never changes."""
    return schemas.VersionDetail.model_validate(await authors.get_version(tx, course, version))


@router.get(CHAPTER, summary="Read a chapter")
async def read_chapter_document(
    runtime: CurrentRuntime,
    actor: Author,
    course: CourseName,
    chapter: ChapterKey,
    response: Response,
) -> schemas.ChapterDocument:
    """The chapter as it was declared last; the ETag is that of the whole document."""
    spec = await _read(runtime, actor, course, response)
    return schemas.ChapterDocument.model_validate(editing.find_chapter(spec, chapter).model_dump())


@router.put(CHAPTER, summary="Write a chapter")
async def put_chapter(
    runtime: CurrentRuntime,
    actor: Author,
    course: CourseName,
    chapter: ChapterKey,
    body: schemas.ChapterDocument,
    response: Response,
    position: Position = None,
    lifecycle: Stage = None,
    if_match: IfMatch = None,
) -> schemas.DocumentView:
    """The course has this chapter; the rest of it stays as it is."""
    _require_key(body.key, chapter)

    def change(spec: CourseSpec) -> CourseSpec:
        return editing.with_chapter(editing.at_stage(spec, lifecycle), body, position)

    return await _edit(runtime, actor, course, change, if_match, response)


@router.delete(CHAPTER, summary="Delete a chapter")
async def delete_chapter(
    runtime: CurrentRuntime,
    actor: Author,
    course: CourseName,
    chapter: ChapterKey,
    response: Response,
    lifecycle: Stage = None,
    if_match: IfMatch = None,
) -> schemas.DocumentView:
    """The course has no such chapter any more; what learners did in it stays on record."""

    def change(spec: CourseSpec) -> CourseSpec:
        return editing.without_chapter(editing.at_stage(spec, lifecycle), chapter)

    return await _edit(runtime, actor, course, change, if_match, response)


@router.get(LESSON, summary="Read a lesson's document")
async def read_lesson_document(
    runtime: CurrentRuntime,
    actor: Author,
    course: CourseName,
    chapter: ChapterKey,
    lesson: LessonKey,
    response: Response,
) -> schemas.LessonDocument:
    """The lesson as it was declared last; the ETag is that of the whole document."""
    spec = await _read(runtime, actor, course, response)
    found = editing.find_lesson(spec, chapter, lesson)
    return schemas.LessonDocument.model_validate(found.model_dump())


@router.put(LESSON, summary="Write a lesson")
async def put_lesson(
    runtime: CurrentRuntime,
    actor: Author,
    course: CourseName,
    chapter: ChapterKey,
    lesson: LessonKey,
    body: schemas.LessonDocument,
    response: Response,
    position: Position = None,
    lifecycle: Stage = None,
    if_match: IfMatch = None,
) -> schemas.DocumentView:
    """The chapter has this lesson; the rest of the course stays as it is."""
    _require_key(body.key, lesson)

    def change(spec: CourseSpec) -> CourseSpec:
        return editing.with_lesson(editing.at_stage(spec, lifecycle), chapter, body, position)

    return await _edit(runtime, actor, course, change, if_match, response)


@router.delete(LESSON, summary="Delete a lesson")
async def delete_lesson(
    runtime: CurrentRuntime,
    actor: Author,
    course: CourseName,
    chapter: ChapterKey,
    lesson: LessonKey,
    response: Response,
    lifecycle: Stage = None,
    if_match: IfMatch = None,
) -> schemas.DocumentView:
    """The chapter has no such lesson any more; what learners did in it stays on record."""

    def change(spec: CourseSpec) -> CourseSpec:
        return editing.without_lesson(editing.at_stage(spec, lifecycle), chapter, lesson)

    return await _edit(runtime, actor, course, change, if_match, response)


@router.post("/v1/authoring/courses/{course}/draft", summary="Take a course back to draft")
async def draft_course(
    runtime: CurrentRuntime,
    actor: Author,
    course: CourseName,
    response: Response,
    if_match: IfMatch = None,
) -> schemas.DocumentView:
    """Its current version, which was in review, is a draft again."""
    return await _move(runtime, actor, course, Lifecycle.DRAFT, if_match, response)


@router.post("/v1/authoring/courses/{course}/review", summary="Send a course to review")
async def review_course(
    runtime: CurrentRuntime,
    actor: Author,
    course: CourseName,
    response: Response,
    if_match: IfMatch = None,
) -> schemas.DocumentView:
    """Its current version, a draft, waits for somebody who may publish it."""
    return await _move(runtime, actor, course, Lifecycle.REVIEW, if_match, response)


@router.post("/v1/authoring/courses/{course}/publish", summary="Publish a course")
async def publish_course(
    runtime: CurrentRuntime,
    actor: Publisher,
    course: CourseName,
    response: Response,
    if_match: IfMatch = None,
) -> schemas.DocumentView:
    """Learners get its current version, as soon as all its files are there."""
    return await _move(runtime, actor, course, Lifecycle.PUBLISHED, if_match, response)


@router.post("/v1/authoring/courses/{course}/archive", summary="Archive a course")
async def archive_course(
    runtime: CurrentRuntime,
    actor: Publisher,
    course: CourseName,
    response: Response,
    if_match: IfMatch = None,
) -> schemas.DocumentView:
    """Learners read it and work in it no more."""
    return await _move(runtime, actor, course, Lifecycle.ARCHIVED, if_match, response)


async def _move(
    runtime: Runtime,
    actor: Actor,
    course: str,
    lifecycle: Lifecycle,
    if_match: str | None,
    response: Response,
) -> schemas.DocumentView:
    def change(spec: CourseSpec) -> CourseSpec:
        return editing.at_stage(spec, lifecycle)

    return await _edit(runtime, actor, course, change, if_match, response)


async def _read(runtime: Runtime, actor: Actor, course: str, response: Response) -> CourseSpec:
    found = await authoring.read(runtime.database, actor.tenant, course)
    response.headers["ETag"] = etag_of(found.digest)
    return CourseSpec.model_validate(found.spec)


async def _edit(
    runtime: Runtime,
    actor: Actor,
    course: str,
    change: Callable[[CourseSpec], CourseSpec],
    if_match: str | None,
    response: Response,
) -> schemas.DocumentView:
    def allowed(spec: CourseSpec) -> CourseSpec:
        changed = change(spec)
        require_may_publish(actor, course, changed)
        return changed

    edited = await authoring.edit(
        runtime.database,
        actor.tenant,
        course,
        allowed,
        actor=actor.user_id,
        seen=digest_of(if_match),
    )
    response.headers["ETag"] = etag_of(edited.digest)
    return schemas.DocumentView.model_validate(edited.result)


def _require_key(key: str, path: str) -> None:
    if key != path:
        raise Invalid(f"The key in the body is {key!r} and the address says {path!r}.")
