"""Makes the answers of the course API from what the use cases give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kourse.contracts.resources.meta import Lifecycle
from kourse.course import schemas
from kourse.course.domain.lifecycle import is_read_only
from kourse.course.domain.markdown import to_html
from kourse.course.domain.study import Chapter, LessonRef
from kourse.course.domain.way import Next, Way
from kourse.course.service.assets import Wanted
from kourse.course.service.assignments import Work
from kourse.course.service.catalogue import Outline
from kourse.course.service.progress import Overview
from kourse.course.service.study import Reading


def card(row: Any) -> schemas.CourseCard:
    """A course in the catalogue."""
    return schemas.CourseCard(**_card(row), lessons=row.lessons, minutes=row.minutes)


def _card(row: Any) -> dict[str, Any]:
    return {
        "name": row.name,
        "title": row.title,
        "summary": row.summary,
        "level": row.level,
        "language": row.language,
        "tags": row.tags,
        "enrolment": row.enrolment_mode,
    }


def course(found: Outline) -> schemas.CourseView:
    """A course with its outline."""
    row = found.course
    return schemas.CourseView(
        **_card(row),
        id=row.id,
        version=row.version,
        time_zone=row.time_zone,
        read_only=is_read_only(Lifecycle(row.lifecycle), retired=row.retired_at is not None),
        lessons=len(found.lessons),
        minutes=sum(lesson.minutes for lesson in found.lessons),
        prerequisites=[
            schemas.PrerequisiteView(course=entry.requires, min_completion=entry.min_completion)
            for entry in found.prerequisites
        ],
        skills=[schemas.SkillView.model_validate(skill) for skill in found.skills],
        chapters=[_chapter(entry, found) for entry in found.chapters],
        enrolled=found.enrolled,
    )


def _chapter(entry: Any, found: Outline) -> schemas.ChapterView:
    return schemas.ChapterView(
        key=entry.key,
        title=entry.title,
        summary=entry.summary,
        lessons=[
            schemas.LessonCard.model_validate(lesson)
            for lesson in found.lessons
            if lesson.chapter == entry.key
        ],
    )


def enrolment(row: Any, course: str, title: str) -> schemas.EnrolmentView:
    """A learner's place in a course."""
    return schemas.EnrolmentView(
        id=row.id,
        course=course,
        title=title,
        cohort=row.cohort,
        status=row.status,
        created_at=row.created_at,
        completed_at=row.completed_at,
    )


def lesson(reading: Reading) -> schemas.LessonView:
    """A lesson to study."""
    access, row = reading.access, reading.access.found.row
    return schemas.LessonView(
        id=access.lesson.id,
        key=access.lesson.key,
        title=access.lesson.title,
        chapter=access.lesson.chapter,
        course=row.name,
        version=row.version,
        path=access.lesson.path,
        minutes=access.lesson.minutes,
        skills=list(access.lesson.skills),
        markdown=reading.markdown,
        html=reading.html,
        files=[schemas.FileView.model_validate(file) for file in reading.files],
        practice=[schemas.PracticeView(**entry) for entry in reading.practice],
        completed_at=access.completed_at,
        previous=reading.previous,
        next=reading.next,
    )


def progress(found: Overview) -> schemas.ProgressView:
    """How far a learner is."""
    row, following = found.row, found.way.next
    return schemas.ProgressView(
        course=row.name,
        version=row.version,
        cohort=row.cohort,
        completed=found.done,
        total=found.total,
        percent=found.done * 100 // found.total,
        completed_at=row.completed_at,
        last_activity_at=row.active_at,
        next=_next(following) if following else None,
        chapters=[_chapter_progress(entry, found.way) for entry in found.way.content.chapters],
    )


def _next(following: Next) -> schemas.NextLesson:
    lesson = following.lesson
    return schemas.NextLesson(
        key=lesson.key,
        title=lesson.title,
        path=lesson.path,
        reason=following.reason,
        because=following.because,
    )


def _chapter_progress(entry: Chapter, way: Way) -> schemas.ChapterProgress:
    missing = way.locked.get(entry.key, ())
    return schemas.ChapterProgress(
        key=entry.key,
        title=entry.title,
        locked=bool(missing),
        missing=[way.titles.sentence(lack) for lack in missing],
        lessons=[
            _lesson_progress(lesson, way)
            for lesson in way.content.lessons
            if lesson.chapter == entry.key
        ],
    )


def _lesson_progress(lesson: LessonRef, way: Way) -> schemas.LessonProgress:
    by_band = way.band_of(lesson)
    return schemas.LessonProgress(
        key=lesson.key,
        title=lesson.title,
        path=lesson.path,
        open=by_band is None and lesson.chapter not in way.locked,
        missing=[by_band] if by_band else [],
        completed_at=way.made.completed.get(lesson.id),
    )


def assignment(work: Work) -> schemas.AssignmentView:
    """An assignment with the learner's dates."""
    row, dates = work.row, work.effective.dates
    return schemas.AssignmentView(
        id=row.id,
        key=row.key,
        title=row.title,
        kind=row.kind,
        markdown=row.instructions,
        html=to_html(row.instructions, {}),
        category=row.category,
        points=row.points,
        skills=row.skills,
        rubric=row.rubric,
        opens_at=dates.opens_at,
        due_at=dates.due_at,
        closes_at=dates.closes_at,
        sources={
            _WIRE_NAMES[name]: source.value for name, source in work.effective.sources.items()
        },
        late_policy=work.policy.late_policy.model_dump(by_alias=True, exclude_none=True),
        extensions=work.policy.extensions,
        max_size_mib=work.policy.max_size_mib,
        max_files=work.policy.max_files,
        group_size=work.policy.group_size,
        hand_ins=work.policy.hand_ins,
        handed_in=work.hand_ins,
        submission_id=work.submission_id,
    )


def wanted(found: Wanted, types: Mapping[str, str]) -> schemas.WantedAssets:
    """What to do with the files offered; ``types`` is their content type by digest."""
    return schemas.WantedAssets(
        uploads=[
            schemas.UploadView(
                path=entry.path,
                sha256=entry.sha256,
                method=entry.upload.method,
                url=entry.upload.url,
                headers={**entry.upload.headers, "content-type": types[entry.sha256]},
            )
            for entry in found.uploads
        ],
        present=list(found.present),
        stored=list(found.stored),
    )


_WIRE_NAMES = {"opens_at": "opensAt", "due_at": "dueAt", "closes_at": "closesAt"}
