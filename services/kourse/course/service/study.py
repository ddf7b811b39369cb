"""Reading and completing lessons: only for those enrolled, only what gates and mastery open."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts import names
from kourse.contracts.errors import NotFound
from kourse.contracts.events import LessonCompleted
from kourse.contracts.resources.meta import Lifecycle
from kourse.course.domain.lifecycle import is_read_only
from kourse.course.domain.markdown import to_html
from kourse.course.domain.study import LessonRef
from kourse.course.errors import (
    ChapterLocked,
    CourseReadOnly,
    EnrolmentSuspended,
    LessonLocked,
    NotEnrolled,
)
from kourse.course.repository import completions, outline, ways
from kourse.course.service import progress
from kourse.course.service.progress import Overview
from kourse.kit.auth import Actor
from kourse.kit.runtime import Runtime
from kourse.kit.storage import MAX_LINK_S


@dataclass(frozen=True)
class Access:
    """A lesson that the learner may study.

    Attributes:
        found: The learner in the course.
        lesson: The lesson.
    """

    found: Overview
    lesson: LessonRef

    @property
    def completed_at(self) -> datetime | None:
        """When it was completed, or None."""
        return self.found.way.made.completed.get(self.lesson.id)

    @property
    def is_begun(self) -> bool:
        """Whether it was read before."""
        return self.lesson.id in self.found.way.made.visited


@dataclass(frozen=True)
class Link:
    """A file of a lesson and how to get it for some minutes."""

    path: str
    title: str | None
    url: str
    size_bytes: int | None


@dataclass(frozen=True)
class Reading:
    """A lesson as it is read.

    Attributes:
        access: What is read.
        practice: Pools and questions that it embeds.
        markdown: Its text.
        html: The same as HTML without scripts.
        files: Its files.
        previous: Key of the lesson before, or None.
        next: Key of the lesson after, or None.
    """

    access: Access
    practice: tuple[Mapping[str, Any], ...]
    markdown: str
    html: str
    files: tuple[Link, ...]
    previous: str | None
    next: str | None


@dataclass(frozen=True)
class Completion:
    """What completing a lesson led to."""

    lesson: str
    completed_at: datetime
    completed: int
    total: int
    course_completed: bool


@dataclass
class Texts:
    """Lessons' texts that are files, by digest; they never change, so the newest used are kept."""

    most: int = 128
    kept: OrderedDict[str, str] = field(default_factory=OrderedDict)

    async def get(self, runtime: Runtime, bucket: str, sha256: str) -> str:
        """The text with this digest."""
        if sha256 not in self.kept:
            data = await runtime.store.get(bucket, names.content_key(sha256))
            self.kept[sha256] = data.decode(errors="replace")
            while len(self.kept) > self.most:
                self.kept.popitem(last=False)
        self.kept.move_to_end(sha256)
        return self.kept[sha256]


async def open_lesson(tx: AsyncSession, learner_id: UUID, course: str, key: str) -> Access:
    """The lesson, when the learner may study it.

    Raises:
        NotFound: There is no such course or lesson.
        NotEnrolled: The learner is not enrolled.
        EnrolmentSuspended: Not any more, or not for now.
        ChapterLocked: Its gate is closed; ``missing`` says in words what opens it.
        LessonLocked: It is for those whose mastery is lower or higher; likewise.
    """
    found = await ways.find(tx, learner_id, course)
    if found is None:
        await outline.get_live(tx, course)
        raise NotEnrolled(f"Enrol in {course!r} first.", extensions={"course": course})
    if found.row.status != "active":
        raise EnrolmentSuspended("Ask your teacher to take you in again.")
    known = await progress.overview_of(tx, found)
    lesson = known.way.content.by_key.get(key)
    if lesson is None:
        raise NotFound(f"The course {course!r} has no lesson {key!r}.")
    _require_open(known, lesson)
    return Access(known, lesson)


async def lacks(tx: AsyncSession, learner_id: UUID, course: str, key: str) -> list[str]:
    """What opens the lesson to the learner, in words; empty when it is open.

    Raises:
        NotFound: There is no such course or lesson.
        NotEnrolled: The learner is not enrolled.
        EnrolmentSuspended: Not any more, or not for now.
    """
    try:
        await open_lesson(tx, learner_id, course, key)
    except (ChapterLocked, LessonLocked) as closed:
        return [str(one) for one in closed.extensions["missing"]]
    return []


def _require_open(found: Overview, lesson: LessonRef) -> None:
    missing = found.way.closed(lesson)
    if not missing:
        return
    error = ChapterLocked if lesson.chapter in found.way.locked else LessonLocked
    raise error(" ".join(missing), extensions={"missing": missing})


