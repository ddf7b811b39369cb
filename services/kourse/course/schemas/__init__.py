"""Bodies and answers of the course API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from kourse.contracts.examples import SPECS
from kourse.contracts.resources import CourseSpec
from kourse.contracts.resources.course import Chapter, Lesson, LessonPath
from kourse.contracts.resources.meta import AssetPath, Lifecycle, Sha256
from kourse.course.domain.way import Reason
from kourse.kit.http import Body, View


class CourseCard(View):
    """A course in the catalogue."""

    name: str
    title: str
    summary: str
    level: str
    language: str
    tags: list[str]
    enrolment: str = Field(description="Open, Cohort or Closed.")
    lessons: int
    minutes: int = Field(description="Time an average learner needs for all lessons, in minutes.")


class SkillView(View):
    """A skill that the course teaches."""

    key: str
    title: str
    prerequisites: list[str]


class LessonCard(View):
    """A lesson in the outline."""

    id: UUID
    key: str
    title: str
    path: LessonPath
    minutes: int
    skills: list[str]


class ChapterView(View):
    """A chapter in the outline."""

    key: str
    title: str
    summary: str | None
    lessons: list[LessonCard]


class PrerequisiteView(View):
    """A course to complete first."""

    course: str
    min_completion: int = Field(description="Percent of its lessons.")


class EnrolmentView(View):
    """A learner's place in a course."""

    id: UUID
    course: str
    title: str
    cohort: str | None
    status: str = Field(description="active or suspended.")
    created_at: datetime
    completed_at: datetime | None


class CourseView(CourseCard):
    """A course with its outline, in the version that learners have."""

    id: UUID
    version: int
    time_zone: str
    read_only: bool = Field(description="Whether it is archived.")
    prerequisites: list[PrerequisiteView]
    skills: list[SkillView]
    chapters: list[ChapterView]
    enrolled: bool = Field(description="Whether you study it now.")


class FileView(View):
    """A file of a lesson."""

    path: str
    title: str | None
    url: str = Field(description="Link that works for at most five minutes.")
    size_bytes: int | None


class PracticeView(View):
    """Questions to practise with, by reference."""

    pool: str
    questions: list[str] = Field(description="Keys; all of the pool when empty.")


class LessonView(View):
    """A lesson to study."""

    id: UUID
    key: str
    title: str
    chapter: str
    course: str
    version: int
    path: LessonPath
    minutes: int
    skills: list[str]
    markdown: str
    html: str = Field(description="The same without scripts; links to files work for five minutes.")
    files: list[FileView]
    practice: list[PracticeView]
    completed_at: datetime | None
    previous: str | None
    next: str | None


class CompletionView(View):
    """A completed lesson."""

    lesson: str
    completed_at: datetime
    completed: int = Field(description="Lessons of the main path completed so far.")
    total: int
    course_completed: bool


class LessonProgress(View):
    """A lesson, whether it is open, and whether it is done."""

    key: str
    title: str
    path: LessonPath
    open: bool
    missing: list[str] = Field(
        description="What opens it in an open chapter, in words; empty on the main path."
    )
    completed_at: datetime | None


class ChapterProgress(View):
    """A chapter and what is still missing to open it."""

    key: str
    title: str
    locked: bool
    missing: list[str] = Field(description="What to do to open it, in words.")
    lessons: list[LessonProgress]


class NextLesson(View):
    """What to study now."""

    key: str
    title: str
    path: LessonPath
    reason: Reason
    because: str = Field(
        description="Why it comes next, in words.",
        examples=["It comes after “What data are”, which you have completed."],
    )


class ProgressView(View):
    """How far a learner is; remediation and challenges do not count."""

    course: str
    version: int
    cohort: str | None
    completed: int
    total: int
    percent: int
    completed_at: datetime | None
    last_activity_at: datetime | None
    next: NextLesson | None
    chapters: list[ChapterProgress]


