"""Tables of course: declared content, replicas of siblings' facts, learners' progress and their work."""

from __future__ import annotations

from kourse.course.tables.content import (
    SCHEMA,
    asset,
    assignment,
    chapter,
    cohort_replica,
    course,
    course_version,
    enrolment,
    exam_replica,
    gate,
    lesson,
    lesson_completion,
    lesson_visit,
    mastery,
    metadata,
    prerequisite,
    score,
    skill,
)
from kourse.course.tables.work import (
    accommodation,
    calendar_mark,
    draft_file,
    expiry,
    extension,
    hand_in,
    submission,
    submission_member,
    work_group,
    work_group_member,
)
from kourse.kit.erasure import Keep, Remove, Rules

__all__ = [
    "CONTENT",
    "ERASURE",
    "LEARNERS",
    "SCHEMA",
    "accommodation",
    "asset",
    "assignment",
    "calendar_mark",
    "chapter",
    "cohort_replica",
    "course",
    "course_version",
    "draft_file",
    "enrolment",
    "exam_replica",
    "expiry",
    "extension",
    "gate",
    "hand_in",
    "lesson",
    "lesson_completion",
    "lesson_visit",
    "mastery",
    "metadata",
    "prerequisite",
    "score",
    "skill",
    "submission",
    "submission_member",
    "work_group",
    "work_group_member",
]

CONTENT = (
    "course",
    "prerequisite",
    "course_version",
    "chapter",
    "lesson",
    "skill",
    "assignment",
    "gate",
    "asset",
)
"""What the operator writes."""
LEARNERS = (
    "enrolment",
    "lesson_visit",
    "lesson_completion",
    "mastery",
    "score",
    "submission",
    "submission_member",
    "draft_file",
    "hand_in",
    "extension",
    "expiry",
)
"""What learners made."""

_RESULT = Keep("what a course's figures rest on")
_WORK = Keep("grades rest on what was handed in, which others may have made as well")
ERASURE: Rules = {
    "score": _RESULT,
    "mastery": _RESULT,
    "enrolment": _RESULT,
    "submission": _WORK,
    "submission_member": _WORK,
    "hand_in": _WORK,
    "extension": Keep("what was late must stay provable, and the rows hold ids and dates alone"),
    "accommodation": Remove("learner_id"),
    "work_group_member": Remove("learner_id"),
}
"""What becomes of a deleted person's rows; visits and completions hang on the enrolment."""