async def read_lesson(runtime: Runtime, actor: Actor, course: str, key: str) -> Reading:
    """The lesson's text and files; from now on it counts as begun, and its chapter too.

    Raises:
        KourseError: As ``open_lesson``; Unavailable also when the object store does not answer.
    """
    bucket = names.bucket(runtime.settings.bucket_prefix, actor.tenant, course)
    async with runtime.database.transaction(actor.tenant) as tx:
        access = await open_lesson(tx, actor.user_id, course, key)
        row, lesson = access.found.row, access.lesson
        written = await outline.get_lesson(tx, row.id, row.version, key)
        digests = await outline.asset_digests(tx, row.id, row.version)
        sizes = await outline.asset_sizes(tx, row.id)
    text = written.text
    if text is None:
        text = await _texts(runtime).get(runtime, bucket, written.text_sha256)
    async with runtime.database.transaction(actor.tenant) as tx:
        await completions.record_visit(tx, row.enrolment_id, lesson.id, lesson.chapter)
    links = {path: _link(runtime, bucket, path, sha256) for path, sha256 in digests.items()}
    before, after = _neighbours(access)
    return Reading(
        access=access,
        practice=tuple(written.practice),
        markdown=text,
        html=to_html(text, links),
        files=tuple(
            Link(
                path=entry["path"],
                title=entry.get("title"),
                url=links[entry["path"]],
                size_bytes=sizes.get(entry["sha256"]),
            )
            for entry in written.assets
        ),
        previous=before,
        next=after,
    )


def _texts(runtime: Runtime) -> Texts:
    texts: Texts = runtime.extras.setdefault("texts", Texts())
    return texts


def _link(runtime: Runtime, bucket: str, path: str, sha256: str) -> str:
    filename = path.rsplit("/", 1)[-1]
    key = names.content_key(sha256)
    return runtime.store.presign_get(bucket, key, MAX_LINK_S, filename=filename)


def _neighbours(access: Access) -> tuple[str | None, str | None]:
    """Keys of the lessons before and after, of those that are open by mastery, and the main path."""
    way, here = access.found.way, access.lesson
    keys = [
        one.key
        for one in way.content.lessons
        if one.key == here.key or one.is_main or way.band_of(one) is None
    ]
    at = keys.index(here.key)
    return keys[at - 1] if at else None, keys[at + 1] if at + 1 < len(keys) else None


async def complete_lesson(tx: AsyncSession, learner_id: UUID, course: str, key: str) -> Completion:
    """The lesson is completed, once; repeating changes nothing.

    Raises:
        KourseError: As ``open_lesson``.
        CourseReadOnly: The course is archived.
    """
    access = await _to_complete(tx, learner_id, course, key)
    if access.completed_at is not None:
        return _completion(access, access.found.done)
    # Scores count only with the last lesson, so before it nothing needs to stand still while it is judged.
    if access.found.lacks_lessons({access.lesson.id}) and await _note(tx, access):
        return _completion(access, _done(access))
    await ways.lock(tx, learner_id, course)
    access = await _to_complete(tx, learner_id, course, key)
    if access.completed_at is not None:
        return _completion(access, access.found.done)
    await _note(tx, access)
    completed = await progress.note_completion(tx, access.found, {access.lesson.id})
    return replace(_completion(access, _done(access)), course_completed=completed)


async def _to_complete(tx: AsyncSession, learner_id: UUID, course: str, key: str) -> Access:
    access = await open_lesson(tx, learner_id, course, key)
    row = access.found.row
    if is_read_only(Lifecycle(row.lifecycle), retired=row.retired_at is not None):
        raise CourseReadOnly
    return access


async def _note(tx: AsyncSession, access: Access) -> bool:
    """Whether the lesson is now completed; not if the learner did something else in the meantime."""
    event = _event(access, _done(access))
    return await completions.add_completion(tx, access.found.row, access.lesson, event)


def _done(access: Access) -> int:
    return access.found.done + access.lesson.is_main


def _completion(access: Access, done: int) -> Completion:
    found = access.found
    return Completion(
        lesson=access.lesson.key,
        completed_at=access.completed_at or found.row.now,
        completed=done,
        total=found.total,
        course_completed=found.row.completed_at is not None,
    )


def _event(access: Access, completed: int) -> LessonCompleted:
    row = access.found.row
    return LessonCompleted(
        enrolment_id=row.enrolment_id,
        learner_id=row.learner_id,
        course_id=row.id,
        course=row.name,
        cohort=row.cohort,
        lesson_id=access.lesson.id,
        lesson=access.lesson.key,
        title=access.lesson.title,
        completed=completed,
        total=access.found.total,
    )