class AssignmentView(View):
    """An assignment with the dates that hold for the one who asks."""

    id: UUID
    key: str
    title: str
    kind: str
    markdown: str
    html: str
    category: str
    points: int
    skills: list[str]
    rubric: list[dict[str, Any]]
    opens_at: datetime | None
    due_at: datetime | None
    closes_at: datetime | None
    sources: Mapping[str, str] = Field(description="Who set each date: default, cohort, …")
    late_policy: dict[str, Any]
    extensions: list[str] = Field(description="Accepted file name endings; any when empty.")
    max_size_mib: int
    max_files: int
    group_size: int = Field(description="Most learners who hand in as one.")
    hand_ins: int = Field(description="Most hand-ins; the last one counts.")
    handed_in: int = Field(description="Hand-ins of yours or your group's so far.")
    submission_id: UUID | None = Field(description="Your submission, once it is begun.")


class CourseDocument(CourseSpec):
    """A course as its authors declare it: the ``spec`` of the Course resource."""

    # Built at once, because FastAPI cannot take a deferred model for a body.
    model_config = ConfigDict(defer_build=False, json_schema_extra={"examples": [SPECS["Course"]]})


class ChapterDocument(Chapter):
    """A chapter as its authors declare it, with its lessons."""

    model_config = ConfigDict(
        defer_build=False, json_schema_extra={"examples": [SPECS["Course"]["chapters"][0]]}
    )


class LessonDocument(Lesson):
    """A lesson as its authors declare it."""

    model_config = ConfigDict(
        defer_build=False,
        json_schema_extra={"examples": [SPECS["Course"]["chapters"][0]["lessons"][0]]},
    )


class AuthoredView(View):
    """A course as its authors see it in a list."""

    name: str
    title: str
    lifecycle: Lifecycle = Field(description="Where the current version stands.")
    current_version: int
    live_version: int | None = Field(description="What learners have; null before the first.")
    updated_at: datetime


class VersionView(View):
    """A version of a course."""

    number: int
    title: str
    digest: str
    lifecycle: Lifecycle
    is_current: bool = Field(description="Whether the document that is in force stands for it.")
    is_live: bool = Field(description="Whether learners have it.")
    created_at: datetime
    live_at: datetime | None = Field(description="When learners first got it; null if never.")


class VersionDetail(VersionView):
    """A version of a course with its content, which never changes."""

    content: dict[str, Any]


class PendingView(View):
    """What keeps a document from taking effect."""

    reason: str
    message: str


class DocumentView(View):
    """What became of a document."""

    name: str
    id: UUID
    changed: bool
    version: int | None
    digest: str
    status: dict[str, Any]
    pending: list[PendingView]


class DeclaredView(View):
    """A document as it is declared."""

    name: str
    id: UUID
    source: str = Field(description="resource or api.")
    digest: str
    spec: dict[str, Any]


class RetiredView(View):
    """What is still to be done before a deletion is complete."""

    pending: list[PendingView]


class OfferedAsset(Body):
    """A file that can be sent."""

    path: AssetPath
    sha256: Sha256
    size: Annotated[int, Field(ge=0)]
    content_type: Annotated[str, Field(max_length=100)] = "application/octet-stream"


class OfferedAssets(Body):
    """Files that can be sent."""

    assets: Annotated[list[OfferedAsset], Field(min_length=1, max_length=500)]


class UploadView(View):
    """How one file is sent: these headers go along as they are."""

    path: str
    sha256: str
    method: str
    url: str
    headers: Mapping[str, str]


class WantedAssets(View):
    """What to do with the files offered."""

    uploads: list[UploadView]
    present: list[str] = Field(description="Digests in the bucket that only need to be confirmed.")
    stored: list[str] = Field(description="Digests that are stored; nothing to do.")


class SentAssets(Body):
    """Files that were sent."""

    sha256s: Annotated[list[Sha256], Field(min_length=1, max_length=500)]


class StoredAssets(View):
    """What became of the files sent."""

    stored: list[str]
    missing: list[str] = Field(description="Paths that the current version still waits for.")
    published: int | None = Field(description="Version that went live because of it.")
