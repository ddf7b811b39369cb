"""The resource catalog: one entry for each custom resource.

The specs make the CRDs, are the bodies of the REST authoring API, and are what a plan compares.
"""

from __future__ import annotations

from kourse.contracts.resources.cohort import CohortSpec, CohortStatus
from kourse.contracts.resources.course import CourseSpec, CourseStatus
from kourse.contracts.resources.exam import ExamConfigSpec, ExamConfigStatus
from kourse.contracts.resources.meta import (
    ADOPT_ANNOTATION,
    AGE_COLUMN,
    API_VERSION,
    FINALIZER,
    FORCE_DELETE_ANNOTATION,
    GROUP,
    MAX_OBJECT_BYTES,
    PAUSED_ANNOTATION,
    READY_COLUMN,
    REASON_COLUMN,
    VERSION,
    VERSION_COLUMN,
    CelRule,
    Column,
    Condition,
    DeletionPolicy,
    Document,
    DriftPolicy,
    Kind,
    Lifecycle,
    Status,
)
from kourse.contracts.resources.pool import QuestionPoolSpec, QuestionPoolStatus

COURSE = Kind(
    kind="Course",
    plural="courses",
    singular="course",
    short_names=("crs",),
    owner="course",
    spec=CourseSpec,
    status=CourseStatus,
    columns=(
        READY_COLUMN,
        REASON_COLUMN,
        VERSION_COLUMN,
        Column("Lifecycle", ".status.lifecycle"),
        Column("Lessons", ".status.lessons", "integer", priority=1),
        Column("Learners", ".status.learners", "integer"),
        Column("Next", ".status.nextDate"),
        AGE_COLUMN,
    ),
    rules=(
        CelRule(
            "!has(self.spec.prerequisites) || "
            "self.spec.prerequisites.all(p, p.courseRef != self.metadata.name)",
            "a course cannot be its own prerequisite; take it out of the list",
            ".spec.prerequisites",
        ),
    ),
)
QUESTION_POOL = Kind(
    kind="QuestionPool",
    plural="questionpools",
    singular="questionpool",
    short_names=("pools", "pool"),
    owner="assessment",
    spec=QuestionPoolSpec,
    status=QuestionPoolStatus,
    columns=(
        READY_COLUMN,
        REASON_COLUMN,
        VERSION_COLUMN,
        Column("Course", ".spec.courseRef"),
        Column("Questions", ".status.questions", "integer"),
        AGE_COLUMN,
    ),
    selectable=(".spec.courseRef",),
)
EXAM_CONFIG = Kind(
    kind="ExamConfig",
    plural="examconfigs",
    singular="examconfig",
    short_names=("exams", "exam"),
    owner="assessment",
    spec=ExamConfigSpec,
    status=ExamConfigStatus,
    columns=(
        READY_COLUMN,
        REASON_COLUMN,
        VERSION_COLUMN,
        Column("Course", ".spec.courseRef"),
        Column("Purpose", ".spec.purpose"),
        Column("Opens", ".status.opensAt"),
        Column("Closes", ".status.closesAt"),
        Column("Attempts", ".status.attempts", "integer", priority=1),
        AGE_COLUMN,
    ),
    selectable=(".spec.courseRef", ".spec.purpose"),
)
COHORT = Kind(
    kind="Cohort",
    plural="cohorts",
    singular="cohort",
    short_names=("coh",),
    owner="profile",
    spec=CohortSpec,
    status=CohortStatus,
    columns=(
        READY_COLUMN,
        REASON_COLUMN,
        Column("Starts", ".spec.run.starts"),
        Column("Ends", ".spec.run.ends"),
        Column("Next", ".status.nextMeeting"),
        Column("Learners", ".status.members", "integer"),
        AGE_COLUMN,
    ),
)
KINDS: tuple[Kind, ...] = (COURSE, QUESTION_POOL, EXAM_CONFIG, COHORT)
BY_KIND: dict[str, Kind] = {kind.kind: kind for kind in KINDS}

__all__ = [
    "ADOPT_ANNOTATION",
    "API_VERSION",
    "BY_KIND",
    "COHORT",
    "COURSE",
    "EXAM_CONFIG",
    "FINALIZER",
    "FORCE_DELETE_ANNOTATION",
    "GROUP",
    "KINDS",
    "MAX_OBJECT_BYTES",
    "PAUSED_ANNOTATION",
    "QUESTION_POOL",
    "VERSION",
    "CohortSpec",
    "CohortStatus",
    "Column",
    "Condition",
    "CourseSpec",
    "CourseStatus",
    "DeletionPolicy",
    "Document",
    "DriftPolicy",
    "ExamConfigSpec",
    "ExamConfigStatus",
    "Kind",
    "Lifecycle",
    "QuestionPoolSpec",
    "QuestionPoolStatus",
    "Status",
]
