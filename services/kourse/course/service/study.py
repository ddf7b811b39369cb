"""Reading and completing lessons: only for those enrolled, only behind open gates."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts import names
from kourse.contracts.errors import NotFound
from kourse.contracts.events import LessonCompleted
from kourse.contracts.resources.meta import Lifecycle
from kourse.course.domain.lifecycle import is_read_only
from kourse.course.domain.markdown import to_html
from kourse.course.domain.study import LessonRef, locked
from kourse.course.errors import ChapterLocked, CourseReadOnly, EnrolmentSuspended, NotEnrolled
from kourse.course.repository import learning, outline
from kourse.course.service import mastery, progress
from kourse.kit.auth import Actor
from kourse.kit.runtime import Runtime
from kourse.kit.storage import MAX_LINK_S


@dataclass(frozen=True)
class Access:
    """A lesson that the learner may study.

    Attributes:
        course: The course with its live version.
        enrolment: The enrolment by which it is studied.
        lesson: The lesson with its text.
        lessons: Every lesson of the version, in order of study.
        completed_at: When it was completed, or None.
    """

    course: Row[Any]
    enrolment: Row[Any]
    lesson: Row[Any]
    lessons: tuple[LessonRef, ...]
    completed_at: datetime | None


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
        markdown: Its text.
        html: The same as HTML without scripts.
        files: Its files.
        previous: Key of the lesson before, or None.
        next: Key of the lesson after, or None.
    """

    access: Access
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


async def open_lesson(
    runtime: Runtime, tenant: str, learner_id: UUID, course: str, key: str
) -> Access:
    """The lesson, when the learner may study it.

    Raises:
        NotFound: There is no such course or lesson.
        NotEnrolled: The learner is not enrolled.
        EnrolmentSuspended: Not any more, or not for now.
        ChapterLocked: Its gate is closed; ``missing`` says in words what opens it.
        Unavailable: A gate asks for mastery and assessment does not answer.
    """
    async with runtime.database.transaction(tenant) as tx:
        access = await _access(tx, learner_id, course, key)
        needs_mastery = not await _is_open(tx, access, reached=None)
    if needs_mastery:
        reached = await mastery.percents(runtime, tenant, learner_id, course)
        async with runtime.database.transaction(tenant) as tx:
            await _is_open(tx, access, reached)
    return access


async def _access(tx: AsyncSession, learner_id: UUID, name: str, key: str) -> Access:
    course = await outline.get_live(tx, name)
    enrolment = await learning.find_enrolment(tx, course.id, learner_id)
    if enrolment is None:
        raise NotEnrolled(f"Enrol in {name!r} first.", extensions={"course": name})
    if enrolment.status != "active":
        raise EnrolmentSuspended("Ask your teacher to take you in again.")
    lesson = await outline.find_lesson(tx, course.id, course.version, key)
    if lesson is None:
        raise NotFound(f"The course {name!r} has no lesson {key!r}.")
    lessons = await progress.lessons_of(tx, course)
    completed = await learning.completions(tx, enrolment.id)
    return Access(course, enrolment, lesson, lessons, completed.get(lesson.id))


async def _is_open(tx: AsyncSession, access: Access, reached: Mapping[str, float] | None) -> bool:
    """True when the lesson's chapter is open; False when only mastery, not ``reached`` yet, can tell.

    Raises:
        ChapterLocked: It is closed.
    """
    gates = await progress.gates_of(tx, access.course)
    gate = next((entry for entry in gates if entry.chapter == access.lesson.chapter), None)
    if gate is None:
        return True
    course, enrolment, lessons = access.course, access.enrolment, access.lessons
    completed = await learning.completions(tx, enrolment.id)
    standing = await progress.standing_of(
        tx, enrolment, course.name, lessons, completed, reached or {}
    )
    begun = await learning.visited_chapters(tx, enrolment.id)
    lacks = locked([gate], standing, begun).get(gate.chapter)
    if lacks is None:
        return True
    if reached is None and gate.asks_mastery:
        return False
    titles = await progress.titles_of(tx, course, lessons, (gate,))
    missing = [titles.sentence(lack) for lack in lacks]
    raise ChapterLocked(" ".join(missing), extensions={"missing": missing})


async def read_lesson(runtime: Runtime, actor: Actor, course: str, key: str) -> Reading:
    """The lesson's text and files; from now on its chapter counts as begun.

    Raises:
        KourseError: As ``open_lesson``; Unavailable also when the object store does not answer.
    """
    access = await open_lesson(runtime, actor.tenant, actor.user_id, course, key)
    lesson = access.lesson
    bucket = names.bucket(runtime.settings.bucket_prefix, actor.tenant, course)
    text = lesson.text
    if text is None:
        text = await _texts(runtime).get(runtime, bucket, lesson.text_sha256)
    async with runtime.database.transaction(actor.tenant) as tx:
        await learning.record_visit(tx, access.enrolment.id, lesson.id, lesson.chapter)
        digests = await outline.asset_digests(tx, access.course.id, access.course.version)
        sizes = await outline.asset_sizes(tx, access.course.id)
    links = {path: _link(runtime, bucket, path, sha256) for path, sha256 in digests.items()}
    before, after = _neighbours(access)
    return Reading(
        access=access,
        markdown=text,
        html=to_html(text, links),
        files=tuple(
            Link(
                path=entry["path"],
                title=entry.get("title"),
                url=links[entry["path"]],
                size_bytes=sizes.get(entry["sha256"]),
            )
            for entry in lesson.assets
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
    keys = [lesson.key for lesson in access.lessons]
    here = keys.index(access.lesson.key)
    before = keys[here - 1] if here else None
    return before, keys[here + 1] if here + 1 < len(keys) else None


async def complete_lesson(runtime: Runtime, actor: Actor, course: str, key: str) -> Completion:
    """The lesson is completed, once; repeating changes nothing.

    Raises:
        KourseError: As ``open_lesson``.
        CourseReadOnly: The course is archived.
    """
    access = await open_lesson(runtime, actor.tenant, actor.user_id, course, key)
    row = access.course
    if is_read_only(Lifecycle(row.lifecycle), retired=row.retired_at is not None):
        raise CourseReadOnly
    async with runtime.database.transaction(actor.tenant) as tx:
        return await _complete(tx, access)


async def _complete(tx: AsyncSession, access: Access) -> Completion:
    # Locked, so that two lessons completed at once count one after the other.
    enrolment = await learning.find_enrolment(
        tx, access.course.id, access.enrolment.learner_id, lock=True
    )
    if enrolment is None or enrolment.status != "active":
        raise EnrolmentSuspended
    course, lesson = access.course, access.lesson
    completed = await learning.completions(tx, enrolment.id)
    done = sum(entry.id in {*completed, lesson.id} for entry in access.lessons)
    course_completed = enrolment.completed_at is not None
    if lesson.id not in completed:
        await learning.record_visit(tx, enrolment.id, lesson.id, lesson.chapter)
        await learning.add_completion(
            tx, enrolment.id, lesson.id, course.version, _completion(access, enrolment, done)
        )
        course_completed = await progress.settle(tx, enrolment.learner_id, course.name)
        completed = await learning.completions(tx, enrolment.id)
    return Completion(lesson.key, completed[lesson.id], done, len(access.lessons), course_completed)


def _completion(access: Access, enrolment: Row[Any], completed: int) -> LessonCompleted:
    return LessonCompleted(
        enrolment_id=enrolment.id,
        learner_id=enrolment.learner_id,
        course_id=access.course.id,
        course=access.course.name,
        cohort=enrolment.cohort,
        lesson_id=access.lesson.id,
        lesson=access.lesson.key,
        title=access.lesson.title,
        completed=completed,
        total=len(access.lessons),
    )
